"""From facts to certifications: a pure function, the same for the same facts in any order, number or batch.

The facts known at `as_of` are replayed in the order of the days they took effect (`replay`); what stands at the end
is told as of that day (`outcome`).
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from libs.common.languages.days import spoken
from libs.common.programs import Program
from services.certs.domain import accounts, courses, flags
from services.certs.domain.credit import countable
from services.certs.domain.days import Day
from services.certs.domain.decisions import in_order
from services.certs.domain.facts import ExtensionFact, Fact, Known
from services.certs.domain.flags import Flag
from services.certs.domain.outcome import Telling, present_names, told
from services.certs.domain.replay import Replay
from services.certs.domain.results import Results, settle
from services.certs.domain.rules import CertificationRule, ProgramRules, rules_of
from services.certs.domain.standing import CertificationStanding, Standing
from services.certs.languages import say

_ONE_DAY = timedelta(days=1)


def evaluate(policy: Program, facts: Iterable[Fact], as_of: date | datetime) -> Standing:
    """What the facts known at `as_of` give under the policy.

    A date stands for its whole day in the program's time zone. What cannot take effect is kept and flagged.

    Raises:
        TypeError: for a kind of fact that is not understood.
        ValueError: where `as_of` is a moment without an offset from UTC.
    """
    rules = rules_of(policy)
    today, known_until = moment(as_of, rules.zone)
    known = Known(facts, known_until)
    if not known.exams and known.only_exams:
        return Standing(policy.id, policy.version, today, {})
    if known.only_exams and known.one_account:
        return _evaluate(rules, known, today, None)
    parts = [_evaluate(rules, part, today, account) for account, part in accounts.split(known)]
    return parts[0] if len(parts) == 1 else accounts.joined(parts)


def moment(as_of: date | datetime, zone: ZoneInfo) -> tuple[date, datetime]:
    """The day in the program's time zone, and the last moment whose knowledge counts."""
    try:
        if not isinstance(as_of, datetime):
            end = datetime.combine(as_of + _ONE_DAY, time.min, zone).astimezone(UTC)
            return as_of, end - timedelta.resolution
        if as_of.tzinfo is None:
            raise ValueError("as_of has no offset from UTC")
        return as_of.astimezone(zone).date(), as_of
    except OverflowError:  # within a day of the calendar's first or last: zones no longer matter
        if isinstance(as_of, datetime):
            return as_of.date(), as_of
        return as_of, datetime.max.replace(tzinfo=UTC)


def _evaluate(rules: ProgramRules, known: Known, today: date, account: str | None) -> Standing:
    replay, results = run(rules, known, today)
    telling = Telling.of(rules, known, today, account)
    certifications: dict[str, CertificationStanding] = {}
    for _, held in sorted(replay.held_by.items()):
        entry = told(held, telling)
        other = certifications.get(entry.certification)
        # Two certifications become one by a rename: the newest holding is told.
        if other is None or other.earned_on <= entry.earned_on:
            certifications[entry.certification] = entry
    found = results.flags + replay.flags
    return Standing(
        program=rules.program.id,
        policy_version=rules.program.version,
        as_of=today,
        certifications=certifications,
        resumes_on=min(results.transitions, default=None),
        flags=tuple(sorted(set(found))) if found else (),
        decided_by=replay.decided_by,
        earliest_retake=results.earliest_retake,
    )


def run(rules: ProgramRules, known: Known, today: date) -> tuple[Replay, Results]:
    """The replay of what is known, up to and including a day."""
    results = settle(rules, known.exams, known.changes, today)
    events: dict[date, Day] = {}
    for attempt in results.passes:
        _day(events, attempt[0]).exams.append(attempt)
    names, retired = rules.by_name, rules.retired
    if not known.only_exams:
        names = present_names(rules, known.renames, today)
        retired = _retired(rules, names, known, results.flags)
        _others(rules, known, today, events, results)
    if rules.extensions or known.extensions:
        for extension in _extensions(rules, known, today):
            _day(events, extension[0].on).decreed().extensions.append(extension)
    replay = Replay(rules, today, names, retired)
    replay.play(events, with_credits=bool(known.credits))
    return replay, results


def _day(events: dict[date, Day], day: date) -> Day:
    found = events.get(day)
    if found is None:
        found = events[day] = Day()
    return found


def _others(rules: ProgramRules, known: Known, today: date, events: dict[date, Day], results: Results) -> None:
    """Puts everything but exams on its day."""
    found, later = results.flags, results.transitions
    for balance in known.imports:
        if not _ahead(f"{balance.certification}", balance.earned_on, today, results):
            _day(events, balance.earned_on).imports.append(balance)
    for course in known.courses:
        if courses.countable(rules, course, today, found):
            _day(events, course.last_day).courses.append(course)
        later += _after(today, course.approved_on, course.last_day)
    for claim in sorted(known.credits, key=lambda claim: (claim.completed_on, claim.item or "", claim.claim_id)):
        if countable(claim, rules.program.policy.credits, today, found):
            _day(events, claim.acts_on).credits.append(claim)
        later += _after(today, claim.validated_on, claim.completed_on, claim.held_until)
    _decreed(known, today, events, results)
    for agreement in known.agreements:
        later += _after(today, agreement.accepted_on)


def _decreed(known: Known, today: date, events: dict[date, Day], results: Results) -> None:
    """Puts on its day what the program granted and its staff decided."""
    for grant in sorted(known.emeritus, key=lambda grant: (grant.on, grant.certification)):
        if not _ahead("a year of emeritus", grant.on, today, results):
            _day(events, grant.on).decreed().emeritus.append(grant)
        results.transitions += _after(today, grant.paid_on)
    for decision in in_order(known.decisions):
        if not _ahead(f"the decision to {decision.decision} {decision.certification}", decision.on, today, results):
            _day(events, decision.on).decreed().decisions.append(decision)


def _retired(
    rules: ProgramRules, names: Mapping[str, CertificationRule], known: Known, found: list[Flag]
) -> dict[str, date]:
    """Since when which certification is neither awarded nor renewed."""
    retired = dict(rules.retired)
    for retirement in known.retirements:
        rule = names.get(retirement.certification)
        if rule is None:
            text = say("{certification} is no certification of the program", certification=retirement.certification)
            found.append(Flag(flags.CERTIFICATION_UNKNOWN, ":".join(retirement.key), text))
            continue
        name = rule.certification.id
        retired[name] = min(retirement.on, retired.get(name, date.max))
    return retired


def _after(today: date, *days: date | None) -> list[date]:
    return [day for day in days if day is not None and day > today]


def _ahead(what: str, day: date, today: date, results: Results) -> bool:
    if day <= today:
        return False
    text = say("{what} is dated {day}, which has not come", what=what, day=spoken(day))
    results.flags.append(Flag(flags.DATED_AHEAD, f"{what} on {day}", text))
    results.transitions.append(day)
    return True


def _extensions(rules: ProgramRules, known: Known, today: date) -> Iterable[tuple[ExtensionFact, str]]:
    """Extensions of the definition and of the facts; one told by both moves each expiry once."""
    once: dict[tuple[object, ...], tuple[ExtensionFact, str]] = {}
    told = [*rules.extensions, *((fact, "extensions") for fact in sorted(known.extensions, key=lambda fact: fact.on))]
    for fact, clause in told:
        if fact.on <= today:
            once.setdefault((fact.months, fact.window or fact.on), (fact, clause))
    return once.values()
