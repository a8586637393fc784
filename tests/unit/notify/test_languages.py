"""What languages say of days and numbers, compared with Unicode's CLDR as Babel carries it."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from babel import Locale
from babel.dates import format_date
from hypothesis import given
from hypothesis import strategies as st

from services.notify.languages import LANGUAGES
from services.notify.languages.language import Language

LOCALES = {"en": "en_GB", "es": "es", "ar": "ar_001"}

languages = pytest.mark.parametrize("language", LANGUAGES.values(), ids=lambda one: one.code)


@languages
@given(day=st.dates(date(1990, 1, 1), date(2099, 12, 31)))
def test_days_are_written_as_cldr_writes_them(language: Language, day: date) -> None:
    assert language.filters["day"](day.isoformat()) == format_date(day, "long", LOCALES[language.code])


@languages
@given(count=st.integers(0, 10_000_000))
def test_plurals_are_those_of_cldr(language: Language, count: int) -> None:
    assert language.filters["plural"](count) == Locale.parse(LOCALES[language.code]).plural_form(count)


@languages
def test_direction_is_that_of_cldr(language: Language) -> None:
    assert language.direction == Locale.parse(LOCALES[language.code]).text_direction


@languages
def test_every_language_names_the_same_grades_and_cases(language: Language) -> None:
    english = LANGUAGES["en"]
    assert language.grades.keys() == english.grades.keys()
    assert language.cases.keys() == english.cases.keys()
    assert language.filters["case"]("new_kind") == language.other_case


@languages
def test_moment_is_said_with_its_zone(language: Language) -> None:
    here = datetime(2026, 12, 31, 23, 30, tzinfo=timezone(timedelta(hours=-5)))
    said = language.filters["moment"](here)
    assert said == language.filters["moment"](here.astimezone(UTC))
    assert "04:30" in said
    assert "UTC" in said
    assert "2027" in said
