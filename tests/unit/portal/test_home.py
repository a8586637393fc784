"""What the first page says: one heading by state, and what is next, in the order of worry."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from services.portal.backend.shapes import Attempt, Certification, Expected, Holding, Line, Renewal, Way
from services.portal.cases.shapes import CaseRow
from services.portal.home.activity import MOST, activity_of
from services.portal.home.answer import chip_of, heading_of, nothing_to_do
from services.portal.home.shapes import (
    Appointment,
    Claim,
    Goal,
    InHand,
    OfferRow,
    ParcelRow,
    Price,
    Shared,
    Step,
)
from services.portal.home.tasks import MOST_TASKS, Facts, tasks_of

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


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


def offer(**changes: Any) -> OfferRow:
    fields: dict[str, Any] = {
        "offer_id": "1",
        "certification": "CCNA",
        "title": "Welcome kit: CCNA",
        "state": "offered",
    }
    return OfferRow(**fields | changes)


def expected(state: Any = "expected", *, case_opened: bool = False) -> Expected:
    return Expected(
        registration_id="G1",
        vendor="vue",
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
        ([{}, CCNP, NEVER], "All 3 certifications are active"),
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
    assert plain(heading_of([certification(**changes) for changes in held], TODAY).text) == text


def test_lead_names_the_next_date_and_whom_it_meets() -> None:
    both = [certification(), certification(**CCNP), certification(**CCNP | {"title": "Specialist"})]
    lead = plain(heading_of(both, TODAY).lead)
    assert lead == (
        "The next date is 14 March 2027, in 112 days. CCNP Enterprise and 1 more expire then unless you renew."
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
    facts = Facts(
        held=held,
        expected=[expected(), expected("late", case_opened=True)],
        renewals=[renewal],
        offers=[offer()],
    )
    found = tasks_of(facts, TODAY)
    assert [plain(task.title) for task in found] == [
        "Your 300-415 ENSDWI result is late",
        "CCDE is earned",
        "Your 300-415 ENSDWI result is on its way",
        "Renew CCNP Enterprise by 14 March 2027",
        "Welcome kit: CCNA",
    ]
    assert [task.by for task in found] == [False, True, False, True, False]
    assert found[3].text == "Shortest way: Pass one exam."
    assert plain(found[0].text) == (
        "It was due by 26 November 2026. We opened a case by ourselves and write to you; you don't need to do anything."
    )
    assert plain(found[2].text).startswith(
        "You sat it on Thursday, 19 November 2026. Results come by Thursday, 26 November 2026."
    )
    assert len(tasks_of(Facts(held=held * 9), TODAY)) == MOST_TASKS


def test_a_question_of_staff_comes_before_what_can_wait() -> None:
    asked = CaseRow(
        case_id="c1",
        reference="C-10016",
        kind="kit",
        state="waiting_for_candidate",
        opened_at=datetime(2026, 11, 20, tzinfo=UTC),
        due_on=TODAY,
    )
    open_one = asked.model_copy(update={"state": "open"})
    (task, _) = tasks_of(Facts(held=[certification(**CCNP)], cases=[open_one, asked]), TODAY)
    assert (task.title, task.link, task.by) == (
        "We asked you something: Something about a kit or parcel",
        "/cases/c1",
        True,
    )


@pytest.mark.parametrize(
    ("last_day", "title", "word"),
    [
        (date(2026, 11, 22), "CCNA expires at the end of today", "Today"),
        (date(2026, 11, 23), "CCNA expires tomorrow, on Monday, 23 November 2026", "1 day"),
        (date(2026, 12, 22), "CCNA expires in 30 days, on 22 December 2026", "30 days"),
        (date(2026, 12, 23), "Renew CCNA by 23 December 2026", "31 days"),
        (date(2027, 5, 21), "Renew CCNA by 21 May 2027", "180 days"),
    ],
)
def test_the_last_days_are_said_as_they_are(last_day: date, title: str, word: str) -> None:
    (task,) = tasks_of(Facts(held=[certification(expires_on=last_day)]), TODAY)
    assert (plain(task.title), task.chip.word) == (title, word)
    left = (last_day - TODAY).days
    assert ("no grace time" in task.text) == (0 < left <= 30)
    assert ("still count" in task.text) == (left == 0)


def test_what_lasts_longer_asks_for_nothing() -> None:
    held = [certification(expires_on=date(2027, 5, 22)), certification(**NEVER)]
    assert tasks_of(Facts(held=held), TODAY) == []


def test_what_is_claimed_already_is_no_task() -> None:
    offers = [offer(state="claimed"), offer(state="expired")]
    assert tasks_of(Facts(offers=offers), TODAY) == []
    until, paid = tasks_of(
        Facts(
            offers=[
                offer(claim_until=datetime(2026, 12, 24, 12, tzinfo=UTC)),
                offer(price=Price(amount="25.00", currency="USD")),
            ]
        ),
        TODAY,
    )
    assert until.by
    assert "until 24 December 2026" in plain(until.text)
    assert (paid.verb, paid.by) == ("Order it", False)


def test_a_parcel_that_came_back_asks_for_an_address_until_another_is_sent() -> None:
    parcel = ParcelRow(order_id="o1", title="Welcome kit: CCNA", state="returned", replaced_by=None, history=[])
    (task,) = tasks_of(Facts(parcels=[parcel]), TODAY)
    assert (task.title, task.link) == ("Your parcel came back: Welcome kit: CCNA", "/kits/o1")
    assert tasks_of(Facts(parcels=[parcel.model_copy(update={"replaced_by": "o2"})]), TODAY) == []


def test_whoever_has_earned_nothing_sees_the_next_appointment_and_goals() -> None:
    appointment = Appointment(
        exam_code="200-301", title="CCNA", site="Amman", scheduled_at=datetime(2026, 11, 26, 9, tzinfo=UTC)
    )
    goals = [Goal(certification="CCNA", in_hand=[], text="One exam is missing.")]
    found = tasks_of(Facts(appointments=[appointment], goals=goals), TODAY)
    assert [plain(task.title) for task in found] == [
        "You sit 200-301 CCNA on Thursday, 26 November 2026",
        "Pick a goal",
    ]
    assert found[0].text == "At 09:00, Amman."
    in_hand = Goal(
        certification="CCNP", in_hand=[InHand(exam="350-401", counts_through=date(2027, 3, 14))], text="One is missing."
    )
    (task,) = tasks_of(Facts(goals=[in_hand], titles={"CCNP": "CCNP Enterprise"}), TODAY)
    assert plain(task.title) == "Your 350-401 pass counts toward CCNP Enterprise until 14 March 2027"


def test_goals_that_were_chosen_stand_before_whatever_is_begun() -> None:
    passes = [InHand(exam="350-401", counts_through=date(2027, 3, 14))]
    goals = [Goal(certification=name, in_hand=passes, text="One is missing.") for name in ("CCNP", "CCIE")]
    (task,) = tasks_of(Facts(goals=goals, chosen=["CCIE"]), TODAY)
    assert task.link == "/plan/CCIE"
    nothing_yet = [Goal(certification="CCNA", in_hand=[], text="One is missing.")]
    assert tasks_of(Facts(goals=nothing_yet, chosen=["CCNA"]), TODAY) == [], "it is picked already"


@pytest.mark.parametrize(
    ("reminders", "words"),
    [
        ((730, 90, 60), "Nothing to do. We'll write to you 90 days before 8 August 2028."),
        ((5000,), "Nothing to do. We write to you before anything runs out."),
        ((), "Nothing to do. We write to you before anything runs out."),
    ],
)
def test_idle_page_says_when_we_write(reminders: tuple[int, ...], words: str) -> None:
    assert plain(nothing_to_do([certification(), certification(**NEVER)], reminders, TODAY)) == words


def test_activity_is_of_all_kinds_and_the_latest_first() -> None:
    line = Line(
        on=date(2026, 11, 12),
        certification="CCNA",
        kind="renewed",
        expires_on=None,
        known_at=datetime(2026, 11, 12, tzinfo=UTC),
        withdrawn_at=None,
        text="By a pass.",
    )
    attempt = Attempt(
        id="r1",
        state="waiting",
        text="Results come by 26 November.",
        title=None,
        exam_code="300-415",
        taken_on=date(2026, 11, 19),
        attempt=1,
        vendor="vue",
        grade=None,
        score=None,
    )
    at = datetime(2026, 11, 20, 12, tzinfo=UTC)
    claim = Claim(title="A course", state="accepted", credits=16, submitted_at=at, decided_at=at)
    parcel = ParcelRow(
        order_id="o1", title="Kit", state="shipped", replaced_by=None, history=[Step(state="shipped", at=at)]
    )
    shared = Shared(transcript_id="t1", label="For Acme", created_at=at - timedelta(days=9), views=3)
    withdrawn = line.model_copy(update={"withdrawn_at": at, "on": TODAY})
    to_come = attempt.model_copy(update={"taken_on": TODAY + timedelta(days=1)})
    found = activity_of(
        [line, withdrawn], [attempt, to_come], [claim], [parcel], [shared], titles={"CCNA": "CCNA"}, today=TODAY
    )
    assert [one.title for one in found] == [
        "16 credits validated",
        "Parcel shipped",
        "Sat 300-415",
        "CCNA renewed",
        "Transcript shared: For Acme",
    ]
    assert found[2].text == "Results come by 26 November."
    passed = attempt.model_copy(update={"state": "released", "grade": "pass", "title": "ENSDWI", "text": "Passed"})
    (one,) = activity_of([], [passed], [], [], [], titles={}, today=TODAY)
    assert (one.title, one.text) == ("Passed 300-415", "ENSDWI")
    assert len(activity_of([line] * 9, [], [], [], [], titles={}, today=TODAY)) == MOST
