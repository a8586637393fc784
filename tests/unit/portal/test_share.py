"""What pages of sharing say and ask: who sees what, the four steps to a link, and why something is not available."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.portal.backend.shapes import Certification
from services.portal.share import making, words
from services.portal.share.shapes import CertificationItem, CreditsItem, ExamItem, Items, Sharing, Transcript
from services.portal.web.forms import Unfit

TODAY = date(2026, 11, 22)


def item(name: str, state: str = "active", **changes: Any) -> CertificationItem:
    fields: dict[str, Any] = {
        "certification": name,
        "title": name,
        "state": state,
        "earned_on": date(2024, 3, 14),
        "expires_on": date(2027, 3, 14),
    }
    return CertificationItem(**fields | changes)


CHOICES = Items(
    certifications=[item("CCNA"), item("CCNP", "expired"), item("CCIE", "revoked")],
    exams=[ExamItem(exam="200-301", title="CCNA", passed_on=date(2024, 3, 14), state="passed")],
    credits=CreditsItem(counting=52, until=None),
)
ANSWERS: dict[str, Any] = {
    **making.begun(["CCNA"], TODAY),
    "exams": "200-301",
    "kind": "live",
    "label": "For a tender",
    "remarks": "For the\r\n  campus network.",
}


def link(state: Any = "open", **changes: Any) -> Transcript:
    fields: dict[str, Any] = {
        "transcript_id": "t1",
        "label": "For a tender",
        "remarks": None,
        "kind": "live",
        "state": state,
        "frozen_on": None,
        "valid_through": date(2027, 2, 20),
        "created_at": datetime(2026, 11, 22, 9, tzinfo=UTC),
        "withdrawn_at": datetime(2026, 11, 22, 14, 2, tzinfo=UTC) if state == "withdrawn" else None,
        "code": None,
        "link": None,
        "views": 0,
        **CHOICES.model_dump(),
    }
    return Transcript(**fields | changes)


def test_all_answers_together_are_what_certs_is_asked_to_publish() -> None:
    assert making.made_of(ANSWERS, CHOICES, TODAY).body() == {
        "certifications": ["CCNA"],
        "exams": ["200-301"],
        "credits": False,
        "kind": "live",
        "label": "For a tender",
        "remarks": "For the campus network.",
        "valid_through": "2027-02-20",
    }


@pytest.mark.parametrize(
    ("changes", "step", "field"),
    [
        ({"certifications": [], "exams": ""}, 1, "certifications"),
        ({"certifications": ["CCIE"]}, 1, "certifications"),
        ({"exams": "999"}, 1, "certifications"),
        ({"kind": "warm"}, 2, "kind"),
        ({"label": ""}, 3, "label"),
        ({"label": "x" * 201}, 3, "label"),
        ({"through": "2027-02-30"}, 3, "through"),
        ({"through": (TODAY - timedelta(1)).isoformat()}, 3, "through"),
        ({"through": (TODAY + making.LONGEST + timedelta(1)).isoformat()}, 3, "through"),
        ({"remarks": "x" * 1001}, 3, "remarks"),
    ],
)
def test_what_has_to_be_fixed_is_shown_on_its_step(changes: dict[str, Any], step: int, field: str) -> None:
    answers = ANSWERS | changes
    shown, faults = making.step_shown(answers, making.CHECK, CHOICES, TODAY)
    assert (shown, list(faults)) == (step, [field])
    assert making.step_shown(answers, step, CHOICES, TODAY) == (step, {}), "nobody is blamed before they have answered"
    with pytest.raises(Unfit):
        making.made_of(answers, CHOICES, TODAY)


def test_what_expired_may_be_shown_and_what_was_chosen_may_stay() -> None:
    assert making.chosen_of({"certifications": "CCNP"}, CHOICES).certifications == ["CCNP"]
    before = Items(certifications=[item("CCIE", "revoked")], exams=[], credits=None)
    assert making.chosen_of({"certifications": "CCIE"}, CHOICES, before).certifications == ["CCIE"]


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "certifications": st.lists(st.sampled_from(["CCNA", "CCNP"]), unique=True),
            "exams": st.just("200-301"),
            "credits": st.just("yes"),
            "kind": st.sampled_from(["live", "frozen"]),
            "label": st.text(min_size=1, max_size=9),
            "remarks": st.text(min_size=1, max_size=9),
            "through.day": st.sampled_from(["1", "31"]),
        },
    ),
    st.integers(1, making.CHECK),
)
def test_no_step_loses_what_another_has_asked(answers: dict[str, Any], step: int) -> None:
    asked = {"certifications", "exams", "credits"}, {"kind"}, {"label", "remarks", "through.day"}, set[str]()
    carried: dict[str, list[str]] = {}
    for name, value in making.carried(answers, step):
        carried.setdefault(name, []).append(value)
    given_there = {name for name, value in answers.items() if value}
    assert set(carried) == given_there - asked[step - 1]
    assert all(carried[name] in ([answers[name]], answers[name]) for name in carried)


def test_an_open_link_can_be_taken_up_where_it_was() -> None:
    kept = link(remarks="For lot 2.", certifications=[item("CCNA")])
    answers = making.taken(kept)
    body = making.body_of(making.chosen_of(answers, CHOICES, kept), making.terms_of(answers, TODAY))
    assert body == {
        "certifications": ["CCNA"],
        "exams": ["200-301"],
        "credits": True,
        "label": "For a tender",
        "remarks": "For lot 2.",
        "valid_through": "2027-02-20",
    }


def test_the_heading_says_who_sees_what() -> None:
    listed = Sharing(directory=True, name_in_badges=False, native_name=False)
    assert words.heading_of([], None).text == "Nothing is shared"
    assert words.heading_of([link("ended"), link("withdrawn")], None).text == "Nothing is shared"
    assert words.heading_of([link(), link("ended")], None).text == "1 link is open"
    assert words.heading_of([link(), link()], None).text == "2 links are open"
    assert words.heading_of([], listed).lead == "You are in the public directory with what is active."
    assert "public directory" in words.heading_of([link()], listed).lead


@pytest.mark.parametrize(
    ("one", "sentence"),
    [
        (
            link(),
            (
                "Anyone who has it sees CCNA, CCNP, CCIE, 1 exam and credits until 20 February 2027. "
                "You can withdraw it at any time."
            ),
        ),
        (link("ended"), "This link ended on 20 February 2027. You can make it open longer."),
        (
            link("withdrawn"),
            (
                "Withdrawn on 22 November 2026 at 14:02. Whoever opens it sees that it ended, nothing else. "
                "It can't be opened again; make a new one instead."
            ),
        ),
    ],
)
def test_a_link_says_how_it_stands(one: Transcript, sentence: str) -> None:
    assert words.link_words(one).replace("\xa0", " ") == sentence


@pytest.mark.parametrize(
    ("one", "sentence"),
    [
        (item("A"), "Earned on 14 March 2024, active until 14 March 2027"),
        (item("A", "expired"), "Earned on 14 March 2024, expired on 14 March 2027"),
        (item("A", expires_on=None), "Earned on 14 March 2024, never expires"),
        (item("A", "revoked", revoked_on=TODAY), "Earned on 14 March 2024, revoked on 22 November 2026"),
    ],
)
def test_an_item_says_its_dates(one: CertificationItem, sentence: str) -> None:
    assert words.item_words(one).replace("\xa0", " ") == sentence


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("active", None),
        ("expired", "Not available: expired on 14 March 2027."),
        ("suspended", "Not available: it is suspended."),
        ("pending_agreement", "Not available: accept the certification agreement first."),
        ("inactive", "Not available: it is not active."),
    ],
)
def test_what_is_not_available_says_why(status: str, reason: str | None) -> None:
    one = Certification(
        certification="CCNA",
        title="CCNA",
        status=status,
        earned_on=date(2024, 3, 14),
        expires_on=date(2027, 3, 14),
        text="",
        because=[],
        holdings=[],
    )
    said = words.not_available(one)
    assert (said.replace("\xa0", " ") if said else None) == reason


def test_every_state_has_a_chip() -> None:
    states = "active expired emeritus lifetime_emeritus inactive suspended waiting pending_agreement revoked"
    assert set(words.STATES) == {*states.split(), "passed", "withdrawn"}
    assert words.country(None) == "Not known"
    assert words.country("SE") == "Sweden"
