"""The invariants across services, each a pure function of what they hold of one candidate."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias

from deploy.doctor.dossiers import Dossier, Row
from deploy.doctor.findings import Finding
from libs.common.privacy.pseudonyms import is_pseudonym
from libs.common.programs import Program
from services.fulfillment.domain.offers import offers_for

MAILS_KEPT: Final = timedelta(days=700)
"""notify forgets mails after two years; of what is older none is looked for."""
_TOLD_BY_MAIL = frozenset({"pass", "fail"})
_TAKEN_BACK = frozenset({"result_withdrawn", "result_changed", "certification_revoked"})
_NOT_AWARDED = frozenset({"pending_agreement"})


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the judging needs beside a dossier."""

    programs: Mapping[str, Program]
    now: datetime


Check: TypeAlias = Callable[[Dossier, Surroundings], Iterator[Finding]]


def judge(dossier: Dossier, about: Surroundings) -> list[Finding]:
    """Everything that is not as it must be with one candidate."""
    return [finding for check in CHECKS for finding in check(dossier, about)]


def accounts_are_known(dossier: Dossier, _: Surroundings) -> Iterator[Finding]:
    """Who is known to one service has an account, and whoever has an account can be written to."""
    who, account = dossier.candidate_id, dossier.one("account")
    if is_pseudonym(who):
        return
    if account is None:
        for kind, service in (("ledger", "certs"), ("result", "exams"), ("offer", "fulfillment"), ("mail", "notify")):
            mails = [row for row in dossier.of(kind) if not str(row.get("template", "")).startswith("staff_")]
            if mails:
                what = f"{len(mails)} rows ({kind}) of a candidate of whom identity has no account"
                mend = "restore identity to a later moment, or see whether they were erased: certrail events tail"
                yield Finding("account-missing", service, what, who, mend=f"{mend} --from first --candidate {who}")
    elif dossier.one("recipient") is None:
        yield Finding(
            "recipient-missing",
            "notify",
            "an account to which no mail can go, because notify never heard of it",
            who,
            mend=_replay("notify", who),
        )


def results_reach_the_ledger(dossier: Dossier, _: Surroundings) -> Iterator[Finding]:
    """What exams has told of a result stands in the ledger, and what stands there was told."""
    told = {row["_id"]: row for row in dossier.of("result") if row.get("told") is not None}
    facts = _own_results(dossier)
    for key, row in told.items():
        if facts.get(key, 0) < (row.get("told_revision") or 0):
            known = f"has revision {facts[key]} of it only" if key in facts else "has no fact of it"
            yield Finding(
                "result-not-in-ledger",
                "certs",
                f"exams has told revision {row['told_revision']} of a result, and certs {known}",
                dossier.candidate_id,
                (key,),
                _replay("certs", dossier.candidate_id),
            )
    known_results = {row["_id"] for row in dossier.of("result")}
    for key in facts.keys() - known_results - _void(dossier):
        yield Finding(
            "fact-without-result",
            "exams",
            "the ledger rests on a result that exams does not have",
            dossier.candidate_id,
            (key,),
            "have the vendor send the result again, or its file: certrail feed",
        )


def awards_have_their_facts(dossier: Dossier, _: Surroundings) -> Iterator[Finding]:
    """Every reason of a certification is a fact of its ledger, or another certification in it."""
    ledger = dossier.one("ledger")
    if ledger is None:
        return
    known = {str(value) for fact in ledger["facts"] for value in fact.values()}
    known |= {held["certification"] for held in ledger["certifications"]}
    for held in ledger["certifications"]:
        missing = {reason["fact"] for reason in held["because"]} - known - {""}
        if missing:
            yield Finding(
                "award-without-fact",
                "certs",
                f"{held['certification']} rests on what is no fact of the ledger",
                dossier.candidate_id,
                tuple(sorted(missing)),
                "have it evaluated anew: certrail programs publish, with a higher version",
            )


def awards_and_offers_agree(dossier: Dossier, about: Surroundings) -> Iterator[Finding]:
    """Every award has the offers that its program gives for it, and every offer the award that it is for."""
    who, ledger = dossier.candidate_id, dossier.one("ledger")
    if is_pseudonym(who) or _is_family(dossier):
        return
    held = {each["certification"]: each for each in ledger["certifications"]} if ledger else {}
    program = about.programs.get(ledger["program"]) if ledger else None
    known = {row["_id"] for row in dossier.of("offer")}
    if ledger and program and not _imported(ledger):
        for code, each in held.items():
            given = [one.id for one in offers_for(program, who, code, datetime.fromisoformat(each["earned_on"]).date())]
            if each["status"] not in _NOT_AWARDED and (missing := set(given) - known):
                what = f"{code} was awarded, and what it entitles to was never offered"
                yield Finding("kit-missing", "fulfillment", what, who, tuple(missing), _replay("fulfillment", who))
    for row in dossier.of("offer"):
        stands = row.get("stands", True) and row.get("awarded", True) and not row.get("milestone")
        if stands and row["state"] in {"offered", "claimed"} and row["certification"] not in held:
            yield Finding(
                "kit-without-award",
                "fulfillment",
                f"{row['benefit']} for {row['certification']} is {row['state']}, which the ledger does not have",
                who,
                (row["_id"],),
                "see why: certrail events tail --from first --candidate " + who,
            )


def orders_and_offers_agree(dossier: Dossier, _: Surroundings) -> Iterator[Finding]:
    """What was claimed was ordered, and every order is for an offer."""
    offers, orders = (
        {row["_id"]: row for row in dossier.of("offer")},
        {row["_id"]: row for row in dossier.of("order")},
    )
    for key, row in offers.items():
        if row.get("order_id") is not None and row["order_id"] not in orders:
            what = f"{row['benefit']} was claimed, and there is no such order"
            yield Finding("order-missing", "fulfillment", what, dossier.candidate_id, (key, row["order_id"]), _LOOK)
    for key, row in orders.items():
        if row["offer_id"] not in offers and not is_pseudonym(dossier.candidate_id):
            what = f"an order ({row['state']}) for an offer that does not exist"
            yield Finding("order-without-offer", "fulfillment", what, dossier.candidate_id, (key,), _LOOK)


def mails_have_their_cause(dossier: Dossier, about: Surroundings) -> Iterator[Finding]:
    """Every result and every award was told by mail, and every mail about one tells of something that is there."""
    who = dossier.candidate_id
    if is_pseudonym(who) or _is_family(dossier) or dossier.one("account") is None:
        return
    mails = dossier.of("mail")
    told = {row["about"][0] for row in mails if row.get("about")}
    yield from _untold(dossier, told, about)
    results = {row["_id"] for row in dossier.of("result")}
    ledger = dossier.one("ledger")
    held = {each["certification"] for each in ledger["certifications"]} if ledger else set()
    there = {f"result:{who}:{key}" for key in results} | {f"certification:{who}:{code}" for code in held}
    taken_back = {row["about"][0] for row in mails if row.get("about") and row["template"] in _TAKEN_BACK}
    for row in mails:
        if row.get("about") and row["about"][0] not in there | taken_back:
            what = f"a mail ({row['template']}) about something that is not there: {row['about'][0]}"
            yield Finding("mail-without-cause", "notify", what, who, (row["_id"],), _LOOK_AT + who)
    for (template, key, order), count in _alike(mails).items():
        if count > 1:
            what = f"{count} mails ({template}) say the same of {key}, version {order}"
            yield Finding("mail-doubled", "notify", what, who, (key,), _LOOK_AT + who, "warning")


def merges_agree(dossier: Dossier, _: Surroundings) -> Iterator[Finding]:
    """An account that went into another did so in the ledger as well."""
    account, ledger = dossier.one("account"), dossier.one("ledger")
    if account is None or ledger is None:
        return
    into, there = account.get("merged_into"), ledger.get("merged_into")
    if bool(into) != bool(there):
        what = f"identity says that the account {'was merged' if into else 'stands alone'}, certs the contrary"
        yield Finding("merge-differs", "certs", what, dossier.candidate_id, (str(into or there),), _merging(dossier))


CHECKS: Sequence[Check] = (
    accounts_are_known,
    results_reach_the_ledger,
    awards_have_their_facts,
    awards_and_offers_agree,
    orders_and_offers_agree,
    mails_have_their_cause,
    merges_agree,
)

_LOOK = "see what happened: certrail audit list --service fulfillment"
_LOOK_AT = "see what happened: certrail events tail --from first --candidate "


def _untold(dossier: Dossier, told: set[Any], about: Surroundings) -> Iterator[Finding]:
    who = dossier.candidate_id
    for row in dossier.of("result"):
        said = row.get("told")
        lately = said and _utc(said["at"]) > about.now - MAILS_KEPT if said and said.get("at") else False
        if said and lately and said["grade"] in _TOLD_BY_MAIL and f"result:{who}:{row['_id']}" not in told:
            what = "a result of which no mail was ever written"
            yield Finding("mail-missing", "notify", what, who, (row["_id"],), _replay("notify", who))
    ledger = dossier.one("ledger")
    if ledger is None or _imported(ledger):
        return
    known_at = [_utc(fact["known_at"]) for fact in ledger["facts"]]
    for each in ledger["certifications"]:
        lately = bool(known_at) and min(known_at) > about.now - MAILS_KEPT
        key = f"certification:{who}:{each['certification']}"
        if lately and each["status"] not in _NOT_AWARDED and key not in told:
            what = f"{each['certification']}, of which no mail was ever written"
            yield Finding("mail-missing", "notify", what, who, (key,), _replay("notify", who))


def _own_results(dossier: Dossier) -> dict[str, int]:
    """The highest revision of each result that the account's own ledger has."""
    ledger = dossier.one("ledger")
    found: dict[str, int] = {}
    for fact in ledger["facts"] if ledger else ():
        if fact["kind"] == "exam" and fact.get("account") is None:
            found[fact["result_id"]] = max(fact["revision"], found.get(fact["result_id"], 0))
    return found


def _void(dossier: Dossier) -> set[str]:
    """Results that the ledger has as void: they may have turned out to be another's."""
    ledger = dossier.one("ledger")
    last: dict[str, Row] = {}
    for fact in ledger["facts"] if ledger else ():
        if fact["kind"] == "exam" and fact["revision"] >= last.get(fact["result_id"], fact)["revision"]:
            last[fact["result_id"]] = fact
    return {key for key, fact in last.items() if fact["outcome"] == "invalidated"}


def _alike(mails: Sequence[Row]) -> Counter[tuple[str, str, int]]:
    return Counter((row["template"], row["about"][0], row["about"][1]) for row in mails if row.get("about"))


def _is_family(dossier: Dossier) -> bool:
    """Whether other accounts are one with this: then awards are held against kits and mails at none of them.

    What follows from an award or a result is kept where it was told. A kit that was offered before a merge stays with
    the account that had earned it, under an id made of that account's, while the award is the survivor's; the mail of a
    late result of the merged account names one account and goes to the other; and a separation brings part of it back.
    Which of them must have what follows from the order of events, which no dossier has. What stays with its account
    whatever is merged is compared all the same: results with the ledger, the ledger with its own facts, orders with
    offers, and that a merge is one on both sides.
    """
    account, ledger = dossier.one("account"), dossier.one("ledger")
    joined = account is not None and (account.get("merged_into") or account.get("merged_from"))
    return bool(joined or (ledger is not None and ledger.get("kin")))


def _imported(ledger: Row) -> bool:
    """Whether it began with what an older system had told already."""
    return ledger.get("version", 0) == 0 or any(fact["kind"] == "import" for fact in ledger["facts"])


def _replay(service: str, candidate_id: str) -> str:
    return f"certrail events replay {service} --candidate {candidate_id}"


def _merging(dossier: Dossier) -> str:
    return _replay("certs", dossier.candidate_id)


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
