"""The words of one certification: its chain of reasons, what is to be used, what was seen on a day."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.portal.backend.shapes import Certification, Holding, Line
from services.portal.certifications.board import board_of, suspensions
from services.portal.certifications.pages import day_asked
from services.portal.certifications.reminders import reminder_days, reminder_row
from services.portal.certifications.shapes import (
    Asked,
    Availability,
    Fact,
    Reasons,
    Reminder,
    Renewal,
    Rule,
    Seen,
    SeenStanding,
    Way,
)
from services.portal.certifications.why import AT_ONCE, MOST, why_of
from services.portal.certifications.words import items_of, learned_later, seen_sentence, ways_of
from services.portal.timeline.scale import scale_of

TODAY = date(2026, 11, 22)
FROM, TO = date(2024, 3, 14), date(2027, 3, 14)


def certification(status: str = "active", last: date | None = TO, name: str = "CCNP") -> Certification:
    return Certification(
        certification=name,
        title=name,
        status=status,
        earned_on=FROM,
        expires_on=last,
        text="",
        because=[],
        holdings=[Holding(earned_on=FROM, expires_on=last)],
    )


def fact(on: date, **changes: Any) -> Fact:
    known = datetime(on.year, on.month, on.day, 16, 41, tzinfo=UTC)
    fields: dict[str, Any] = {"fact": "R", "kind": "exam", "text": "350-401 passed", "corrected_at": None}
    return Fact(**{**fields, "on": on, "known_at": known, **changes})


def reasons(*facts: Fact, rules: int = 2) -> Reasons:
    clauses = [Rule(clause=f"rule.{number}", text=None, wording="three years") for number in range(rules)]
    return Reasons(policy_version=4, text="", facts=list(facts), rules=clauses)


def line(kind: str, on: date, *, known: date | None = None, withdrawn: date | None = None) -> Line:
    known = known or on
    return Line(
        on=on,
        certification="CCNP",
        kind=kind,
        expires_on=TO,
        known_at=datetime(known.year, known.month, known.day, tzinfo=UTC),
        withdrawn_at=datetime(withdrawn.year, withdrawn.month, withdrawn.day, tzinfo=UTC) if withdrawn else None,
        text="350-401 passed",
    )


@given(st.lists(st.dates(date(2000, 1, 1), TODAY), max_size=30), st.integers(0, 12))
def test_the_chain_has_facts_by_their_days_then_rules_and_at_most_nine_entries(days: list[date], rules: int) -> None:
    why = why_of(certification(), reasons(*[fact(day) for day in days], rules=rules), [])
    assert len(why.facts) + len(why.rules) + 1 <= MOST
    assert len(why.earlier) + len(why.facts) == len(days), "none is lost"
    moments = [entry.source for entry in (*why.earlier, *why.facts)]
    assert moments == [
        entry.source for day in sorted(days) for entry in why_of(certification(), reasons(fact(day)), []).facts
    ]


def test_the_chain_strikes_what_no_longer_counts_and_says_what_was_corrected() -> None:
    corrected = fact(date(2024, 3, 14), corrected_at=datetime(2024, 5, 1, tzinfo=UTC))
    struck = line("renewed", date(2025, 1, 1), withdrawn=date(2025, 2, 1))
    why = why_of(certification(), reasons(corrected), [struck, line("awarded", FROM)])
    first, second = why.facts
    assert (first.struck, second.struck) == (False, True)
    assert first.source.replace("\xa0", " ") == "Fact · told by the test vendor · known since 14 March 2024, 16:41"
    assert first.corrected.replace("\xa0", " ") == "Corrected on 1 May 2024: the vendor told it again."
    assert second.source.replace("\xa0", " ") == "No longer counts: it was withdrawn on 1 February 2025"
    derived = why_of(certification(), reasons(fact(FROM, kind="derived", known_at=None)), []).facts[0]
    assert derived.source == "Fact · follows from your other certifications or from the dates"


def test_a_rule_is_said_in_words_with_its_parts_and_the_program_s_own_text_apart() -> None:
    exams = [Asked(kind="exam", text=f"pass {code}", items=[]) for code in "ABCDE"]
    choice = Asked(kind="any", text="one of these", items=exams)
    asks = Asked(kind="all", text="all of these", items=[exams[0], choice])
    earned = Rule(clause="P.requires", text=None, says="To earn it: …", lead="Do:", asks=asks, wording="all: [A]")
    lasts = Rule(clause="validity", text="3 years from then", says="It lasts 3 years.", wording="3 years")
    one = Rule(clause="Q.requires", text=None, says="To earn it: pass A.", asks=exams[0], wording="A")
    older = Rule(clause="ladder", text=None, wording="{levels: [a]}")
    why = why_of(certification(), Reasons(policy_version=4, text="", facts=[], rules=[earned, lasts, one, older]), [])
    assert [rule.text for rule in why.rules] == [
        "Do:",
        "3 years from then",
        "To earn it: pass A.",
        "A rule of the program; its own text is below.",
    ]
    assert [rule.more for rule in why.rules] == ["", "It lasts 3 years.", "", ""]
    first, second = why.rules[0].asks.items if why.rules[0].asks else ()
    assert (first.text, first.items) == ("Pass A", ())
    assert (second.text, second.folded, len(second.items)) == ("One of these", True, 5)
    assert not any(rule.asks for rule in why.rules[1:])
    assert why.written == tuple((rule.clause, rule.wording) for rule in (earned, lasts, one, older))


@pytest.mark.parametrize("count", [2, AT_ONCE, AT_ONCE + 1, 40])
def test_many_alternatives_are_folded_and_what_is_all_asked_for_is_not(count: int) -> None:
    exams = [Asked(kind="exam", text=f"pass {number}", items=[]) for number in range(count)]
    for kind, folds in (("any", True), ("n_of", True), ("all", False)):
        rule = Rule(clause="r", text=None, says="S", lead="L", asks=Asked(kind=kind, text="T", items=exams), wording="")
        (entry,) = why_of(certification(), Reasons(policy_version=4, text="", facts=[], rules=[rule]), []).rules
        assert entry.asks is not None
        assert entry.asks.folded == (folds and count > AT_ONCE)


@pytest.mark.parametrize(
    ("status", "last", "conclusion"),
    [
        ("active", TO, "So it is active from 14 March 2024 to 14 March 2027"),
        ("active", None, "So it is active from 14 March 2024, and never expires"),
        ("expired", date(2026, 1, 1), "So it was active until 1 January 2026"),
        ("revoked", date(2026, 1, 1), "So it is revoked"),
        ("suspended", TO, "So it is suspended; its dates run on"),
        ("pending_agreement", TO, "So it is earned, and waits for the agreement"),
    ],
)
def test_the_conclusion_says_the_date_of_the_heading(status: str, last: date | None, conclusion: str) -> None:
    why = why_of(certification(status, last), reasons(), [])
    assert why.conclusion.replace("\xa0", " ") == conclusion


@pytest.mark.parametrize("status", ["expired", "revoked", "suspended", "pending_agreement", "inactive"])
def test_what_is_not_active_shows_every_item_with_the_reason_in_place_of_the_link(status: str) -> None:
    items = items_of(certification(status, date(2026, 1, 1)), TODAY, Availability(available=True), None)
    assert len(items) == 4
    assert all(item.link is None and item.refusal.startswith("Not available") for item in items)


def test_what_is_active_has_links_and_what_does_not_answer_says_so() -> None:
    certificate, logo, badge, share = items_of(certification(), TODAY, Availability(available=True), None)
    assert certificate.link == "/share/certifications/CCNP/certificate.pdf"
    assert (logo.link, bool(logo.refusal)) == (None, True)
    assert badge.link
    assert share.link
    refused = Availability(available=False, reason="Not available: it is being issued.")
    assert items_of(certification(), TODAY, refused, None)[0].refusal == refused.reason


def test_a_day_shows_what_was_known_then_and_what_was_learned_later() -> None:
    then = SeenStanding(certification="CCNP", status="active", earned_on=FROM, expires_on=TO, because=[])
    sentence = seen_sentence(then, date(2025, 3, 1)).replace("\xa0", " ")
    assert sentence == "On 1 March 2025, a verifier saw: active, until 14 March 2027."
    assert "without an end" in seen_sentence(then.model_copy(update={"expires_on": None}), date(2025, 3, 1))
    assert "saw nothing of it" in seen_sentence(None, date(2025, 3, 1))
    seen = Seen(as_of=date(2025, 3, 1), certifications=[])
    late = line("renewed", date(2025, 2, 1), known=date(2025, 3, 2))
    same_day = line("awarded", FROM)
    ahead = line("expired", date(2025, 3, 2))
    (told,) = learned_later([late, same_day, ahead], seen)
    assert "We learned it on 2\xa0March\xa02025." in told


@pytest.mark.parametrize(
    ("query", "day", "wrong"),
    [
        ({}, None, False),
        ({"on": "2025-03-01"}, date(2025, 3, 1), False),
        ({"on.day": "1", "on.month": "3", "on.year": "2025"}, date(2025, 3, 1), False),
        ({"on.day": "31", "on.month": "2", "on.year": "2025"}, None, True),
        ({"on": "2026-11-23"}, None, True),
        ({"on": "soon"}, None, True),
    ],
)
def test_a_day_is_asked_for_in_the_address(query: dict[str, str], day: date | None, wrong: bool) -> None:
    found, faults = day_asked(query, TODAY)
    assert (found, bool(faults)) == (day, wrong)


def test_suspensions_begin_and_end_and_the_last_goes_on() -> None:
    days = [date(2025, month, 1) for month in (1, 3, 5)]
    lines = [line(kind, on) for kind, on in zip(("suspend", "reinstate", "suspend"), days, strict=True)]
    assert suspensions(reversed(lines)) == ((days[0], days[1]), (days[2], None))


def test_the_board_is_grouped_where_there_are_groups() -> None:
    held = [
        certification("expired", date(2025, 1, 1), "OLD"),
        certification("expired", date(2025, 1, 1), "GONE"),
        certification(),
    ]
    board = board_of(held, [], TODAY, retired=["GONE"])
    assert board is not None
    assert [(row.certification, row.group) for row in board.rows] == [
        ("CCNP", "Active"),
        ("OLD", "Expired"),
        ("GONE", "Retired names"),
    ]
    alone = board_of([certification()], [], TODAY, retired=[])
    assert alone is not None
    assert [row.group for row in alone.rows] == [""]


def test_reminders_are_filled_when_their_mail_was_sent() -> None:
    days = reminder_days(TO, (90, 30, 365 * 3), FROM)
    assert days == [date(2026, 12, 14), date(2027, 2, 12)]
    mail = Reminder(template="certification_expiring", state="sent", created_at=datetime(2026, 12, 15, 1, tzinfo=UTC))
    row = reminder_row(days, [mail], date(2026, 12, 20), scale_of([FROM, TO], TODAY))
    assert row is not None
    assert [one.kind for one in row.lane.marks] == ["reminded", "reminder"]
    assert row.about.replace("\xa0", " ") == "1 sent. Next on 12 February 2027."
    assert reminder_row([date(2026, 1, 1)], [], TODAY, scale_of([FROM, TO], TODAY)) is None, "what was not sent is over"


def test_credits_alone_show_how_far_they_go() -> None:
    ways = [Way(credits=28, text="28 credits"), Way(exams=[["A"]], credits=0, text="One exam")]
    first, second = ways_of(Renewal(certification="CCNP", expires_on=TO, credits=80, ways=ways))
    assert (first.have, first.need, second.have) == (52, 80, None)
