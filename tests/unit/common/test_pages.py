"""The look that pages share: colours that can be read, numbers as words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.pages.brand import TEXT, contrast, dark, light
from libs.common.pages.wording import counted

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


def test_numbers_are_words_up_to_twelve() -> None:
    assert [counted(number) for number in (0, 1, 12, 13)] == ["no", "one", "twelve", "13"]
