"""What a bounce says of an address."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.domain.bounces import (
    SOFT_WINDOW,
    Severity,
    days_with,
    severity,
    severity_of_refusal,
    status_in,
    words_for,
)
from services.notify.feedback.suppressions import Place


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        *((status, Severity.HARD) for status in ("5.1.1", "5.1.2", "5.1.10", "5.2.1", "5.0.0", None)),
        *((status, Severity.SOFT) for status in ("4.1.1", "4.2.1", "5.2.2", "4.2.2", "5.4.1", "4.4.7", "4.0.0")),
        *((status, Severity.NONE) for status in ("5.1.8", "5.2.3", "5.3.4", "5.5.2", "5.6.1", "5.7.1", "4.7.0")),
    ],
)
def test_only_what_is_said_of_the_mailbox_counts_against_it(status: str | None, expected: Severity) -> None:
    assert severity(status) is expected


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("550 5.1.1", Severity.HARD),
        ("550", Severity.SOFT),  # as a server answers every mail that is set up wrongly
        ("550 5.0.0", Severity.SOFT),
        ("554", Severity.NONE),
        ("550 5.7.1", Severity.NONE),
        ("given up: 452 4.2.2", Severity.SOFT),
        ("given up: connection lost: TimeoutError", Severity.NONE),
        ("could not be written: ValueError", Severity.NONE),
    ],
)
def test_refusals_of_our_own_server_are_weighed_with_care(reason: str, expected: Severity) -> None:
    assert severity_of_refusal(reason) is expected


def test_status_that_says_most_is_taken() -> None:
    assert status_in("5.0.0", "smtp; 550 5.1.1 <x@192.0.2.1> gone") == "5.1.1"
    assert status_in("5.0.0 (permanent)", "x-unix; gone") == "5.0.0"
    assert status_in("10.5.1.1", "5.1.1.2", "6.1.1") is None


@given(st.lists(st.dates(date(2026, 1, 1), date(2026, 12, 1)), max_size=30))
def test_days_count_once_and_for_a_month(when: list[date]) -> None:
    days: list[str] = []
    for day in sorted(when):
        days = days_with(days, day)
        assert days == sorted({d.isoformat() for d in when if day - SOFT_WINDOW < d <= day})
    assert days_with(days, date(2027, 6, 1)) == ["2027-06-01"]


@given(st.from_regex(r"[245]\.[0-9]{1,2}\.[0-9]{1,2}", fullmatch=True) | st.none())
def test_every_status_has_a_sentence(status: str | None) -> None:
    assert words_for("bounced", status).endswith(".")
    assert severity(status) in Severity


def test_case_of_an_address_does_not_part_places() -> None:
    assert Place("C1", "Ada@Example.com").key == Place("C1", "ada@example.com").key
    assert Place("C1", "ada@example.com").key != Place("C2", "ada@example.com").key
