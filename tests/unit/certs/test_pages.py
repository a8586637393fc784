"""The frame of public pages: colours that can be read, files with a hash, text that stays text."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.http.problems import NOT_FOUND, Problem
from libs.common.programs.brand import TEXT, contrast, dark, light
from services.certs.pages.assets import FONT, STYLE, address
from services.certs.pages.frame import HTML, Page, counted, message, refused

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


def test_page_has_no_script_and_no_style_of_its_own_and_loads_by_hash() -> None:
    text = message("Nothing here", "<b>bold</b>", form=True).decode()
    assert "<script" not in text
    assert " style=" not in text
    assert "<style" not in text
    assert "<b>" not in text
    assert '<meta name="robots" content="noindex, nofollow">' in text
    assert address(STYLE) in text
    assert FONT.hashed in STYLE.content.decode()
    assert re.fullmatch(r".*/style-[0-9a-f]{16}\.css", address(STYLE))


def test_refusal_is_a_page_for_browsers_and_a_problem_for_programs() -> None:
    words = message("Nothing here", "Nothing.")
    page = refused(Problem(NOT_FOUND), "text/html,application/xhtml+xml,*/*;q=0.8", words, Page).body
    assert (page.status, page.media_type) == (404, HTML)
    for accept in (None, "*/*", "application/json"):
        with pytest.raises(Problem):
            refused(Problem(NOT_FOUND), accept, words, Page)


def test_numbers_are_words_up_to_twelve() -> None:
    assert [counted(number) for number in (0, 1, 12, 13)] == ["no", "one", "twelve", "13"]
