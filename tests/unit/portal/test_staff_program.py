"""What staff of a program read: consequences, claims, orders, announcements, dry runs."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from services.portal.staff.announcements import words as announcing
from services.portal.staff.claims import words as claims
from services.portal.staff.claims.shapes import Review
from services.portal.staff.consequences import Change, Following, Side, sentence_of, sentences_of
from services.portal.staff.parcels import words as parcels
from services.portal.staff.parcels.pages import Resending
from services.portal.staff.parcels.shapes import Order
from services.portal.staff.rules.pages import heading_of, numbers_of
from services.portal.staff.rules.shapes import Counts, DryRun
from services.portal.web.forms import Unfit

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
GAP = "\N{NO-BREAK SPACE}"


def side(status: str = "active", until: date | None = date(2027, 3, 14)) -> Side:
    return Side(status=status, earned_on=date(2024, 3, 14), expires_on=until)


def change(before: Side | None, after: Side | None) -> Change:
    return Change(certification="CCNA", kind="changed", before=before, after=after)


def day(text: str) -> str:
    return text.replace(" ", GAP)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (None, side(), f"CCNA becomes active, until {day('14 March 2027')}."),
        (
            side(),
            side(until=date(2029, 10, 1)),
            f"CCNA is active until {day('1 October 2029')} instead of {day('14 March 2027')}.",
        ),
        (side(), side("suspended", None), "CCNA becomes suspended."),
        (side(), side("revoked", date(2026, 11, 21)), "CCNA becomes revoked."),
        (side(), None, "CCNA is no longer held."),
        (side("expired"), side("lifetime_emeritus", None), "CCNA becomes emeritus for life."),
    ],
)
def test_each_change_is_a_sentence(before: Side | None, after: Side | None, said: str) -> None:
    assert sentence_of(change(before, after)) == said


def test_that_nothing_changes_is_said() -> None:
    assert sentences_of(Following(as_of=date(2026, 11, 22), changes=[])) == ["No certification changes."]


def review(**more: Any) -> Review:
    given = {"submission_id": "s", "kind": "course", "origin": "report", "state": "unmatched", "item": "X"}
    days = {"completed_on": "2026-11-01", "submitted_at": NOW, "due_on": "2026-11-25"}
    return Review.model_validate({**given, **days, "title": "Core", "evidence": [], **more})


def test_what_a_report_does_not_say_is_asked_for() -> None:
    assert claims.missing_of(review()) == ["candidate_id", "level", "track"]
    assert claims.missing_of(review(candidate_id="C1", level="associate", track="Core")) == []
    assert claims.missing_of(review(kind="credits", candidate_id="C1")) == ["credits"]
    assert claims.chip_of(review(overdue=True)).word == "Past its promise"


def order(state: str, **more: Any) -> Order:
    given = {"order_id": "o", "candidate_id": "C1", "certification": "CCNA", "title": "Kit", "placed_at": NOW}
    return Order.model_validate({**given, "state": state, "history": [], **more})


def test_a_parcel_is_sent_again_once_and_only_an_order_at_home_is_cancelled() -> None:
    assert [state for state in parcels.STATES if parcels.may_resend(order(state))] == ["returned", "shipped"]
    assert not parcels.may_resend(order("returned", replaced_by="o2"))
    assert [state for state in parcels.STATES if parcels.may_cancel(order(state))] == [
        "pending",
        "ordered",
        "in_production",
    ]


def test_a_new_address_is_whole_or_absent() -> None:
    assert Resending().body() == {}
    assert Resending(name="Jose").body() == {"name": "Jose"}
    whole = Resending(lines="Road 1\r\n\r\nHouse B", city="Bonn", country="de")
    assert whole.body() == {"address": {"lines": ["Road 1", "House B"], "city": "Bonn", "country": "DE"}}
    with pytest.raises(Unfit) as wrong:
        Resending(city="Bonn").body()
    assert list(wrong.value.faults) == ["lines", "country"]


def test_texts_of_a_form_are_taken_by_language_and_nothing_half_written() -> None:
    given = {"title_en": "Closed", "text_en": "One\nline.\r\n\r\n\r\nTwo.", "title_es": "Cerrado"}
    texts = announcing.texts_of(given)
    assert [(text["language"], text["paragraphs"]) for text in texts] == [("en", ["One line.", "Two."]), ("es", [])]
    assert list(announcing.half_written(texts)) == ["text_es"]


def run(**more: Any) -> DryRun:
    counts = [Counts(certification="CCNA", gained=2, lost=1, moved=3, changed=0)]
    given = {"run_id": "r", "from_version": 1, "to_version": 2, "state": "finished", "total": 9, "done": 9}
    return DryRun.model_validate(
        {**given, "affected": 5, "counts": counts, "created_by": "staff:s1", "created_at": NOW, **more}
    )


def test_a_dry_run_answers_in_its_heading() -> None:
    assert heading_of(run()) == "Version 2 changes certifications of 5 candidates"
    assert heading_of(run(affected=0)) == "Version 2 changes nothing for anybody"
    assert heading_of(run(state="running")) == "Version 2 is being tried"
    assert [number.value for number in numbers_of(run())] == [2, 1, 3, 4]
