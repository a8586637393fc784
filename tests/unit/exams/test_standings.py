"""Where authorizations stand: each step, and steps in any order that can happen."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.exams.outgoing.standings import (
    NotNow,
    Standing,
    State,
    Type,
    again,
    answered,
    changed,
    claimed,
    expired,
    withdrawn,
)

SENT = claimed(Standing())


def accept(now: Standing, kind: Type, number: int | None = None, text: str | None = None) -> Standing:
    return answered(now, number or now.sent, kind, accepted=True, text=text)


def refuse(now: Standing, kind: Type, number: int | None = None) -> Standing:
    return answered(now, number or now.sent, kind, accepted=False, text="no")


def test_accepted_may_carry_a_warning() -> None:
    now = accept(SENT, Type.ADD, text="mind the gap")
    assert (now.state, now.text, now.todo) == (State.ACCEPTED, "mind the gap", None)


def test_change_before_it_is_sent_is_still_an_addition_and_after_it_an_update() -> None:
    assert changed(Standing()).todo is Type.ADD
    assert changed(SENT).todo is Type.UPDATE
    assert changed(accept(SENT, Type.ADD)).todo is Type.UPDATE


def test_refused_addition_is_added_again_though_changed_meanwhile() -> None:
    assert again(refuse(SENT, Type.ADD)).todo is Type.ADD
    assert changed(refuse(SENT, Type.ADD)).todo is Type.ADD
    assert refuse(changed(SENT), Type.ADD).todo is Type.ADD


def test_withdrawal_is_told_to_whom_it_concerns() -> None:
    assert withdrawn(Standing()).todo is None
    assert withdrawn(SENT).todo is Type.DELETE
    assert withdrawn(refuse(SENT, Type.ADD)).todo is None
    assert refuse(withdrawn(SENT), Type.ADD).todo is None


def test_refused_withdrawal_can_be_sent_again() -> None:
    deleting = claimed(withdrawn(SENT))
    with pytest.raises(NotNow):
        again(deleting)
    stuck = refuse(deleting, Type.DELETE)
    assert (stuck.state, stuck.text) == (State.WITHDRAWN, "no")
    assert again(stuck).todo is Type.DELETE
    with pytest.raises(NotNow):
        again(accept(deleting, Type.DELETE))


def test_late_answer_to_an_older_line_undoes_nothing() -> None:
    twice = claimed(changed(SENT))
    now = refuse(accept(twice, Type.UPDATE, 2), Type.ADD, 1)
    assert (now.state, now.known) == (State.ACCEPTED, True)


def test_what_is_over_is_changed_no_more() -> None:
    for over in (withdrawn(SENT), expired(SENT)):
        for step in (changed, expired):
            with pytest.raises(NotNow):
                step(over)


@settings(max_examples=300)
@given(st.lists(st.sampled_from(["change", "withdraw", "again", "claim", "accept", "refuse", "expire"]), max_size=30))
def test_vendor_in_step_with_us_ends_with_what_we_say(steps: list[str]) -> None:
    """A vendor that answers each line before the next is made, and refuses what makes no sense."""
    now, theirs = Standing(), False
    for step in steps:
        try:
            if step in ("accept", "refuse", "claim"):
                kind = now.todo
                now = claimed(now)
                assert kind is not None
                sound = kind is Type.ADD or theirs
                taken = step != "refuse" and sound
                if taken:
                    theirs = kind is not Type.DELETE
                now = answered(now, now.sent, kind, accepted=taken, text=None)
            else:
                now = {"change": changed, "withdraw": withdrawn, "again": again, "expire": expired}[step](now)
        except NotNow:
            continue
        assert now.known == theirs
        assert (now.todo is not Type.ADD) or not theirs, "what they have is never added again"
        assert now.todo not in (Type.UPDATE, Type.DELETE) or theirs, "what they do not have is never changed"
