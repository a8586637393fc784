"""What is awaited follows from what is known and the time, whatever came first and however often anybody looked."""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.programs import load_programs
from services.exams.domain.appointments import Appointment, State, change, register
from services.exams.domain.watch import (
    AWAITED,
    PAST_PROMISE,
    End,
    Known,
    Promise,
    Stage,
    Step,
    Told,
    look,
    promise,
    stage_of,
)

CISCO = load_programs(Path(__file__).parents[3] / "deploy" / "programs")["cisco"]
HEARD = datetime(2026, 11, 1, 12, tzinfo=UTC)
BOOKED = datetime(2026, 11, 18, 17, tzinfo=UTC)
"""A Wednesday morning in California, eight days before Thanksgiving."""


def known(**changes: object) -> Known:
    return replace(Known(State.SCHEDULED, BOOKED, HEARD, "C1", arrived=False), **changes)  # type: ignore[arg-type]


def promised(of: Known) -> Promise | None:
    return promise(CISCO, of.scheduled_at, of.heard_at) if of.scheduled_at else None


def test_promise_is_counted_in_the_programs_days_and_ends_with_its_day() -> None:
    found = promise(CISCO, BOOKED, HEARD)
    assert (found.counted_from, found.due_on, found.overdue_on) == (
        date(2026, 11, 18),
        date(2026, 11, 25),
        date(2026, 12, 3),  # Thanksgiving lies between
    )
    assert found.late_at == datetime(2026, 11, 26, 8, tzinfo=UTC), "midnight in California"


def test_day_is_the_programs_not_that_of_greenwich() -> None:
    late_on_tuesday_in_california = datetime(2026, 11, 18, 7, tzinfo=UTC)
    assert promise(CISCO, late_on_tuesday_in_california, HEARD).counted_from == date(2026, 11, 17)


def test_vendor_is_not_late_with_what_it_has_only_just_told() -> None:
    heard = BOOKED + timedelta(days=700)
    assert promise(CISCO, BOOKED, heard).counted_from == CISCO.day_of(heard)


@pytest.mark.parametrize(
    ("at", "stage"),
    [
        ("2026-11-18T16:59:59Z", Stage.AHEAD),
        ("2026-11-18T17:00:00Z", Stage.EXPECTED),
        ("2026-11-26T07:59:59Z", Stage.EXPECTED),
        ("2026-11-26T08:00:00Z", Stage.LATE),
        ("2026-12-04T07:59:59Z", Stage.LATE),
        ("2026-12-04T08:00:00Z", Stage.OVERDUE),
    ],
)
def test_stages_follow_one_another_by_time_alone(at: str, stage: Stage) -> None:
    now, seen = datetime.fromisoformat(at), known()
    assert stage_of(seen, promised(seen), now) is stage
    for settled, end in (
        ({"arrived": True}, Stage.ARRIVED),
        ({"state": State.CANCELLED}, Stage.CANCELLED),
        ({"state": State.NO_SHOW}, Stage.NO_SHOW),
    ):
        assert stage_of(known(**settled), promised(seen), now) is end


def test_result_of_an_appointment_said_to_be_missed_has_come_all_the_same() -> None:
    assert stage_of(known(state=State.NO_SHOW, arrived=True), None, BOOKED) is Stage.ARRIVED


@dataclass
class Watcher:
    """What a service keeps of one appointment, and everything that was told of it."""

    known: Known
    told: Told = field(default_factory=Told)
    was: Stage | None = None
    look_at: datetime | None = BOOKED
    said: list[tuple[str, str | None, int]] = field(default_factory=list)

    def look(self, now: datetime) -> Step:
        step = look(self.known, self.told, promised(self.known), now, was=self.was)
        if step.takes_back:
            end, before = step.takes_back
            self.said.append((end, before.to, before.times))
        self.said += [(stage, step.told.to, step.told.times) for stage in step.tells]
        self.told, self.was, self.look_at = step.told, step.stage, step.look_at
        return step

    def run(self, until: datetime) -> None:
        """Look whenever it was said to be time to, as the job does."""
        for _ in range(2_000):
            if self.look_at is None or self.look_at > until:
                return
            self.look(self.look_at)
        raise AssertionError("it never comes to rest")


hours = st.integers(-400, 1_500)
words = st.lists(
    st.one_of(
        st.tuples(st.just("said"), st.sampled_from(["rescheduled", "cancelled", "no_show"]), hours, st.integers(0, 99)),
        st.tuples(st.just("result")),
        st.tuples(st.just("owner"), st.sampled_from(["C1", "C2", None])),
    ),
    max_size=6,
)
Word = tuple[object, ...]


def apply(appointment: Appointment, seen: Known, word: Word) -> tuple[Appointment, Known]:
    match word:
        case ("said", str() as what, int() as moves, int() as said):
            day = BOOKED + timedelta(hours=moves) if what == "rescheduled" else None
            appointment = change(appointment, State(what), day, HEARD + timedelta(hours=said))
            seen = replace(seen, state=appointment.state, scheduled_at=appointment.scheduled_at)
        case ("result",):
            seen = replace(seen, arrived=True)
        case ("owner", owner):
            seen = replace(seen, candidate_id=owner)  # type: ignore[arg-type]
    return appointment, seen


def booked() -> tuple[Appointment, Known]:
    return register(None, BOOKED, HEARD), known()


@given(words=words, times=st.lists(hours, min_size=6, max_size=6), end=st.integers(0, 3_000))
def test_whatever_happened_when_the_end_is_that_of_the_same_words_at_once(
    words: list[Word], times: list[int], end: int
) -> None:
    """Looked at on the way or not; and of one time that it was late each thing is told once, in order."""
    last = BOOKED + timedelta(hours=1_500 + end)
    appointment, seen = booked()
    watcher = Watcher(seen)
    for word, hour in zip(words, sorted(times), strict=False):
        now = BOOKED + timedelta(hours=hour)
        watcher.run(now)
        appointment, watcher.known = apply(appointment, watcher.known, word)
        watcher.look(now)
    watcher.run(last)

    appointment, seen = booked()
    for word in words:
        appointment, seen = apply(appointment, seen, word)
    assert watcher.known == seen
    at_once = Watcher(seen)
    at_once.look(last)
    assert (watcher.was, watcher.told.stage, watcher.told.to) == (at_once.was, at_once.told.stage, at_once.told.to)
    check_said(watcher)


def check_said(watcher: Watcher) -> None:
    """Of each time: late, perhaps overdue, and one end, but for the last; all to one person."""
    by_time: dict[int, list[tuple[str, str | None]]] = {}
    for what, to, times in watcher.said:
        by_time.setdefault(times, []).append((what, to))
    assert list(by_time) == list(range(1, len(by_time) + 1))
    for times, said in by_time.items():
        assert len({to for _, to in said}) == 1
        told = [what for what, _ in said]
        if times < len(by_time) or watcher.told.stage is None:
            assert told.pop() in set(End)
        assert told in (["late"], ["late", "overdue"])


settled = st.builds(
    known,
    state=st.sampled_from(State),
    scheduled_at=st.one_of(st.none(), hours.map(lambda hour: BOOKED + timedelta(hours=hour))),
    candidate_id=st.sampled_from(["C1", "C2", None]),
    arrived=st.booleans(),
)
told_before = st.one_of(
    st.builds(Told, st.just(None), st.just(None), st.integers(0, 3)),
    st.builds(Told, st.sampled_from([Stage.LATE, Stage.OVERDUE]), st.sampled_from(["C1", "C2"]), st.integers(1, 3)),
)


@given(seen=settled, told=told_before, hour=hours, was=st.one_of(st.none(), st.sampled_from(Stage)))
def test_second_look_tells_nothing_and_every_look_lies_ahead(
    seen: Known, told: Told, hour: int, was: Stage | None
) -> None:
    now = BOOKED + timedelta(hours=hour)
    first = look(seen, told, promised(seen), now, was=was)
    again = look(seen, first.told, promised(seen), now, was=first.stage)
    assert (again.tells, again.takes_back, again.told, again.stage) == ((), None, first.told, first.stage)
    for step in (first, again):
        assert step.look_at is None or step.look_at > now
        assert step.look_at is not None or step.stage not in AWAITED - {Stage.OVERDUE}
    if first.stage in PAST_PROMISE and first.stage is not was:
        assert first.look_at is not None, "what was recorded at the same moment is looked for once more"


def test_result_that_comes_after_a_year_ends_what_was_told() -> None:
    watcher = Watcher(known())
    watcher.run(BOOKED + timedelta(days=365))
    watcher.known = known(arrived=True)
    watcher.look(BOOKED + timedelta(days=365))
    assert watcher.said == [("late", "C1", 1), ("overdue", "C1", 1), ("arrived", "C1", 1)]
