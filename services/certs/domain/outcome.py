"""What stands at the end of a replay, as of a day: status, dates, designations, name and account."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from libs.common.languages.days import spoken
from libs.common.programs import add_years
from libs.common.programs.calendar import add_days
from services.certs.domain.facts import Known, RenameFact
from services.certs.domain.held import Held
from services.certs.domain.rules import CertificationRule, ProgramRules
from services.certs.domain.standing import CertificationStanding, Ground, Status
from services.certs.languages import say

_ONE_DAY = timedelta(days=1)
_SET_ASIDE = ("suspended", "revoked")
"""No agreement and no designation says more of these."""


@dataclass(frozen=True, slots=True)
class Telling:
    """What decides how certifications are told, other than what happened to them."""

    today: date
    account: str | None
    accepted: bool
    """False while the agreement is asked for and not accepted."""
    renamed: dict[str, str]

    @classmethod
    def of(cls, rules: ProgramRules, known: Known, today: date, account: str | None) -> "Telling":
        if known.only_exams and account is None and not rules.program.policy.agreement_required:
            return cls(today, None, accepted=True, renamed={})
        accepted = not rules.program.policy.agreement_required
        if known.agreements:
            days = [fact.accepted_on for fact in known.agreements if fact.accepted_on is not None]
            accepted = min(days, default=date.max) <= today
        renamed = _renamed(rules, known.renames, today) if known.renames else {}
        return cls(today, account, accepted, renamed)


def _renamed(rules: ProgramRules, renames: Iterable[RenameFact], today: date) -> dict[str, str]:
    """Present ids by the program's own: only the new one is listed, with the old dates."""
    renamed: dict[str, str] = {}
    for fact in sorted(renames, key=lambda fact: (fact.on, fact.old, fact.new)):
        if fact.on > today:
            continue
        for name, present in list(renamed.items()):
            if present == fact.old:
                renamed[name] = fact.new
        rule = rules.by_name.get(fact.old)
        if rule is not None and rule.certification.id == fact.old:
            renamed.setdefault(fact.old, fact.new)
    return renamed


def present_names(rules: ProgramRules, renames: Iterable[RenameFact], today: date) -> dict[str, CertificationRule]:
    """Every id under which facts may name a certification: its own, its former ones, and those of known renames."""
    names = dict(rules.by_name)
    for fact in sorted(renames, key=lambda fact: (fact.on, fact.old, fact.new)):
        if fact.on <= today and (fact.old in names) != (fact.new in names):
            rule = names.get(fact.old) or names[fact.new]
            names.setdefault(fact.old, rule)
            names.setdefault(fact.new, rule)
    return names


def _listed_as(held: Held, telling: Telling) -> str:
    """The id of the day: from a rename on the new one, before it the one an import came under."""
    certification = held.rule.certification
    for former in certification.formerly if held.known_as else ():
        if former.id is not None and former.id == held.known_as and telling.today < former.until:
            return former.id
    return telling.renamed.get(certification.id, certification.id)


def told(held: Held, telling: Telling) -> CertificationStanding:
    """One certification as of the day."""
    today, certification = telling.today, held.rule.certification
    status, expires_on, grounds, changes_on = status_of(held, today)
    designations: tuple[str, ...] = ()
    designation = held.rule.designation
    if designation is not None and status not in _SET_ASIDE:
        since = add_years(held.earned_on, designation.after_years)
        if since <= today:
            designations = (designation.name,)
            words = say("{designation} since {day}", designation=designation.name, day=spoken(since))
            grounds = (*grounds, Ground(certification.id, designation.clause, words, since))
        else:
            changes_on = min(since, changes_on or since)
    if not telling.accepted and status not in _SET_ASIDE:
        status = "pending_agreement"
    return CertificationStanding(
        certification=_listed_as(held, telling),
        title=certification.title_on(today) if certification.formerly else certification.title,
        status=status,
        holdings=(*held.past, held.holding),
        expires_on=expires_on,
        grounds=grounds,
        designations=designations,
        number=held.number,
        account=telling.account,
        changes_on=changes_on,
        decisions=held.decisions,
    )


Told = tuple[Status, date | None, tuple[Ground, ...], date | None]
"""Status, last day, its grounds, and the next day on which it changes by itself."""


def status_of(held: Held, today: date) -> Told:
    """What a certification is on a day, by what has happened until then."""
    last = held.expires_on
    if held.suspended or held.revoked is not None:
        return "suspended" if held.suspended else "revoked", last, (), None
    if last is None:
        return "active", None, (), None
    if today <= last:
        if held.dormant is not None and today < held.dormant[1] and held.dormant[0] <= last:
            start, end, clause = held.dormant
            if today < start:
                return "active", last, (), min(start, add_days(last, 1))
            words = say("inactive since {day}", day=spoken(start))
            ground = Ground(held.rule.certification.id, clause, words, start)
            return "inactive", last, (ground,), min(end, add_days(last, 1))
        return "active", last, (), last + _ONE_DAY if last < date.max else None
    return _honour(held, today, last)


def _honour(held: Held, today: date, last: date) -> Told:
    """After the last active day: granted years of emeritus, for life after enough years without a gap."""
    rules = held.rule.emeritus
    end = held.end or last
    if rules is None:
        return "expired", last, (), None
    if rules.lifetime_after_years is not None:
        for_life_from = add_years(held.since, rules.lifetime_after_years)
        if for_life_from <= end:
            if for_life_from <= today:
                words = say("without a gap since {day}", day=spoken(held.since))
                ground = Ground(held.rule.certification.id, rules.clause, words, held.since)
                return "lifetime_emeritus", None, (*held.grants, ground), None
            return "emeritus", end, held.grants, for_life_from
    if today <= end:
        return "emeritus", end, held.grants, add_days(end, 1)
    return "expired", end, held.grants, None
