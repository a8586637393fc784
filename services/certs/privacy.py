"""What certs holds about people, and what it keeps of somebody erased: the ledger, decisions and credits.

They stand under a pseudonym then, so the same facts go on giving the same certifications, and what a vendor corrects
later still has its effect. Nothing that a person wrote is kept.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, ClassVar

from pymongo import ASCENDING, IndexModel

from libs.common.events import certs
from libs.common.field_keys import FieldKeys
from libs.common.http.evidence import file_name
from libs.common.mongo.client import Database, Document
from libs.common.mongo.jobs import Job
from libs.common.mongo.migrations import Migration, declare
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.privacy.holdings import Holding, Holdings, Person, by
from libs.common.privacy.keeper import APART, COLLECTIONS, Erasure, Keeper
from libs.common.privacy.pseudonyms import Names
from libs.common.privacy.tombstones import Tombstones
from services.certs.claims.reports import OWN_ID, settled_state
from services.certs.claims.submissions import Submissions
from services.certs.credentials.store import erased as erased_credential
from services.certs.ledgers import Ledgers
from services.certs.provider.rows import kept as kept_chain
from services.certs.stored_facts import loaded

MIGRATION = Migration(
    6,
    "exports and erasures",
    declare(
        {
            **COLLECTIONS,
            "candidates": [IndexModel([("kin", ASCENDING)], name="kin", sparse=True)],
            "dry_run_changes": [IndexModel([("candidate_id", ASCENDING)], name="candidate")],
            "submissions": [
                IndexModel([("late_looked", ASCENDING)], name="late", partialFilterExpression={"state": "unmatched"})
            ],
        }
    ),
)


def kept_submission(row: Document, names: Names) -> Document:
    """A claim or a report without words and files; one that waits for a reviewer is withdrawn."""
    empty: Document = {"note": None, "reason": None, "reference": None, "link": None, "evidence": []}
    state = "withdrawn" if row["state"] == "pending" else row["state"]
    title = row["item"] if row["origin"] == "claim" else row["title"]
    return row | empty | {"candidate_id": names[row["candidate_id"]], "state": state, "title": title}


def _name_of(file: Document) -> str:
    return file_name(file["media_type"], file["sha256"][:8])


def kept_decision(row: Document, names: Names) -> Document:
    """A decision of staff without its reason."""
    return row | {"candidate_id": names[row["candidate_id"]], "reason": ""}


def kept_note(row: Document, names: Names) -> Document:
    """A note of whose credentials are compared next; nobody compares a pseudonym's."""
    return row | {"candidates": [names.get(one, one) for one in row["candidates"]]}


LEDGERS = Holding(
    collection="candidates",
    find=by("_id", "kin"),
    kind="certifications",
    mine=by("_id"),
    withheld=frozenset({"version", "next_transition_on", "told", "policy_version"}),
    by_itself=True,
)

HOLDINGS = Holdings(
    items=(
        LEDGERS,
        Holding(
            collection="submissions",
            find=by("candidate_id"),
            kind="submissions",
            withheld=frozenset({"link", "announced", "decided_by", "assignee", "assignee_since", "late_looked"}),
            keep=kept_submission,
        ),
        Holding(
            collection="decisions",
            find=by("candidate_id"),
            kind="decisions",
            withheld=frozenset({"decided_by"}),
            keep=kept_decision,
        ),
        Holding(collection="evidence", find=by("candidate_id"), kind="evidence", content="content", filename=_name_of),
        Holding(collection="links", find=by("candidate_id"), kind="partner_ids", withheld=frozenset({"waiting"})),
        Holding(collection="dry_run_changes", find=by("candidate_id")),
        Holding(
            collection="transcripts",
            find=by("candidate_id"),
            kind="transcripts",
            withheld=frozenset({"link", "sealed"}),
        ),
        Holding(collection="transcript_views", find=by("candidate_id"), kind="transcript_views"),
        Holding(collection="transcript_credentials", find=by("candidate_id")),
        Holding(
            collection="credentials",
            find=by("candidate_id"),
            kind="credentials",
            withheld=frozenset({"longest", "signed", "signing", "claimed_until", "kid", "jwt", "unlisted", "erased"}),
            content="document",
            filename=lambda row: f"credential-{row['_id']}.json",
            keep=lambda row, _names: erased_credential(row),
        ),
        Holding(
            collection="certificates",
            find=by("candidate_id"),
            kind="certificates",
            withheld=frozenset({"kid"}),
            content="content",
            filename=lambda row: f"certificate-{row['code']}.pdf",
        ),
        Holding(collection="credential_holders", find=by("_id")),
        Holding(collection="credentials_due", find=by("candidates"), keep=kept_note),
        Holding(collection="provider_notes", find=by("candidates"), keep=kept_note),
        Holding(
            collection="provider_badges",
            find=by("candidate_id"),
            kind="provider_badges",
            withheld=frozenset({"due_at", "lease_until", "hand", "tries", "error", "refusal", "walk", "editions"}),
            keep=kept_chain,
        ),
        Holding(collection="people", find=by("_id")),
        Holding(collection="sharing", find=by("_id"), kind="sharing"),
        Holding(collection="goals", find=by("_id"), kind="goals"),
        Holding(collection="directory", find=by("_id")),
    ),
    apart=APART
    | {
        "policies": "texts of programs",
        "dry_runs": "who tried which text, for 30 days",
        "issuer_keys": "keys of programs that sign credentials",
        "status_lists": "a bit for each credential, by nobody's name",
        "provider_states": "how badge providers are doing",
        "provider_hooks": "ids of badge providers' events, for 30 days",
        "provider_strays": "badges at providers of which nobody knows whose they are",
        "verification_codes": "which credential or document a code stands for, by its id",
    },
)


def keeper_of(
    database: Database, tombstones: Tombstones, unit_of_work: UnitOfWork, ledgers: Ledgers, fields: FieldKeys
) -> Keeper:
    """The service's part in exports and erasures."""
    return Keeper(
        certs.PersonalDataPart,
        HOLDINGS,
        tombstones,
        database,
        unit_of_work,
        links="links",
        facts_go_on=True,
        after=LedgerErasure(database, ledgers).after,
        opening=fields.open,
    )


class LateReports:
    """Gives courses of somebody erased that providers still report to the pseudonym, if they were before it."""

    EVERY: ClassVar = timedelta(minutes=1)
    SLICE: ClassVar = 200

    def __init__(
        self, database: Database, tombstones: Tombstones, submissions: Submissions, unit_of_work: UnitOfWork
    ) -> None:
        self._rows = database["submissions"]
        self._links = database["links"]
        self._tombstones = tombstones
        self._submissions = submissions
        self._unit_of_work = unit_of_work

    def job(self) -> Job:
        return Job("late-reports", self.EVERY, self.run)

    async def run(self) -> None:
        while await self._unit_of_work.run(self._slice) == self.SLICE:
            pass

    async def _slice(self, transaction: Transaction) -> int:
        unseen = {"state": "unmatched", "late_looked": None}
        waiting = await self._rows.find(unseen, session=transaction.session).to_list(self.SLICE)
        ids = [one for row in waiting for one in _about(row)]
        erased = await self._tombstones.look_up(transaction.session, ids)
        late: list[Document] = []
        for row in waiting:
            found = next((erased[one] for one in _about(row) if one in erased), None)
            after = row | {"late_looked": True}
            if found is not None and date.fromisoformat(row["completed_on"]) <= found.at.date():
                after |= {"candidate_id": "", "state": settled_state(row)}
                late.append(kept_submission(after, {"": found.pseudonym}))
            else:
                await self._rows.replace_one({"_id": row["_id"]}, after, session=transaction.session)
        await self._submissions.change(transaction, [(row, None) for row in late])
        unmatched = {"state": "unmatched", "link": {"$in": list(erased)}}
        kept = await self._rows.distinct("link", unmatched, session=transaction.session)
        nobodys = {"_id": {"$in": sorted(erased.keys() - set(kept))}, "candidate_id": None}
        await self._links.delete_many(nobodys, session=transaction.session)
        return len(waiting)


def _about(row: Document) -> list[str]:
    """The ids by which a report names its person: one at a partner, or ours."""
    reference = row["reference"] or {}
    own = [reference["value"]] if reference.get("kind") == OWN_ID else []
    return [*own, *([row["link"]] if row["link"] else [])]


class LedgerErasure:
    """Puts ledgers under pseudonyms."""

    def __init__(self, database: Database, ledgers: Ledgers) -> None:
        self._candidates = database["candidates"]
        self._ledgers = ledgers

    async def after(self, transaction: Transaction, erasure: Erasure, person: Person) -> None:
        """Rename accounts wherever ledgers name them, and write the texts anew that were derived from facts.

        What came in under the old id since the erasure was first told goes to the pseudonym's ledger.
        """
        session, program = transaction.session, erasure.event.program
        names = {one.candidate_id: one.pseudonym for one in erasure.data.accounts}
        rows = await self._candidates.find(LEDGERS.find(person), session=session).to_list(None)
        known = set(await self._candidates.distinct("_id", {"_id": {"$in": [*names.values()]}}, session=session))
        late: list[Document] = []
        for row in rows:
            after = under_pseudonyms(row, names)
            await self._candidates.delete_one({"_id": row["_id"]}, session=session)
            if after["_id"] in known:
                late.append(after)
            else:
                await self._candidates.insert_one(after, session=session)
        own = known | {names[row["_id"]] for row in rows if row["_id"] in names}
        opened = await self._ledgers.open(transaction, [(program, name) for name in sorted(own)])
        for row in late:
            for fact in row["facts"]:
                opened[program, row["_id"]].add(loaded(fact), transaction, None)
        for name in own:
            if opened[program, name].merged_into is None:
                opened[program, name].pass_time(transaction)
        await self._ledgers.save(transaction, opened.values())


def under_pseudonyms(row: Document, names: Names) -> Document:
    """A stored ledger in which nobody of `names` is named, and no words of people stand about them."""
    own = row["_id"] in names
    after = row | {"_id": names.get(row["_id"], row["_id"]), "facts": [_fact(one, names, own) for one in row["facts"]]}
    if "kin" in row:
        after["kin"] = sorted(names.get(one, one) for one in row["kin"])
    if row.get("merged_into") is not None:
        after["merged_into"] = names.get(row["merged_into"], row["merged_into"])
    if "milestones" in row:
        after["milestones"] = [_renamed(one, names) for one in row["milestones"]]
    return after


def _fact(fact: Document, names: Names, own: bool) -> Document:
    after = _renamed(fact, names)
    erased = fact["account"] in names if "account" in fact else own
    if erased and "reason" in fact:
        after["reason"] = ""
    if erased:
        after.pop("number", None)
    return after


def _renamed(row: Mapping[str, Any], names: Names) -> Document:
    return {
        field: names.get(value, value) if field in _ACCOUNTS and value is not None else value
        for field, value in row.items()
    }


_ACCOUNTS = frozenset({"account", "source", "into"})
"""Fields of facts and milestones that name accounts."""
