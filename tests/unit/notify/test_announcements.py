"""Whom an announcement is for, and in which words somebody reads it."""

from collections.abc import Mapping

import pytest

from libs.common.programs import Program
from services.notify.domain.announcements import Audience, Words, choose, is_shown


@pytest.mark.parametrize(
    ("audience", "held", "meant"),
    [
        (Audience(), [], True),
        (Audience(frozenset({"CCNA"})), ["CCNA", "CCIE-ENT"], True),
        (Audience(frozenset({"CCNA"})), ["CCIE-ENT"], False),
        (Audience(frozenset({"CCNA"})), [], False),
        (Audience(levels=frozenset({"associate"})), ["CCNA"], True),
        (Audience(levels=frozenset({"expert"})), ["CCNA"], False),
        (Audience(frozenset({"CCIE-ENT"}), frozenset({"associate"})), ["CCNA"], True),
        (Audience(levels=frozenset({"associate"})), ["GONE"], False),
    ],
)
def test_audience(audience: Audience, held: list[str], meant: bool, programs: Mapping[str, Program]) -> None:
    assert audience.includes(held, programs["cisco"]) == meant


def test_names_that_the_program_does_not_have_are_found(programs: Mapping[str, Program]) -> None:
    audience = Audience(frozenset({"CCNA", "NONE"}), frozenset({"associate", "wizard"}))
    assert audience.faults(programs["cisco"]) == ["NONE", "wizard"]


@pytest.mark.parametrize(
    ("languages", "wanted", "found"),
    [
        (["en", "es", "pt-BR"], "es", "es"),
        (["en", "es", "pt-BR"], "ES-mx", "es"),
        (["en", "es", "pt-BR"], "pt-br", "pt-BR"),
        (["en", "es", "pt-BR"], "pt", "en"),
        (["en", "es"], None, "en"),
        (["es", "de"], None, "de"),
    ],
)
def test_words_in_the_nearest_language(languages: list[str], wanted: str | None, found: str) -> None:
    texts = {language: Words(language, ["."]) for language in languages}
    assert choose(texts, wanted) == (found, texts[found])


@pytest.mark.parametrize(
    ("state", "today", "shown"),
    [
        ("published", "2026-11-30", False),
        ("published", "2026-12-01", True),
        ("published", "2026-12-31", True),
        ("published", "2027-01-01", False),
        ("draft", "2026-12-01", False),
        ("withdrawn", "2026-12-01", False),
    ],
)
def test_shown_from_the_first_to_the_last_day(state: str, today: str, shown: bool) -> None:
    assert is_shown(state, "2026-12-01", "2026-12-31", today) == shown
