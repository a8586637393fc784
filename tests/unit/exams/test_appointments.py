"""The state of an appointment, whatever order its messages arrive in."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.exams.domain.appointments import Appointment, State, change, register

BOOKED_AT = datetime(2026, 11, 1, 9, tzinfo=UTC)
FIRST_DAY = datetime(2026, 11, 20, 10, tzinfo=UTC)
SECOND_DAY = datetime(2026, 11, 27, 10, tzinfo=UTC)

Message = tuple[str, State, datetime | None, datetime]
BOOKED: Message = ("booked", State.SCHEDULED, FIRST_DAY, BOOKED_AT)
MOVED: Message = ("changed", State.RESCHEDULED, SECOND_DAY, BOOKED_AT + timedelta(days=1))
CANCELLED: Message = ("changed", State.CANCELLED, None, BOOKED_AT + timedelta(days=2))
LATE_BOOKED: Message = ("booked", State.SCHEDULED, FIRST_DAY, BOOKED_AT + timedelta(days=9))
"""A registration told anew, after its changes were."""
MISSED: Message = ("changed", State.NO_SHOW, None, BOOKED_AT + timedelta(days=30))


def play(*messages: Message) -> Appointment:
    known: Appointment | None = None
    for kind, state, scheduled_at, said_at in messages:
        if kind == "booked":
            assert scheduled_at is not None
            known = register(known, scheduled_at, said_at)
        else:
            known = change(known, state, scheduled_at, said_at)
    assert known is not None
    return known


@pytest.mark.parametrize(
    ("messages", "state"),
    [
        ((LATE_BOOKED, MOVED, CANCELLED), State.CANCELLED),
        ((BOOKED,), State.SCHEDULED),
        ((BOOKED, MOVED), State.RESCHEDULED),
        ((BOOKED, CANCELLED), State.CANCELLED),
        ((BOOKED, MOVED, CANCELLED), State.CANCELLED),
        ((BOOKED, MOVED, MISSED), State.NO_SHOW),
    ],
)
def test_every_order_ends_in_the_state_said_last(messages: tuple[Message, ...], state: State) -> None:
    assert {play(*order).state for order in permutations(messages)} == {state}


@pytest.mark.parametrize("messages", [(BOOKED, MOVED), (BOOKED, CANCELLED), (BOOKED, MISSED), (BOOKED, MOVED, MISSED)])
def test_every_order_ends_on_the_same_day(messages: tuple[Message, ...]) -> None:
    assert len({play(*order).scheduled_at for order in permutations(messages)}) == 1


moments = st.integers(0, 3).map(lambda days: BOOKED_AT + timedelta(days=days))
changes = st.tuples(
    st.just("changed"),
    st.sampled_from([State.RESCHEDULED, State.CANCELLED, State.NO_SHOW]),
    st.none() | st.sampled_from([FIRST_DAY, SECOND_DAY, SECOND_DAY + timedelta(days=7)]),
    moments,
)


@given(st.lists(changes, max_size=5), moments, st.randoms(use_true_random=False))
def test_any_order_and_repetition_ends_in_the_same_appointment(
    several: list[Message], booked_at: datetime, dice: Random
) -> None:
    messages: list[Message] = [("booked", State.SCHEDULED, FIRST_DAY, booked_at), *several]
    mixed = [*messages, *dice.sample(several, len(several) // 2)]
    dice.shuffle(mixed)
    one, other = play(*messages), play(*mixed)
    assert (one.state, one.scheduled_at) == (other.state, other.scheduled_at)


@pytest.mark.parametrize("messages", [(BOOKED, MOVED), (MOVED, BOOKED), (BOOKED, CANCELLED, MOVED)])
def test_repetition_changes_nothing(messages: tuple[Message, ...]) -> None:
    assert play(*messages, *messages) == play(*messages)


def test_change_before_its_registration_waits_for_the_day() -> None:
    early = play(CANCELLED)
    assert (early.state, early.scheduled_at) == (State.CANCELLED, None)
    assert play(CANCELLED, BOOKED).scheduled_at == FIRST_DAY
