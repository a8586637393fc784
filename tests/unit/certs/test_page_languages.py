"""Pages for verifiers in three languages: what is said of the same thing, and what stays as it is."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from babel import Locale

from deploy.local.platform import PROGRAMS
from libs.common.http.principal import ANONYMOUS
from libs.common.http.routes import Call
from libs.common.languages import ARABIC, ENGLISH, LANGUAGES, READER, SPANISH, Language
from libs.common.pages.visitors import VISITOR, PageQuery, Visitor, speak_to
from libs.common.programs.loader import load_programs
from services.certs.credentials.page import badge_page, verdict
from services.certs.pages import messages
from services.certs.public.addresses import Addresses
from services.certs.public.counting import tallied
from services.certs.transcripts.check_api import CodeQuery
from services.certs.transcripts.pages import VerificationPages, verification
from services.certs.transcripts.shown import Shown, ShownCertification
from tests.languages import read_in
from tests.unit.certs.test_credential_documents import credential

pytestmark = pytest.mark.usefixtures("spoken_to_nobody")

NOW = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)
ADDRESSES = Addresses("https://certs.example")
JUNIPER = load_programs(PROGRAMS)["juniper"]
TITLE = "Enterprise Routing and Switching, Professional"
ENGLISH_WORDS = re.compile(
    r"(?<![\w/.-])(?:the|this|issued|genuine|certifications?|checked|until|code|link|file)(?![\w/.-])"
)


def asked(accept: str = "", query: PageQuery | None = None) -> Call[Any, Any]:
    headers = {"Accept-Language": accept}
    return Call(None, query or PageQuery(), None, ANONYMOUS, web.Application(), "", "", headers, None)


def page_of(*states: str, pages: VerificationPages | None = None, **more: Any) -> str:
    held = [
        ShownCertification(f"C{at}", TITLE, state, date(2022, 4, 18), date(2026, 6, 3), date(2026, 6, 4))
        for at, state in enumerate(states)
    ]  # type: ignore[arg-type]
    code = "7K4M9QXD2HTP"
    seen = verification(JUNIPER, "Zoë Ångström", Shown(tuple(held)), kind="live", code=code, checked_at=NOW, **more)
    return (pages or VerificationPages(ADDRESSES)).page(JUNIPER, seen, "/v/x", record=True).decode()


def words_of(html: str) -> str:
    """The text of a page, without what is in no language: names, titles, codes and addresses."""
    html = re.sub(r"<title>.*?</title>|<bdi>.*?</bdi>|<svg.*?</svg>", " ", html, flags=re.DOTALL)
    html = re.sub(r"\N{FIRST STRONG ISOLATE}[^\N{POP DIRECTIONAL ISOLATE}]*\N{POP DIRECTIONAL ISOLATE}", " ", html)
    return re.sub(r"<[^>]+>", " ", html)


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=lambda one: one.code)
def test_a_page_is_in_one_language_and_says_so(language: Language) -> None:
    with read_in(language):
        html = page_of("active", "active", "expired", "revoked", "suspended")
        said = [html, messages.ended().decode(), messages.unknown_code("<b>").decode(), messages.code_form().decode()]
    for one in said:
        assert f'<html lang="{language.code}" dir="{language.direction}">' in one
        assert bool(ENGLISH_WORDS.search(words_of(one).lower())) == (language is ENGLISH), words_of(one)
    assert f"<bdi>{TITLE}</bdi>" in html, "a program's own words stay as they are"
    day = {"en": "18 April 2022", "es": "18 de abril de 2022", "ar": "18 أبريل 2022"}[language.code]
    assert day in html.replace("\N{NO-BREAK SPACE}", " ")


def test_the_sentence_counts_as_each_language_counts() -> None:
    counts = {"active": 3, "expired": 1, "revoked": 2}
    said = {}
    for language in LANGUAGES.values():
        with read_in(language):
            said[language.code] = re.sub("[\N{FIRST STRONG ISOLATE}\N{POP DIRECTIONAL ISOLATE}]", "", tallied(counts))  # type: ignore[arg-type]
    assert said == {
        "en": "Three certifications are active, one has expired, two were revoked.",
        "es": "3 certificaciones están activas, una ha vencido, 2 fueron revocadas.",
        "ar": "3 شهادات سارية، واحدة منتهية، اثنتان ملغاتان.",
    }
    assert tallied({"active": 1}) == "One certification is active."
    assert tallied({"active": 2}) == "All two certifications are active."


def test_no_page_that_was_kept_is_shown_in_another_language() -> None:
    pages = VerificationPages(ADDRESSES)
    empty = page_of(pages=pages)
    with read_in(SPANISH):
        assert page_of(pages=pages) != empty
    VISITOR.set(Visitor(ENGLISH, ()))
    assert 'href="/check?lang=en"' in page_of(pages=pages)


def test_a_badge_says_what_holds_in_the_readers_language() -> None:
    named = credential(recipient_name="Zoë Ångström", title=TITLE)
    with read_in(ARABIC):
        html = badge_page(named, JUNIPER, ADDRESSES, NOW, suspended=True).decode()
        found = verdict(credential(expires_on=date(2026, 1, 1)), JUNIPER, NOW, suspended=False)
    assert not ENGLISH_WORDS.search(words_of(html).lower())
    assert (found.state, found.word) == ("expired", "منتهية")
    with read_in(SPANISH):
        assert (
            verdict(named, JUNIPER, NOW + timedelta(days=9_000), suspended=False).heading == "Auténtico, pero vencido."
        )


def test_the_address_decides_before_the_browser_and_links_go_on_in_it() -> None:
    found = {}
    for name, call in {
        "browser": asked("ar-EG, es;q=0.5"),
        "chosen": asked("ar", PageQuery(lang="es-MX")),
        "unknown": asked("es", PageQuery(lang="tlh")),
        "neither": asked(),
    }.items():
        speak_to(call)
        found[name] = READER.get().code, VISITOR.get().link("/check")
    assert found == {
        "browser": ("ar", "/check"),
        "chosen": ("es", "/check?lang=es"),
        "unknown": ("es", "/check"),
        "neither": ("en", "/check"),
    }


def test_a_choice_keeps_what_was_asked_for() -> None:
    speak_to(asked("en", CodeQuery(code="7K4M 9&X", lang="ar")))
    html = messages.unknown_code("7K4M 9&X").decode()
    assert '<a href="?code=7K4M+9%26X&amp;lang=es" lang="es" hreflang="es" rel="nofollow">Español</a>' in html
    assert '<span aria-current="true" lang="ar">العربية</span>' in html
    assert '<input type="hidden" name="lang" value="ar">' in html
    speak_to(asked("en"), repeatable=False)
    assert "hreflang" not in messages.ended().decode(), "the same page is not to be had again"


def test_names_of_languages_are_those_of_unicode() -> None:
    assert [one.name.lower() for one in LANGUAGES.values()] == [
        str(Locale.parse(code).get_display_name(code)).lower() for code in LANGUAGES
    ]
