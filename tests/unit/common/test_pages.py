"""The look that pages share: colours that can be read, numbers as words."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.languages import ARABIC, SPANISH
from libs.common.pages.wording import InWords, minute
from libs.common.programs.brand import TEXT, contrast, dark, light
from tests.languages import read_in

NO_BREAK = "\N{NO-BREAK SPACE}"
COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")
LIGHT = {"ink": "#13202A", "ink-2": "#455461", "surface": "#FFFFFF", "bg": "#F4F7F8", "sunken": "#E9EEF1"}
DARK = {"ink": "#E9EFF3", "ink-2": "#AAB8C3", "surface": "#161F25", "bg": "#0E1519", "sunken": "#1D2830"}


@given(COLOURS)
def test_any_colour_of_a_program_gives_pages_that_can_be_read(colour: str) -> None:
    for theme, page in ((light(colour), LIGHT), (dark(colour), DARK)):
        grounds = (page["surface"], page["bg"], page["sunken"], theme.tint)
        assert all(contrast(theme.brand, ground) >= TEXT for ground in grounds)
        assert all(contrast(page[ink], theme.tint) >= TEXT for ink in ("ink", "ink-2"))
        assert min(contrast(theme.on_brand, theme.brand), contrast(theme.on_brand, theme.brand_2)) >= TEXT


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#FFFFFF", "#000000") == pytest.approx(21)
    assert contrast("#005C7A", "#FFFFFF") == pytest.approx(7.47, abs=0.01)


def test_numbers_are_words_up_to_twelve_in_english_alone() -> None:
    assert [f"{InWords(number)}" for number in (0, 1, 12, 13, -1)] == ["no", "one", "twelve", "13", "-1"]
    with read_in(SPANISH):
        assert f"{InWords(3)}" == "3"


def test_moments_are_in_the_readers_language_and_do_not_break() -> None:
    at = datetime(2026, 5, 10, 9, 5, tzinfo=UTC)
    assert (
        minute(at)
        == f'<time datetime="2026-05-10T09:05:00+00:00">{"10 May 2026, 09:05 UTC".replace(" ", NO_BREAK)}</time>'
    )
    with read_in(ARABIC):
        assert "10 مايو 2026، 09:05 UTC".replace(" ", NO_BREAK) in minute(at)
