"""Exams: what a state is called, what the address may ask for, and where a form may go."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.exams.domain.challenges import State
from services.portal.exams.shapes import Attempt
from services.portal.exams.words import CHALLENGES, asked, base_of, chip_of, sort_link


def attempt(state: str, grade: str | None = None) -> Attempt:
    fields: dict[str, Any] = {"id": "1", "kind": "written", "text": "", "title": None, "exam_code": "A"}
    return Attempt(**fields, state=state, grade=grade, taken_on="2026-01-01", attempt=1, vendor="vue", score=None)


@pytest.mark.parametrize(
    ("state", "grade", "kind", "word"),
    [
        ("waiting", None, "wait", "Expected"),
        ("provisional", "pass", "wait", "Provisional"),
        ("final", "pass", "ok", "Passed"),
        ("released", "fail", "bad", "Not passed"),
        ("revised", "pass", "ok", "Passed"),
        ("restored", "pass", "ok", "Passed"),
        ("invalidated", "invalidated", "bad", "Withdrawn by the vendor"),
        ("no_show", None, "off", "Not taken"),
        ("nda_refused", None, "off", "Not taken"),
        ("achieved", None, "ok", "Achieved"),
        ("withdrawn", None, "off", "Withdrawn"),
        ("something_new", None, "off", "Something new"),
    ],
)
def test_every_state_has_its_chip(state: str, grade: str | None, kind: str, word: str) -> None:
    chip = chip_of(attempt(state, grade))
    assert (chip.kind, chip.word) == (kind, word)


@given(st.dictionaries(st.sampled_from(["grade", "kind", "exam", "sort", "order", "x"]), st.text(max_size=90)))
def test_the_address_asks_for_nothing_that_the_service_does_not_know(query: dict[str, str]) -> None:
    what = asked(query)
    assert set(what) <= {"grade", "kind", "exam", "sort", "order"}
    assert what.get("grade", "pass") in ("pass", "fail", "pending")
    assert what.get("kind", "written") in ("written", "practical", "achievement")
    assert asked(what) == what


def test_a_sorted_column_turns_round_and_keeps_the_filter() -> None:
    what = asked({"grade": "fail", "sort": "score", "order": "desc"})
    link, now = sort_link("score", what)
    assert (parse_qs(urlsplit(link).query), now) == (
        {"grade": ["fail"], "sort": ["score"], "order": ["asc"]},
        "descending",
    )
    assert sort_link("exam", what)[1] == ""
    assert sort_link("date", {})[1] == "descending", "as the service sorts by itself"
    assert (base_of({}), base_of({"exam": "A B"})) == ("/exams", "/exams?exam=A+B")


def test_every_state_of_a_challenge_has_its_chip() -> None:
    assert set(CHALLENGES) == {state.value for state in State}
