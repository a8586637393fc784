"""From facts to certifications: a pure function, the same for the same facts in any order, number or batch.

The facts known at `as_of` are replayed in the order of the days they took effect. So a late, revised, voided
or restored result changes the past, and with it everything that rests on it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from libs.common.programs import Program, add_years
from services.certs.domain.facts import ExamFact, Fact
from services.certs.domain.rules import CertificationRule, Met, Prerequisite, ProgramRules, rules_of
from services.certs.domain.standing import (
    CertificationStanding,
    Holding,
    Reason,
    Standing,
    Step,
    StepKind,
    spoken,
)

_ONE_DAY = timedelta(days=1)
"""A place of delivery can be a calendar day ahead of the program's time zone."""

_Dated = tuple[date, str, str, ExamFact]
"""A pass in replay order: day, exam code, result id, the fact."""


def evaluate(policy: Program, facts: Iterable[Fact], as_of: date | datetime) -> Standing:
    """What the facts known at `as_of` give under the policy.

    A date stands for its whole day in the program's time zone. Results of exams the program does not have
    and results dated after an exam's last day have no effect.

    Raises:
        ValueError: where `as_of` is a moment without an offset from UTC.
    """
    rules = rules_of(policy)
    day, known_until = _moment(as_of, rules.zone)
    passes, resumes_on = _passes(rules, facts, day, known_until)
    replay = _Replay(rules)
    for exam_day, group in groupby(passes, key=_day_of):
        replay.play(exam_day, list(group))
    certifications = {name: track.standing(day) for name, track in sorted(replay.tracks.items())}
    return Standing(rules.program, rules.version, day, certifications, resumes_on)


def _day_of(dated: _Dated) -> date:
    return dated[0]


def _moment(as_of: date | datetime, zone: ZoneInfo) -> tuple[date, datetime]:
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


def _passes(
    rules: ProgramRules, facts: Iterable[Fact], day: date, known_until: datetime
) -> tuple[list[_Dated], date | None]:
    """The passes that count, in replay order; and the day on which the next one dated ahead begins to."""
    ahead = _later(day, _ONE_DAY)
    passes: list[_Dated] = []
    resumes_on: date | None = None
    for fact in _latest(facts, known_until):
        exam = rules.exams.get(fact.code)
        if fact.outcome != "pass" or exam is None:
            continue
        if exam.last_day is not None and fact.taken_on > exam.last_day:
            continue
        if fact.taken_on > ahead:
            begins = fact.taken_on - _ONE_DAY
            resumes_on = begins if resumes_on is None else min(resumes_on, begins)
            continue
        passes.append((fact.taken_on, exam.code, fact.result_id, fact))
    passes.sort()
    return passes, resumes_on


def _later(day: date, step: timedelta) -> date:
    return date.max if day > date.max - step else day + step


def _latest(facts: Iterable[Fact], known_until: datetime) -> Iterable[ExamFact]:
    """Of each result the highest revision known."""
    latest: dict[str, ExamFact] = {}
    for fact in facts:
        if fact.known_at > known_until:
            continue
        known = latest.get(fact.result_id)
        if known is None or _replaces(fact, known):
            latest[fact.result_id] = fact
    return latest.values()


def _replaces(fact: ExamFact, known: ExamFact) -> bool:
    if fact.revision != known.revision:
        return fact.revision > known.revision
    # The same revision is the same fact, known since its first report. Should a publisher break that
    # rule, the rest of the comparison keeps the answer independent of the order of arrival.
    return _content(fact) < _content(known)


def _content(fact: ExamFact) -> tuple[datetime, date, str, str]:
    return fact.known_at, fact.taken_on, fact.code, fact.outcome


@dataclass(slots=True)
class _Track:
    """One certification during the replay."""

    rule: CertificationRule
    earned_on: date
    floor: date
    """Day of the last award or renewal: what is not newer is used up."""
    expires_on: date | None
    steps: list[Step]
    past: list[Holding] = field(default_factory=list)

    def active(self, day: date) -> bool:
        return self.expires_on is None or day <= self.expires_on

    def standing(self, day: date) -> CertificationStanding:
        certification = self.rule.certification
        return CertificationStanding(
            certification=certification.id,
            title=certification.title,
            status="active" if self.active(day) else "expired",
            holdings=(*self.past, Holding(tuple(self.steps))),
        )


class _Replay:
    """Walks through the days on which something was passed; the `Look` of the requirements."""

    def __init__(self, rules: ProgramRules) -> None:
        self.tracks: dict[str, _Track] = {}
        self.passes: dict[str, ExamFact] = {}
        self.day = date.min
        self.floor = date.min
        self.renewing = False
        self._rules = rules

    def held(self, certification: str) -> tuple[date, date] | None:
        track = self.tracks.get(certification)
        if track is None or not track.active(self.day):
            return None
        return track.earned_on, track.floor

    def play(self, day: date, passes: list[_Dated]) -> None:
        """Adds a day's passes and tries every certification they can touch, prerequisites first."""
        self.day = day
        touched: set[int] = set()
        for _, code, _, fact in passes:
            self.passes[code] = fact
            touched.update(self._rules.touched.get(code, ()))
        for position in sorted(touched):
            self._attempt(self._rules.ordered[position])

    def _attempt(self, rule: CertificationRule) -> None:
        track = self.tracks.get(rule.certification.id)
        self.floor = date.min if track is None else track.floor
        self.renewing = track is not None and track.active(self.day)
        met = rule.part.meet(self)
        if met is None or met.newest <= self.floor:
            return
        if track is not None and self.renewing:
            self._renew(track, met)
        else:
            self._award(rule, track, met)

    def _award(self, rule: CertificationRule, track: _Track | None, met: Met) -> None:
        years = rule.certification.validity_years_of(self.day)
        expires_on = None if years is None else add_years(self.day, years)
        step = self._step("awarded", rule, met, years, expires_on)
        past = [] if track is None else [*track.past, Holding(tuple(track.steps))]
        self.tracks[rule.certification.id] = _Track(rule, self.day, self.day, expires_on, [step], past)

    def _renew(self, track: _Track, met: Met) -> None:
        years = track.rule.certification.validity_years_of(track.earned_on)
        if track.expires_on is not None:  # what never expires stays so
            renewed_until = None if years is None else add_years(self.day, years)
            track.expires_on = None if renewed_until is None else max(track.expires_on, renewed_until)
        track.floor = self.day
        track.steps.append(self._step("renewed", track.rule, met, years, track.expires_on))

    def _step(
        self, kind: StepKind, rule: CertificationRule, met: Met, years: int | None, expires_on: date | None
    ) -> Step:
        reasons = [self._reason(item, rule) for item in met.evidence]
        text = "never expires"
        if expires_on is not None:
            length = "1 year" if years == 1 else f"{years} years"
            text = f"{length} from {spoken(self.day)}: active through {spoken(expires_on)}"
        reasons.append(Reason(reasons[-1].fact, rule.validity_clause, text))
        return Step(kind, self.day, expires_on, tuple(reasons))

    def _reason(self, item: ExamFact | Prerequisite, rule: CertificationRule) -> Reason:
        if isinstance(item, Prerequisite):
            text = f"{item.certification} held since {spoken(item.earned_on)}"
            return Reason(item.certification, rule.requires_clause, text)
        code = self._rules.exams[item.code].code
        return Reason(item.result_id, rule.requires_clause, f"{code} passed on {spoken(item.taken_on)}")
