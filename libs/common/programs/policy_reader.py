"""Reads the sections that state a program's policy, and refuses rules that could never hold."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import pairwise
from types import MappingProxyType

from libs.common.programs.errors import Path, dotted
from libs.common.programs.model import Certification, Exam
from libs.common.programs.policy import (
    Agreement,
    CourseItem,
    CourseRule,
    CourseRules,
    CreditItem,
    CreditRules,
    Designation,
    EmeritusRules,
    Extension,
    Fees,
    Ladder,
    LegacyValidity,
    Milestone,
    Policy,
    RetakeRules,
    Way,
)
from libs.common.programs.policy_shape import (
    AgreementShape,
    CoursesShape,
    CreditsShape,
    ExtensionShape,
    FeesShape,
    MilestoneShape,
    RetakeShape,
    WayShape,
    blocked,
)
from libs.common.programs.shape import CertificationShape, ProgramShape
from libs.common.programs.source import Source

_ONE_DAY = timedelta(days=1)


class RenewalReader:
    """Turns ways to renew, written in roles and codes, into sets of exam codes."""

    def __init__(self, head: ProgramShape | None, exams: Mapping[str, Exam], source: Source) -> None:
        self._head = head
        self._exams = exams
        self._source = source
        self._by_role: dict[str, set[str]] = {}
        for exam in exams.values():
            if exam.role is not None:
                self._by_role.setdefault(exam.role, set()).add(exam.code)
        self._read: set[str] = set()
        self._useful: set[str] = set()

    def ways(self, name: str, shape: CertificationShape, path: Path) -> tuple[Way, ...]:
        """The ways that renew a certification: its own, or those of its level, and those beside them."""
        head = self._head
        tracks = {shape.track.casefold(), *(track.casefold() for track in shape.also_tracks)}
        if shape.renewal is not None:
            written: list[tuple[Path, list[WayShape]]] = [((*path, "renewal"), shape.renewal)]
        else:
            written = [(("renewal", shape.level), head.renewal.get(shape.level, []) if head else [])]
        written.append(((*path, "also_renewed_by"), shape.also_renewed_by))
        found = []
        for place, ways in written:
            for position, way in enumerate(ways):
                made = self._way(way, (*place, position), tracks, own=place[0] == "certifications")
                if made is not None:
                    found.append(made)
                    self._check_credits(name, shape, way, (*place, position))
        return tuple(found)

    def check(self) -> None:
        """Reports levels without certifications, and ways that renew nothing."""
        if self._head is None:
            return
        for level, ways in self._head.renewal.items():
            if level not in self._head.levels:
                self._source.report(("renewal", level), f"unknown level {level!r}")
            for position in range(len(ways)):
                path: Path = ("renewal", level, position)
                if dotted(path) in self._read - self._useful and not self._source.faults:
                    self._source.report(path, "can never hold: no certification of the level has exams for it")

    def _way(self, way: WayShape, path: Path, tracks: set[str], *, own: bool) -> Way | None:
        if not way.exams and way.credits is None:
            self._source.report(path, "must name exams, credits or both")
            return None
        self._read.add(dotted(path))
        slots = tuple(
            frozenset(self._codes(slot, (*path, "exams", position), tracks if way.own_track else None))
            for position, slot in enumerate(way.exams)
        )
        if not _fillable(slots):
            if own or not way.own_track:
                self._source.report((*path, "exams"), "can never hold: there are not so many different exams")
            return None
        self._useful.add(dotted(path))
        return Way(slots, way.credits or 0, dotted(path))

    def _codes(self, slot: str | list[str], path: Path, tracks: set[str] | None) -> Iterator[str]:
        for name in [slot] if isinstance(slot, str) else slot:
            if name in self._exams:
                yield name
                continue
            if name not in self._by_role:
                self._source.report(path, f"{name!r} is neither an exam nor the role of one")
            for code in self._by_role.get(name, ()):
                track = self._exams[code].track
                if tracks is None or (track is not None and track.casefold() in tracks):
                    yield code

    def _check_credits(self, name: str, shape: CertificationShape, way: WayShape, path: Path) -> None:
        head = self._head
        if way.credits is None or head is None:
            return
        if head.credits is None:
            self._source.report((*path, "credits"), "can never hold: the program has no section 'credits'")
        elif head.ladder is None or shape.level not in head.ladder.levels or name in head.ladder.without:
            self._source.report((*path, "credits"), f"can never hold: {name!r} is not on the ladder")


def _fillable(slots: tuple[frozenset[str], ...]) -> bool:
    """Whether every slot can take a code of its own."""

    def fill(position: int, taken: frozenset[str]) -> bool:
        if position == len(slots):
            return True
        return any(fill(position + 1, taken | {code}) for code in slots[position] - taken)

    return fill(0, frozenset())


def read_policy(
    head: ProgramShape | None, exams: Mapping[str, Exam], certifications: Mapping[str, Certification], source: Source
) -> Policy:
    """The sections other than renewal; their faults are reported."""
    if head is None:
        return Policy()
    _check_levels(head, certifications, source)
    return Policy(
        ladder=Ladder(frozenset(head.ladder.levels), frozenset(head.ladder.without)) if head.ladder else None,
        credits=_credits(head.credits) if head.credits else None,
        courses=_courses(head, head.courses, certifications, source) if head.courses else None,
        retake=_retake(head.retake) if head.retake else None,
        emeritus=EmeritusRules(
            head.emeritus.level, head.emeritus.grant, head.emeritus.eligible_after, head.emeritus.lifetime_after
        )
        if head.emeritus
        else None,
        designations=tuple(
            Designation(one.name, one.level, one.after, one.reactivates == "track", f"designations[{position}]")
            for position, one in enumerate(head.designations)
        ),
        milestones=_milestones(head.milestones, source),
        legacy_validity=MappingProxyType(
            {
                name: LegacyValidity(name, one.active, one.inactive, one.until, f"legacy_validity.{name}")
                for name, one in head.legacy_validity.items()
            }
        ),
        extensions=tuple(_extensions(head.extensions, source)),
        agreement=_agreement(head.agreement) if head.agreement else None,
        fees=_fees(head.fees, exams, source) if head.fees else None,
    )


def _check_levels(head: ProgramShape, certifications: Mapping[str, Certification], source: Source) -> None:
    named: list[tuple[Path, str]] = []
    if head.ladder:
        named += [(("ladder", "levels", position), level) for position, level in enumerate(head.ladder.levels)]
        for position, name in enumerate(head.ladder.without):
            if name not in certifications:
                source.report(("ladder", "without", position), f"unknown certification {name!r}")
    if head.emeritus:
        named.append((("emeritus", "level"), head.emeritus.level))
    named += [(("designations", position, "level"), one.level) for position, one in enumerate(head.designations)]
    for path, level in named:
        if level not in head.levels:
            source.report(path, f"unknown level {level!r}")


def _agreement(shape: AgreementShape) -> Agreement:
    return Agreement(shape.version, shape.title, shape.text, shape.award == "required")


def _fees(shape: FeesShape, exams: Mapping[str, Exam], source: Source) -> Fees:
    roles = {exam.role for exam in exams.values()}
    for name in shape.exams:
        if name not in exams and name not in roles:
            source.report(("fees", "exams", name), f"{name!r} is neither an exam nor the role of one")
    found = {
        exam.code: shape.exams[name]
        for exam in exams.values()
        for name in (exam.role, exam.code)  # the later one stays: a code's own fee
        if name in shape.exams
    }
    return Fees(shape.currency, MappingProxyType(found))


def _credits(shape: CreditsShape) -> CreditRules:
    return CreditRules(
        claim_within_days=shape.claim_within,
        once_per_cycle=shape.item_counts == "once per cycle",
        may_be_held=shape.may_be_held,
        review_promise=shape.review_promise_business_days,
        items=MappingProxyType({code: CreditItem(code, one.title, one.credits) for code, one in shape.items.items()}),
    )


def _courses(
    head: ProgramShape, shape: CoursesShape, certifications: Mapping[str, Certification], source: Source
) -> CourseRules:
    rules = tuple(
        CourseRule(rule.name, f"courses.rules[{position}]", rule.starts_on, rule.until, rule.in_a_row)
        for position, rule in enumerate(shape.rules)
    )
    for position, rule in enumerate(rules):
        path: Path = ("courses", "rules", position)
        if rule.until < rule.starts_on:
            source.report(path, "ends before it begins")
    # On every day exactly one rule is in force, so that each course is judged by one.
    for position, (earlier, later) in enumerate(pairwise(rules), start=1):
        path = ("courses", "rules", position)
        if later.starts_on <= earlier.until:
            source.report(path, "overlaps the rule before it; rules stand in order of their dates")
        elif later.starts_on - earlier.until != _ONE_DAY:
            source.report(path, "leaves days without a rule after the one before it")
    if rules[0].starts_on != rules[0].starts_on.min:
        source.report(("courses", "rules", 0), "the first rule has no 'from': it is in force from the beginning")
    if rules[-1].until != rules[-1].until.max:
        source.report(("courses", "rules", len(rules) - 1), "the last rule has no 'until': it is the present one")
    items = _course_items(head, shape, certifications, source)
    return CourseRules(frozenset(shape.claimed), rules, shape.review_promise_business_days, items)


def _course_items(
    head: ProgramShape, shape: CoursesShape, certifications: Mapping[str, Certification], source: Source
) -> Mapping[str, CourseItem]:
    items = {code: CourseItem(code, one.title, one.level, one.track) for code, one in shape.items.items()}
    tracks = {track.casefold() for each in certifications.values() for track in (each.track, *each.also_tracks)}
    for code, item in items.items():
        if item.level not in head.levels:
            source.report(("courses", "items", code, "level"), f"unknown level {item.level!r}")
        if item.track.casefold() not in tracks:
            source.report(("courses", "items", code, "track"), f"no certification has the track {item.track!r}")
    return MappingProxyType(items)


def _retake(shape: RetakeShape) -> RetakeRules:
    after_fail = shape.after_fail
    return RetakeRules(
        after_fail.wait if after_fail else None,
        after_fail.from_fail if after_fail else 1,
        blocked(shape.after_pass),
        shape.limit,
    )


def _milestones(shapes: list[MilestoneShape], source: Source) -> tuple[Milestone, ...]:
    for position, shape in enumerate(shapes):
        earlier = shapes[:position]
        if any(shape.id == other.id for other in earlier):
            source.report(("milestones", position, "id"), f"{shape.id!r} is listed twice")
        if any(shape.years == other.years for other in earlier):
            source.report(("milestones", position, "years"), f"another milestone is reached after {shape.years} years")
    found = [Milestone(one.id, one.title, one.years, f"milestones[{at}]") for at, one in enumerate(shapes)]
    return tuple(sorted(found, key=lambda one: one.years))


def _extensions(shapes: list[ExtensionShape], source: Source) -> Iterator[Extension]:
    for position, shape in enumerate(shapes):
        window = None if shape.window is None else (shape.window[0], shape.window[1])
        if window is not None and window[1] < window[0]:
            source.report(("extensions", position, "window"), "ends before it begins")
        yield Extension(shape.on, shape.months, window, f"extensions[{position}]")
