"""The pages that end news, in the reader's language."""

import re
from html import unescape

import pytest

from libs.common.languages import LANGUAGES, READER, SPANISH, Language
from libs.common.pages.visitors import VISITOR, Visitor
from services.notify.unsubscribing import pages
from tests.languages import read_in

_ENGLISH = re.compile(r"\b(?:news|mails|check|link|settings)\b", re.IGNORECASE)


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=lambda one: one.code)
def test_pages_are_in_one_language_and_say_so(language: Language) -> None:
    with read_in(language):
        made = [pages.question("<b>"), pages.question(None), pages.done("<b>"), pages.unknown()]
    for page in made:
        html = page.content.decode()
        assert f'<html lang="{language.code}" dir="{language.direction}">' in html
        assert "<b>" not in html
        words = unescape(re.sub(r"<style>.*?</style>|<[^>]*>", " ", html))
        assert bool(_ENGLISH.search(words)) == (language.code == "en"), words


def test_the_question_can_be_read_in_other_languages_and_an_answer_is_given_once() -> None:
    asked = VISITOR.set(Visitor(None, ()))
    try:
        with read_in(SPANISH):
            html = pages.question("Cisco").content.decode()
    finally:
        VISITOR.reset(asked)
    assert 'href="?lang=en"' in html
    assert 'href="?lang=es"' not in html
    assert READER.get().code == "en"
    assert "href" not in pages.done("Cisco").content.decode()
