"""What became of hand-overs, whatever is known first."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.exams.scheduling.states import VISIT, HandOver, State, Word, settle, state_of, words

MADE = datetime(2026, 11, 20, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def hand_over(key: str = "H1", **changes: Any) -> HandOver:
    made_at = changes.get("made_at", MADE)
    fields: dict[str, Any] = {
        "hand_over_id": key,
        "vendor": "vue",
        "exam": "200-301",
        "registration_id": None,
        "made_at": made_at,
        "expires_at": made_at + 2 * MINUTE,
        "tolerance": MINUTE,
    }
    return HandOver(**(fields | changes))


def word(after: timedelta = 5 * MINUTE, **changes: Any) -> Word:
    fields: dict[str, Any] = {
        "vendor": "vue",
        "exam": "200-301",
        "registration_id": "G1",
        "change": "scheduled",
        "scheduled_at": MADE + timedelta(days=9),
        "said_at": MADE + after,
    }
    return Word(**(fields | changes))


@pytest.mark.parametrize(
    ("change", "state"),
    [("scheduled", State.BOOKED), ("rescheduled", State.CHANGED), ("cancelled", State.CANCELLED)],
)
def test_state_is_what_the_vendor_says_whatever_the_return_page_said(change: str, state: State) -> None:
    returned = hand_over(returned_at=MADE + MINUTE)
    (settled,) = settle([returned], [word(change=change)]).values()
    assert state_of(returned, settled, MADE + MINUTE) is state


@pytest.mark.parametrize(
    "other",
    [
        word(vendor="psi"),
        word(exam="350-401"),
        word(-2 * MINUTE),
        word(VISIT + MINUTE),
    ],
)
def test_words_on_something_else_or_at_another_time_change_nothing(other: Word) -> None:
    assert settle([hand_over()], [other]) == {}


def test_hand_over_for_one_appointment_is_not_settled_by_another() -> None:
    one = hand_over(registration_id="G1")
    assert settle([one], [word(registration_id="G2")]) == {}
    assert settle([one], [word(change="cancelled")])


def test_booking_belongs_to_the_last_way_taken_before_it() -> None:
    first, second, third = (hand_over(f"H{n}", made_at=MADE + n * 10 * MINUTE) for n in range(3))
    assert set(settle([first, second, third], [word(15 * MINUTE)])) == {"H1"}


def test_without_a_word_it_is_as_far_as_the_browser_came() -> None:
    now = MADE + MINUTE
    assert state_of(hand_over(), None, now) is State.MADE
    assert state_of(hand_over(), None, now + MINUTE) is State.EXPIRED
    gone = hand_over(gone_at=now)
    assert state_of(gone, None, now + VISIT) is State.GONE
    assert state_of(hand_over(gone_at=now, returned_at=now), None, now) is State.RETURNED


hand_overs = st.lists(
    st.builds(
        lambda n, exam, registration: (n, exam, registration),
        st.integers(0, 3000),
        st.sampled_from(["200-301", "350-401"]),
        st.sampled_from([None, "G1"]),
    ),
    max_size=6,
)
said = st.lists(
    st.builds(
        lambda after, exam, registration, change: word(
            after * MINUTE, exam=exam, registration_id=registration, change=change
        ),
        st.integers(-5, 3000),
        st.sampled_from(["200-301", "350-401"]),
        st.sampled_from(["G1", "G2"]),
        st.sampled_from(["scheduled", "rescheduled", "cancelled"]),
    ),
    max_size=8,
)


@given(hand_overs, said, st.randoms(use_true_random=False))
def test_order_does_not_matter_and_no_word_comes_of_two(made: list[Any], spoken: list[Word], dice: Random) -> None:
    all_made = [
        hand_over(f"H{key}", made_at=MADE + n * MINUTE, exam=exam, registration_id=registration)
        for key, (n, exam, registration) in enumerate(made)
    ]
    settled = settle(all_made, spoken)
    shuffled, mixed = list(all_made), list(spoken)
    dice.shuffle(shuffled)
    dice.shuffle(mixed)
    assert settle(shuffled, mixed) == settled
    for key, found in settled.items():
        one = next(each for each in all_made if each.hand_over_id == key)
        assert one.exam == found.exam
        assert one.made_at - one.tolerance <= found.said_at <= one.made_at + VISIT


def test_every_state_has_its_words() -> None:
    for state in State:
        assert "Pearson VUE" in words(state, "Pearson VUE")
