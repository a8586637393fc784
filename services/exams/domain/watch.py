"""Which results are awaited, by the program's promise: a pure decision on what is known and what the time is.

    ahead → expected → late → overdue        by time alone
    arrived, cancelled, no_show              whenever it is known; then nothing is awaited

Late and overdue are told once each, to whom the appointment belongs. What was told and no longer holds is taken back:
the result has come, the appointment was moved, cancelled or missed, or turned out to be another's.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from libs.common.programs import Program
from services.exams.domain.appointments import State

EXPECTED_AGAIN = timedelta(hours=1)
"""How often an expected result is looked for: what has come in time is told to nobody, so nothing else notes it."""
DOUBT = timedelta(minutes=1)
"""A result recorded in the very transaction beside the one that finds it late sees no mark, and is not seen."""


class Stage(StrEnum):
    """Where an awaited result stands."""

    AHEAD = "ahead"
    EXPECTED = "expected"
    LATE = "late"
    OVERDUE = "overdue"
    ARRIVED = "arrived"
    CANCELLED = "cancelled"
    NO_SHOW = "no_show"


AWAITED = frozenset({Stage.EXPECTED, Stage.LATE, Stage.OVERDUE})
PAST_PROMISE = frozenset({Stage.LATE, Stage.OVERDUE})


class End(StrEnum):
    """Why a result that was told as late no longer is."""

    ARRIVED = "arrived"
    CANCELLED = "cancelled"
    NO_SHOW = "no_show"
    RESCHEDULED = "rescheduled"
    REASSIGNED = "reassigned"
    """The appointment turned out to be another candidate's."""


@dataclass(frozen=True, slots=True)
class Promise:
    """By when a result is due, in days of the program's calendar and moments at which they have ended.

    Attributes:
        counted_from: the day of the appointment, or the later one on which it was first heard of.
        due_on: the last day of the promise.
        overdue_on: the last day before it is overdue.
    """

    counted_from: date
    due_on: date
    overdue_on: date
    late_at: datetime
    overdue_at: datetime


def promise(program: Program, scheduled_at: datetime, heard_at: datetime) -> Promise:
    """The promise of an appointment. A vendor is not late with what it has only just told us of."""
    day = program.day_of(max(scheduled_at, heard_at))
    due_on = program.calendar.add(day, program.result_promise)
    return promised(program, day, due_on, program.calendar.add(day, program.result_overdue))


def promised(program: Program, counted_from: date, due_on: date, overdue_on: date) -> Promise:
    """A promise as it was made, whatever the program has come to promise since."""
    return Promise(counted_from, due_on, overdue_on, program.end_of(due_on), program.end_of(overdue_on))


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of an appointment.

    Attributes:
        scheduled_at: None while only a change of it has arrived.
        heard_at: when its first word reached us.
        candidate_id: whose it is; None while nobody's, and where nobody is to be told any more.
        arrived: whether the vendor has reported a result of it, whatever it says, to whom the appointment belongs.
    """

    state: State
    scheduled_at: datetime | None
    heard_at: datetime
    candidate_id: str | None
    arrived: bool


@dataclass(frozen=True, slots=True)
class Told:
    """What was told of a late result, and not taken back since.

    Attributes:
        stage: the last that was told; None where there is nothing to take back.
        to: to whom.
        times: how often being late has begun, so that each time is a matter of its own.
    """

    stage: Stage | None = None
    to: str | None = None
    times: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """What follows from a look.

    Attributes:
        stage: where the result stands.
        told: what has been told after it.
        takes_back: why something told before no longer holds, and to whom that is told; None where nothing is.
        tells: late and overdue, in this order, where they are told now; to `told.to`, as its `told.times`-th time.
        look_at: when to look next; None where time alone changes nothing any more.
    """

    stage: Stage
    told: Told
    takes_back: tuple[End, Told] | None
    tells: tuple[Stage, ...]
    look_at: datetime | None


def stage_of(known: Known, due: Promise | None, now: datetime) -> Stage:
    """Where a result stands at a moment; `due` is None where no day is known."""
    if known.arrived:
        return Stage.ARRIVED
    if known.state in {State.CANCELLED, State.NO_SHOW}:
        return Stage(known.state.value)
    if due is None or known.scheduled_at is None or now < known.scheduled_at:
        return Stage.AHEAD
    if now < due.late_at:
        return Stage.EXPECTED
    return Stage.LATE if now < due.overdue_at else Stage.OVERDUE


def look(known: Known, told: Told, due: Promise | None, now: datetime, *, was: Stage | None) -> Step:
    """What is to be told now, and when to look again; `was` is where the last look found it."""
    stage = stage_of(known, due, now)
    ended = _ended(stage, known, told)
    after = Told(times=told.times) if ended else told
    tells: list[Stage] = []
    if stage in PAST_PROMISE and known.candidate_id is not None:
        if after.stage is None:
            tells.append(Stage.LATE)
            after = Told(Stage.LATE, known.candidate_id, after.times + 1)
        if stage is Stage.OVERDUE and after.stage is Stage.LATE:
            tells.append(Stage.OVERDUE)
            after = replace(after, stage=Stage.OVERDUE)
    look_at = None if due is None else _look_at(stage, known, due, now, doubt=stage is not was)
    return Step(stage, after, (ended, told) if ended else None, tuple(tells), look_at)


def _ended(stage: Stage, known: Known, told: Told) -> End | None:
    if told.stage is None:
        return None
    if stage not in PAST_PROMISE:
        # A day that lies ahead again is the only way back to what can still come in time.
        return End.RESCHEDULED if stage in {Stage.AHEAD, Stage.EXPECTED} else End(stage.value)
    return End.REASSIGNED if told.to != known.candidate_id else None


def _look_at(stage: Stage, known: Known, due: Promise, now: datetime, *, doubt: bool) -> datetime | None:
    if stage is Stage.AHEAD:
        return known.scheduled_at
    if stage is Stage.EXPECTED:
        return min(due.late_at, now + EXPECTED_AGAIN)
    if stage not in PAST_PROMISE:
        return None
    after = due.overdue_at if stage is Stage.LATE else None
    if not doubt:
        return after
    return now + DOUBT if after is None else min(after, now + DOUBT)
