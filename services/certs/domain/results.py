"""Which results count: the newest revision known, not voided, held or retired, and not taken too soon."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from libs.common.languages.days import spoken
from libs.common.programs import Exam
from libs.common.programs.calendar import add_days
from libs.common.programs.policy import RetakeRules
from libs.common.programs.retakes import Attempts, Wait
from services.certs.domain import flags
from services.certs.domain.facts import ExamFact, ResultChangeFact
from services.certs.domain.flags import Flag
from services.certs.domain.rules import ProgramRules
from services.certs.languages import say

_ONE_DAY = timedelta(days=1)
_NO_ATTEMPT = frozenset({"invalidated", "no_show"})

Dated = tuple[date, str, str, ExamFact]
"""An attempt in replay order: day, exam code, result id, the fact."""


@dataclass(slots=True)
class Results:
    """The passes that count, and what else the results say."""

    passes: list[Dated] = field(default_factory=list)
    flags: list[Flag] = field(default_factory=list)
    transitions: list[date] = field(default_factory=list)
    """Days after today on which a known result begins or ceases to count."""
    earliest_retake: date | None = None
    """First day on which the exam failed last may be taken again, where a wait runs."""


def settle(rules: ProgramRules, exams: Iterable[ExamFact], changes: Iterable[ResultChangeFact], today: date) -> Results:
    """Results as they count on `today`, from the facts known then."""
    results = Results()
    latest = _latest(exams)
    if changes:
        latest = _changed(rules, latest, changes, results.flags)
    ahead = add_days(today, 1)  # a place of delivery can be a calendar day ahead of the program's time zone
    attempts: list[Dated] = []
    for fact in latest:
        if fact.outcome in _NO_ATTEMPT:
            continue
        exam = rules.exams.get(fact.code)
        if exam is None:
            text = say("{exam} is no exam of the program", exam=fact.code)
            results.flags.append(Flag(flags.EXAM_UNKNOWN, fact.result_id, text))
        elif _counts(fact, exam, today, ahead, results):
            attempts.append((fact.taken_on, exam.code, fact.result_id, fact))
    attempts.sort(key=_order)
    retake = rules.program.policy.retake
    if retake is not None and not _no_retakes(attempts):
        attempts = _allowed(retake, attempts, results)
    results.passes = [attempt for attempt in attempts if attempt[3].outcome == "pass"]
    return results


def _counts(fact: ExamFact, exam: Exam, today: date, ahead: date, results: Results) -> bool:
    """Whether a result has effect: its day has come, it is not held, and its exam was on offer."""
    if fact.name_differs:
        text = say("the name on the result differs from the profile")
        results.flags.append(Flag(flags.NAME_MISMATCH, fact.result_id, text))
    if fact.taken_on > ahead:
        text = say("{what} is dated {day}, which has not come", what=exam.code, day=spoken(fact.taken_on))
        results.flags.append(Flag(flags.DATED_AHEAD, fact.result_id, text))
        results.transitions.append(fact.taken_on - _ONE_DAY)
        return False
    if (fact.held_on is not None and _on_hold(fact, today, results)) or fact.outcome == "pending":
        return False
    if exam.last_day is not None and fact.taken_on > exam.last_day:
        text = say(
            "{exam} was taken on {day}, after its last day {last}",
            exam=exam.code,
            day=spoken(fact.taken_on),
            last=spoken(exam.last_day),
        )
        results.flags.append(Flag(flags.EXAM_RETIRED, fact.result_id, text))
        return False
    if exam.first_day is not None and fact.taken_on < exam.first_day:
        text = say(
            "{exam} was taken on {day}, before its first day {first}",
            exam=exam.code,
            day=spoken(fact.taken_on),
            first=spoken(exam.first_day),
        )
        results.flags.append(Flag(flags.EXAM_NOT_YET_OFFERED, fact.result_id, text))
    return True


def _no_retakes(attempts: list[Dated]) -> bool:
    """Whether nothing was failed, and no code taken twice."""
    codes = {attempt[1] for attempt in attempts if attempt[3].outcome == "pass"}
    return len(codes) == len(attempts)


def _order(attempt: Dated) -> tuple[date, str, str, str]:
    """By day; of one day and code fails come first, so that a pass is judged by them in any order of arrival."""
    return attempt[0], attempt[1], attempt[3].outcome, attempt[2]


def _on_hold(fact: ExamFact, today: date, results: Results) -> bool:
    """Whether today lies in the hold: from its first day, before the day of release."""
    if fact.held_on is None:
        return False
    if today < fact.held_on:
        results.transitions.append(fact.held_on)
        return False
    if fact.released_on is not None and fact.released_on <= today:
        return False
    if fact.released_on is not None:
        results.transitions.append(fact.released_on)
    results.flags.append(Flag(flags.RESULT_ON_HOLD, fact.result_id, say("held since {day}", day=spoken(fact.held_on))))
    return True


def _latest(exams: Iterable[ExamFact]) -> Iterable[ExamFact]:
    """Of each result the highest revision known."""
    latest: dict[str, ExamFact] = {}
    for fact in exams:
        known = latest.setdefault(fact.result_id, fact)
        if known is not fact and _replaces(fact, known):
            latest[fact.result_id] = fact
    return latest.values()


def _replaces(fact: ExamFact, known: ExamFact) -> bool:
    if fact.revision != known.revision:
        return fact.revision > known.revision
    # The same revision is the same fact, known since its first report. Should a publisher break that
    # rule, the rest of the comparison keeps the answer independent of the order of arrival.
    return _content(fact) < _content(known)


def _content(fact: ExamFact) -> tuple[datetime, date, str, str, str]:
    return fact.known_at, fact.taken_on, fact.code, fact.outcome, repr(fact)


def _changed(
    rules: ProgramRules, results: Iterable[ExamFact], changes: Iterable[ResultChangeFact], found: list[Flag]
) -> list[ExamFact]:
    """Results as voided, restored and modified since; the last word on each counts."""

    def name(code: str, day: date) -> tuple[str, date]:
        exam = rules.exams.get(code)
        return (exam.code if exam else code), day

    about: defaultdict[tuple[str, date], list[ResultChangeFact]] = defaultdict(list)
    # Of one day: revoked, then modified, then restored; nothing is restored that was not taken away before.
    order = {"revoked": 0, "modified": 1, "restored": 2}
    for change in sorted(changes, key=lambda change: (change.on, order[change.change], change.outcome or "")):
        about[name(change.code, change.taken_on)].append(change)
    after = []
    for fact in results:
        key = name(fact.code, fact.taken_on)
        after.append(_apply(fact, about.get(key, ())))
    there = {name(fact.code, fact.taken_on) for fact in after}
    for code, day in sorted(about.keys() - there):
        text = say("there is no result of {exam} on {day} to change", exam=code, day=spoken(day))
        found.append(Flag(flags.RESULT_UNKNOWN, f"{code} on {day}", text))
    return after


def _apply(fact: ExamFact, changes: Iterable[ResultChangeFact]) -> ExamFact:
    outcome, void = fact.outcome, False
    for change in changes:
        if change.change == "modified":
            outcome = change.outcome or outcome
        else:
            void = change.change == "revoked"
    if void:
        outcome = "invalidated"
    return fact if outcome == fact.outcome else replace(fact, outcome=outcome)


def _allowed(rule: RetakeRules, attempts: list[Dated], results: Results) -> list[Dated]:
    """Attempts that kept the rules of retakes; the others are flagged and count for nothing, not even as attempts."""
    allowed = []
    seen: dict[str, Attempts] = {}
    newest_fail: Attempts | None = None
    for attempt in attempts:
        day, code, result_id, fact = attempt
        history = seen.get(code)
        if history is None:
            history = seen[code] = Attempts()
        elif broken := history.broken(rule, day):
            results.flags += (Flag(_BROKEN[wait.rule], result_id, _told(attempt, wait)) for wait in broken)
            continue
        allowed.append(attempt)
        passed = fact.outcome == "pass"
        history.note(day, result_id, passed=passed)
        if not passed:
            newest_fail = history
    results.earliest_retake = _earliest(rule, newest_fail) if newest_fail else None
    return allowed


_BROKEN = {
    "after_fail": flags.RETAKE_WAIT,
    "after_pass": flags.RETAKE_AFTER_PASS,
    "limit": flags.RETAKE_LIMIT,
}


def _told(attempt: Dated, wait: Wait) -> str:
    exam, day = attempt[1], spoken(attempt[0])
    if wait.rule == "after_pass":
        last = spoken(wait.allowed_from - _ONE_DAY)
        return say(
            "{exam} was taken on {day}, within the wait after its pass, through {last}", exam=exam, day=day, last=last
        )
    if wait.rule == "limit":
        return say(
            "{exam} was taken on {day}, more often than it may be; free again from {free}",
            exam=exam,
            day=day,
            free=spoken(wait.allowed_from),
        )
    return say("{exam} was taken on {day}, free again from {free}", exam=exam, day=day, free=spoken(wait.allowed_from))


def _earliest(rule: RetakeRules, attempts: Attempts) -> date | None:
    """The day on which all waits after the last fail are over; None where it was passed since."""
    if attempts.failed is None:
        return None
    failed_on = attempts.failed.day
    return max((wait.allowed_from for wait in attempts.broken(rule, failed_on)), default=None)
