"""What staff set up, in words: sources of mails, hooks, suppressed addresses, roles and systems. Pure."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.http.scopes import SYSTEM
from services.identity.staff.roles import Role
from services.notify.domain.mails import Template
from services.portal.backend.client import Fault, Problem, Refused
from services.portal.staff.hooks import words as hooks
from services.portal.staff.hooks.shapes import Delivery, Hook
from services.portal.staff.mail_troubles import words as troubles
from services.portal.staff.mail_troubles.shapes import Suppression
from services.portal.staff.members import words as members
from services.portal.staff.members.pages import _faults
from services.portal.staff.shell import ROLES
from services.portal.staff.systems import words as systems
from services.portal.staff.wording import words as wording
from services.portal.staff.wording.shapes import Summary

AT = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
LINES = st.text(st.characters(exclude_categories=("C", "Z"), exclude_characters=":"), min_size=1)


def hook(**changed: Any) -> Hook:
    known: dict[str, Any] = {
        "hook_id": "h1",
        "url": "https://hr.example/hooks",
        "events": ["certs.CertificationAwarded.v1"],
        "description": "HR",
        "personal_data": False,
        "state": "active",
        "off_because": None,
        "secrets": [],
        "created_at": AT,
        "created_by": "staff:1",
        "failures": 0,
        "failing_since": None,
        "last_error": None,
    }
    return Hook.model_validate(known | changed)


@given(LINES, LINES, LINES, st.lists(LINES, min_size=1))
def test_a_source_comes_apart_into_its_head_and_its_text(subject: str, preview: str, why: str, text: list[str]) -> None:
    body = "\n\n".join(text)
    parts = wording.parts_of(f"Subject: {subject}\nPreview: {preview}\nWhy: {why}\n\n{body}\n")
    assert parts == wording.Parts(subject, preview, why, body)


def test_a_line_of_the_text_that_looks_like_the_head_stays_text() -> None:
    parts = wording.parts_of("Subject: A\nSubject: B\n")
    assert (parts.subject, parts.text) == ("A", "Subject: B")


def test_every_mail_every_role_and_every_right_of_a_system_has_a_name() -> None:
    assert set(wording.MAILS) == {template.value for template in Template}
    assert set(members.ABOUT) == set(ROLES) == {role.value for role in Role}
    assert set(systems.SCOPES) == SYSTEM


@pytest.mark.parametrize(
    ("version", "built_in", "word"),
    [(2, True, "Your own"), (2, False, "Your own"), (None, True, "As delivered"), (None, False, "English instead")],
)
def test_whose_words_count(version: int | None, built_in: bool, word: str) -> None:
    one = Summary(template="news", language="ar", built_in=built_in, version=version, versions=2)
    assert wording.whose(one).word == word


def test_faults_of_a_source_are_told_with_their_lines() -> None:
    told = Fault(path="body.source.5", code="name", message="line 5: nothing is unknown")
    problem = Problem(status=422, errors=[told, Fault(path="body.note", message="too long")])
    assert wording.lines_of(problem) == ["line 5: nothing is unknown"]


@pytest.mark.parametrize(
    ("changed", "word", "sentence"),
    [
        ({}, "Active", "What was sent last was taken."),
        ({"failures": 1}, "Failing", "The last try failed."),
        ({"failures": 3}, "Failing", "The last 3 tries failed."),
        (
            {"state": "paused", "failures": 3},
            "Paused",
            "Nothing is sent while it is paused; it is kept, and sent later.",
        ),
        (
            {"state": "off", "off_because": "gone"},
            "Switched off",
            "It was switched off because the receiver said that it wants no more.",
        ),
    ],
)
def test_how_a_hook_does(changed: dict[str, Any], word: str, sentence: str) -> None:
    assert (hooks.chip_of(hook(**changed)).word, hooks.standing(hook(**changed))) == (word, sentence)


@pytest.mark.parametrize(
    ("tries", "answer"),
    [
        ([], "Not tried yet"),
        ([(500, None)], "Answer 500"),
        ([(500, None), (None, "timeout")], "timeout"),
        ([(None, None)], "No answer"),
    ],
)
def test_what_the_last_try_of_a_message_came_to(tries: list[tuple[int | None, str | None]], answer: str) -> None:
    tried = [{"at": AT, "status": status, "error": error} for status, error in tries]
    delivery = Delivery.model_validate(
        {
            "delivery_id": "d1",
            "event": "ping",
            "state": "waiting",
            "created_at": AT,
            "delivered_at": None,
            "due_at": AT,
            "attempts": len(tries),
            "tries": tried,
        }
    )
    assert hooks.answer_of(delivery) == answer


def test_lifting_a_complaint_warns_and_lifting_a_bounce_says_what_comes_if_it_bounces_again() -> None:
    known = {"candidate_id": "C1", "address": "a@b.example", "since": AT, "message_id": "m", "number": "N"}
    bounced = Suppression.model_validate(known | {"reason": "bounced"})
    complained = Suppression.model_validate(known | {"reason": "complained"})
    assert "as now" in troubles.follows(bounced)[1]
    assert "only where they ask for it" in troubles.follows(complained)[1]
    assert all("a@b.example" in troubles.follows(one)[0] for one in (bounced, complained))


def test_what_staff_are_refused_for_is_said_at_its_field_and_nothing_else_is_swallowed() -> None:
    said = {"roles": "The last one"}
    assert _faults(Problem(status=409, type="urn:problem:conflict"), said) == said
    wrong = Problem(status=422, errors=[Fault(path="body.roles", message="no")])
    assert _faults(wrong, said) == {"roles": "Choose a role; an auditor has no other"}
    with pytest.raises(Refused):
        _faults(Problem(status=403, type="urn:problem:unauthenticated"), said)


def test_lists_have_the_comma_of_the_language() -> None:
    assert members.roles_of(["support", "reviewer"]) == "Support, Reviewer"
