"""The words of access, security, cases and mails, and what forms keep."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from services.portal.access.words import slowed, unfit_password
from services.portal.backend.client import Fault, Problem, Refused
from services.portal.cases.kinds import FIELDS, QUESTIONS, KitQuestion, NameQuestion, request_of, sentences
from services.portal.cases.shapes import Case, CaseRow, ChallengeRow
from services.portal.cases.words import KINDS, NEEDS, facts_of, lead_of, rows_of, standing_of
from services.portal.mails.words import Address, Suppression, mail_number, state_of, trouble_of
from services.portal.security.words import device, in_groups, qr_code
from services.portal.web.drafts import KEPT, kept, kept_day, page_of
from services.portal.web.forms import Unfit, read

TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 14, 2, tzinfo=UTC)


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


def case(state: str = "open", **changes: Any) -> CaseRow:
    fields: dict[str, Any] = {
        "case_id": "c1",
        "reference": "C-10016",
        "kind": "other",
        "state": state,
        "opened_at": NOW,
        "due_on": date(2026, 12, 1),
    }
    return CaseRow(**fields | changes)


def test_case_says_who_is_next_and_by_when() -> None:
    waiting = standing_of(case(), TODAY)
    assert plain(waiting.line) == "Waiting for us, until Tuesday, 1 December 2026"
    assert (waiting.chip.word, waiting.open, waiting.yours) == ("Waiting for us", True, False)
    assert standing_of(case("decided_once"), TODAY) == waiting, "that somebody has an opinion is not told"
    late = standing_of(case(due_on=TODAY - timedelta(days=1)), TODAY)
    assert late.chip.word == "Late"
    assert "21 November 2026" in plain(late.line)
    assert standing_of(case("waiting_for_candidate"), TODAY).yours
    for state, word in (("accepted", "Done"), ("refused", "Refused"), ("arrived", "Solved by itself")):
        ended = standing_of(case(state), TODAY)
        assert (ended.chip.word, ended.open) == (word, False)
    assert standing_of(case("something_new"), TODAY).chip.word == "Closed"


def test_cases_that_wait_for_the_candidate_come_first_then_the_open_ones() -> None:
    challenge = ChallengeRow(
        challenge_id="x",
        exam_code="200-301",
        taken_on=TODAY,
        state="open",
        opened_at=NOW - timedelta(days=3),
        due_on=TODAY,
    )
    rows = rows_of([case("accepted", kind="kit"), case(kind="name"), case("waiting_for_candidate")], [challenge], TODAY)
    assert [row.title for row in rows] == [
        "Something else",
        "Change my name",
        "Challenge of your 200-301 result",
        "Something about a kit or parcel",
    ]
    assert [row.link for row in rows][:3] == ["/cases/c1", "/cases/c1", "/exams/challenges/x"]


def test_automatic_case_says_why_and_what_it_is_about() -> None:
    whole = Case(
        **case(kind="missing_result", by_itself=True).model_dump(),
        details={"kind": "missing_result", "exam_code": "300-415", "taken_on": "2026-11-19", "registration_id": None},
        messages=[],
        evidence=[],
        reason=None,
        decided_at=None,
    )
    assert lead_of(whole) == "We opened this because your result was late. You don't need to do anything."
    facts = dict(facts_of(whole))
    assert list(facts) == ["Exam", "Sat on"]
    assert "19 November 2026" in plain(facts["Sat on"])


def test_every_kind_that_can_be_asked_for_has_words_and_sentences() -> None:
    for kind, question in QUESTIONS.items():
        assert KINDS[kind]
        assert NEEDS[kind]
        assert set(question.model_fields) <= set(sentences())
    assert set(FIELDS.values()) <= set(sentences())


def test_questions_become_what_identity_takes() -> None:
    kit = read(KitQuestion, {"about": "order:o1", "text": "It broke"}, sentences())
    assert request_of("kit", kit) == {"kind": "kit", "text": "It broke", "order_id": "o1"}
    kit = read(KitQuestion, {"about": "certification:CCNA", "text": "It broke"}, sentences())
    assert request_of("kit", kit) == {"kind": "kit", "text": "It broke", "certification": "CCNA"}
    name = read(NameQuestion, {"given_name": "Zoë", "family_name": "Berg", "text": ""}, sentences())
    assert request_of("name", name) == {"kind": "name", "given_name": "Zoë", "family_name": "Berg"}


def test_whoever_names_no_other_account_is_asked_for_one() -> None:
    with pytest.raises(Unfit) as unfit:
        read(QUESTIONS["duplicate"], {"text": "It's me"}, sentences())
    assert unfit.value.faults == {"candidate_id": "Enter the other account's ID, or its e-mail address"}


@pytest.mark.parametrize(
    ("family", "name"),
    [
        ("Firefox on Windows", "Firefox on Windows"),
        ("Linux", "Linux"),
        ("unknown", "A device that doesn't say what it is"),
    ],
)
def test_devices_are_named_as_people_know_them(family: str, name: str) -> None:
    assert device(family) == name


@given(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", max_size=64))
def test_secrets_in_groups_lose_nothing(secret: str) -> None:
    groups = in_groups(secret).split()
    assert "".join(groups) == secret
    assert all(len(group) == 4 for group in groups[:-1])


def test_qr_code_runs_under_our_policy() -> None:
    drawn = qr_code('otpauth://totp/"><script>alert(1)</script>')
    assert drawn.startswith("<svg")
    assert "script" not in drawn
    assert "style=" not in drawn


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("1A2B-3C4D", "1A2B-3C4D"),
        ("m-1a2b 3c4d", "1A2B-3C4D"),
        (" 1a2b\N{EN DASH}3c4d ", "1A2B-3C4D"),
        ("1A2B-3C4", None),
        ("1A2B-3C4D-5E6F", None),
        ("OA2B-3C4D", None),
    ],
)
def test_numbers_of_mails_are_taken_as_people_type_them(typed: str, number: str | None) -> None:
    assert mail_number(typed) == number


def test_a_mail_that_came_back_says_what_to_do() -> None:
    assert state_of("bounced").elsewhere
    assert "another one" in state_of("suppressed").text
    assert not state_of("delivered").elsewhere
    assert state_of("something_new").chip.word == "Not sent"
    gone = Suppression(address="zoe@example.com", reason="bounced", since=NOW)
    trouble = trouble_of(Address(suppression=gone))
    assert trouble is not None
    assert trouble.title == "We can't reach you at zoe@example.com"
    assert plain(trouble.text) == "A mail came back on 22 November 2026, so we send none. Give us another address."
    assert trouble_of(Address(suppression=None)) is None
    assert trouble_of(None) is None


def test_whoever_is_slowed_hears_until_when() -> None:
    refusal = Refused(Problem(type="urn:certrail:problem:too-many-tries", status=429), retry_after=480)
    assert slowed(refusal, NOW).startswith("Too many tries. You can try again at 14:10.")


def test_passwords_that_identity_refuses_are_explained() -> None:
    assert unfit_password(["password_leaked"]) == "This password is in lists of leaked ones. Choose another"
    assert "12 characters" in (unfit_password(["string_too_short"]) or "")
    assert unfit_password([Fault().code]) is None


def test_fields_show_what_was_typed_before_the_session_ended() -> None:
    token = KEPT.set({"text": ["What I wrote"], "taken_on.day": ["7"], "kinds": ["a", "b"]})
    try:
        assert kept("text", "") == "What I wrote"
        assert kept("other", "as it was") == "as it was"
        assert kept("kinds", (), several=True) == ["a", "b"]
        assert kept_day("taken_on", None) == {"taken_on.day": "7"}
        assert kept_day("born", None) is None
    finally:
        KEPT.reset(token)


async def _nothing(_request: web.Request) -> web.Response:
    raise AssertionError("only its route is looked at")


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("/cases/new", "/cases/new"),
        ("/cases/c1/messages", "/cases/c1"),
        ("/security/sessions/s1/end", "/security"),
        ("/nothing/there", "/"),
    ],
)
def test_what_was_typed_comes_back_on_the_page_of_its_form(path: str, page: str) -> None:
    app = web.Application()
    app.add_routes(
        [
            web.get("/cases/new", _nothing),
            web.post("/cases/new", _nothing),
            web.get("/cases/{case_id}", _nothing),
            web.post("/cases/{case_id}/messages", _nothing),
            web.get("/security", _nothing),
            web.post("/security/sessions/{session_id}/end", _nothing),
        ]
    )
    assert page_of(app, path) == page
