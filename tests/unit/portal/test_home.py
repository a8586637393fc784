"""What the first page says: one heading by state, and what is next, in the order of worry."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from services.portal.backend.shapes import Certification, Expected, Holding, Offer, Renewal, Way
from services.portal.home.answer import MOST_TASKS, chip_of, heading_of, tasks_of

TODAY = date(2026, 11, 22)
CCNP = {"certification": "CCNP", "title": "CCNP Enterprise", "expires_on": date(2027, 3, 14)}
NEVER = {"certification": "CCAr", "title": "Architect", "expires_on": None}


def certification(**changes: Any) -> Certification:
    fields: dict[str, Any] = {
        "certification": "CCNA",
        "title": "CCNA",
        "status": "active",
        "earned_on": date(2024, 3, 14),
        "expires_on": date(2028, 8, 8),
        "text": "Active through 8 August 2028.",
        "because": [],
        "holdings": [],
    }
    fields |= changes
    fields["holdings"] = [Holding(earned_on=fields["earned_on"], expires_on=fields["expires_on"])]
    return Certification(**fields)


def expected(state: Any = "expected", *, case_opened: bool = False) -> Expected:
    return Expected(
        registration_id="G1",
        exam_code="300-415",
        exam_title="ENSDWI",
        scheduled_at=datetime(2026, 11, 19, 9, tzinfo=UTC),
        state=state,
        due_on=date(2026, 11, 26),
        case_opened=case_opened,
    )


@pytest.mark.parametrize(
    ("held", "text"),
    [
        ([], "Nothing earned yet"),
        ([{}], "CCNA is active"),
        ([{}, CCNP, NEVER], "All three certifications are active"),
        ([{}, CCNP], "Both certifications are active"),
        ([{}, CCNP | {"status": "revoked"}], "CCNP Enterprise needs your attention"),
        ([{}, CCNP | {"status": "suspended"}], "CCNP Enterprise needs your attention"),
        (
            [{}, CCNP | {"status": "expired", "expires_on": date(2026, 11, 1)}],
            "CCNP Enterprise expired on 1 November 2026",
        ),
        ([{}, CCNP | {"status": "expired", "expires_on": date(2024, 1, 1)}], "CCNA is active"),
        ([CCNP | {"status": "expired", "expires_on": date(2024, 1, 1)}], "Nothing active"),
    ],
)
def test_heading_is_the_first_that_fits(held: list[dict[str, Any]], text: str) -> None:
    assert heading_of([certification(**changes) for changes in held], TODAY).text == text


def test_lead_names_the_next_date_and_whom_it_meets() -> None:
    both = [certification(), certification(**CCNP), certification(**CCNP | {"title": "Specialist"})]
    lead = heading_of(both, TODAY).lead
    assert lead == (
        "The next date is 14 March 2027, in 112 days. CCNP Enterprise and one more expire then unless you renew."
    )
    assert heading_of([certification(**NEVER)], TODAY).lead == "None of them expires."


def test_chip_says_what_expires_soon() -> None:
    assert chip_of(certification(), TODAY).word == "Active"
    assert chip_of(certification(**CCNP), TODAY).word == "Active, expiring"
    assert chip_of(certification(expires_on=TODAY), TODAY).word == "Active, expiring"
    assert chip_of(certification(status="something_new"), TODAY).word == "Something new"


def test_tasks_come_in_the_order_of_worry_and_one_asks_to_act() -> None:
    held = [certification(**CCNP), certification(title="CCDE", status="pending_agreement")]
    renewal = Renewal(certification="CCNP", expires_on=date(2027, 3, 14), ways=[Way(credits=0, text="Pass one exam.")])
    offer = Offer(offer_id="1", certification="CCNA", benefit="initial_kit", title="Welcome kit: CCNA")
    found = tasks_of(
        held, TODAY, expected=[expected(), expected("late", case_opened=True)], renewals=[renewal], offers=[offer]
    )
    assert [task.title for task in found] == [
        "Your 300-415 ENSDWI result is late",
        "CCDE is earned",
        "Your 300-415 ENSDWI result is on its way",
        "Renew CCNP Enterprise by 14 March 2027",
        "Welcome kit: CCNA",
    ]
    assert [task.by for task in found] == [False, True, False, True, False]
    assert found[3].text == "Shortest way: Pass one exam."
    assert found[0].text == (
        "It was due by 26 November 2026. We opened a case by ourselves and write to you; you don't need to do anything."
    )
    assert len(tasks_of(held * 9, TODAY, expected=[], renewals=[], offers=[])) == MOST_TASKS


@pytest.mark.parametrize(
    ("last_day", "title", "word"),
    [
        (date(2026, 11, 22), "CCNA expires today", "Today"),
        (date(2026, 11, 23), "CCNA expires tomorrow", "Tomorrow"),
        (date(2026, 12, 22), "CCNA expires in 30 days", "30 days"),
        (date(2026, 12, 23), "Renew CCNA by 23 December 2026", "31 days"),
        (date(2027, 5, 21), "Renew CCNA by 21 May 2027", "180 days"),
    ],
)
def test_the_last_days_are_said_as_they_are(last_day: date, title: str, word: str) -> None:
    (task,) = tasks_of([certification(expires_on=last_day)], TODAY, expected=[], renewals=[], offers=[])
    assert (task.title, task.chip.word) == (title, word)
    assert ("no grace time" in task.text) == (title.startswith("CCNA expires"))


def test_what_lasts_longer_asks_for_nothing() -> None:
    held = [certification(expires_on=date(2027, 5, 22)), certification(**NEVER)]
    assert tasks_of(held, TODAY, expected=[], renewals=[], offers=[]) == []
