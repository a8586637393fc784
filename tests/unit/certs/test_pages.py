"""The frame of public pages: files with a hash, text that stays text."""

import re
from typing import Any

import pytest
from aiohttp import web

from libs.common.http.principal import ANONYMOUS
from libs.common.http.problems import NOT_FOUND, Problem
from libs.common.http.routes import Call
from libs.common.pages.assets import FONT
from libs.common.pages.visitors import PageQuery
from services.certs.pages import messages
from services.certs.pages.assets import SHELF
from services.certs.pages.frame import HTML, Page, message, refused


def test_page_has_no_script_and_no_style_of_its_own_and_loads_by_hash() -> None:
    text = message("Nothing here", "<b>bold</b>", form=True).decode()
    assert "<script" not in text
    assert " style=" not in text
    assert "<style" not in text
    assert "<b>" not in text
    assert '<meta name="robots" content="noindex, nofollow">' in text
    assert SHELF.address(SHELF.style) in text
    assert FONT.hashed in SHELF.style.content.decode()
    assert re.fullmatch(r".*/style-[0-9a-f]{16}\.css", SHELF.address(SHELF.style))


def asked(accept: str | None, language: str = "", **query: str) -> Call[Any, PageQuery]:
    headers = {"Accept": accept} if accept else {}
    return Call(
        None,
        PageQuery(**query),
        None,
        ANONYMOUS,
        web.Application(),
        "",
        "",
        {**headers, "Accept-Language": language},
        None,
    )


@pytest.mark.usefixtures("spoken_to_nobody")
def test_refusal_is_a_page_for_browsers_and_a_problem_for_programs() -> None:
    browser = asked("text/html,application/xhtml+xml,*/*;q=0.8")
    page = refused(Problem(NOT_FOUND), browser, messages.unknown_link, Page).body
    assert (page.status, page.media_type) == (404, HTML)
    for accept in (None, "*/*", "application/json"):
        with pytest.raises(Problem):
            refused(Problem(NOT_FOUND), asked(accept), messages.unknown_link, Page)
