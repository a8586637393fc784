"""What a server's answers mean, and how long a mail is tried."""

from datetime import UTC, datetime, timedelta

import pytest

from services.notify.domain.addresses import wire_address
from services.notify.domain.delivery import (
    GIVE_UP_AFTER,
    Accepted,
    Deferred,
    Postponed,
    Refused,
    consequence,
    verdict_on,
)

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize("code", [421, 450, 451, 452, 354])
def test_passing_trouble_defers(code: int) -> None:
    assert verdict_on(code, "busy", NOON) == Deferred(NOON, str(code), too_fast=code in {421, 450, 451})


def test_full_mailbox_is_not_a_domain_that_wants_less() -> None:
    assert verdict_on(450, "4.2.2 full", NOON) == Deferred(NOON, "450 4.2.2")
    assert verdict_on(450, "4.7.28 slow down", NOON) == Deferred(NOON, "450 4.7.28", too_fast=True)


@pytest.mark.parametrize("code", [500, 550, 554])
def test_permanent_failure_refuses(code: int) -> None:
    assert verdict_on(code, "no", NOON) == Refused(NOON, str(code))


def test_reason_keeps_the_status_and_not_the_address() -> None:
    assert verdict_on(550, "5.1.1 <ada@example.com> unknown", NOON) == Refused(NOON, "550 5.1.1")


def test_pauses_grow_and_end() -> None:
    pauses, now = [], NOON
    deferred = Deferred(NOON, "451")
    for attempts in range(1, 1_000):
        outcome = consequence(deferred, attempts=attempts, created_at=NOON, now=now)
        if not isinstance(outcome, Postponed):
            assert outcome == Refused(NOON, "given up: 451")
            break
        pauses.append(outcome.due_at - now)
        now = outcome.due_at
    assert pauses == sorted(pauses)
    assert pauses[0] <= timedelta(seconds=10)
    assert GIVE_UP_AFTER <= now - NOON < GIVE_UP_AFTER + timedelta(hours=3)


@pytest.mark.parametrize("verdict", [Accepted(NOON), Refused(NOON, "550")])
def test_final_verdict_stands(verdict: Accepted | Refused) -> None:
    assert consequence(verdict, attempts=1, created_at=NOON, now=NOON + 2 * GIVE_UP_AFTER) == verdict


@pytest.mark.parametrize("address", ["ada@-bücher-.example", "ada@bü..example"])
def test_address_without_a_possible_domain_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="domain"):
        wire_address(address)
