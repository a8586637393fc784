"""What is shown to whoever follows a link that ends news."""

import hashlib
from base64 import b64encode
from html import escape
from typing import Final, NamedTuple

from libs.common.languages import READER, Language
from libs.common.pages.visitors import VISITOR
from services.notify.speech import say

HTML: Final = "text/html; charset=utf-8"

_STYLE: Final = (
    ":root{color-scheme:light dark}"
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:3rem auto;padding:0 1.25rem}"
    "h1{font-size:1.625rem;line-height:1.2}"
    "button{font:inherit;font-weight:700;padding:.6rem 1.1rem;border:2px solid;border-radius:.5rem}"
    "button:focus-visible,a:focus-visible{outline:3px solid;outline-offset:2px}"
    "ul{display:flex;flex-wrap:wrap;gap:.25rem 1.5rem;list-style:none;margin:3rem 0 0;padding:0}"
    "a{color:inherit;display:inline-block;min-height:1.5rem}"
    ":lang(ar){line-height:1.7}"
)
_HASH = b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


class Page(NamedTuple):
    """A page with the status that it is answered with; None for that of the route."""

    content: bytes
    status: int | None = None


def question(program: str | None) -> Page:
    """Asks; the button sends what a mail program would send. `program` is its name, where we still have it."""
    return _page(
        say("Stop news from {program}?", program=program) if program else say("Stop our news?"),
        say("Mails about your account, your exams and your certifications still come."),
        '<form method="post"><input type="hidden" name="List-Unsubscribe" value="One-Click">'
        f"<button>{escape(say('Stop news'))}</button></form>",
    )


def done(program: str | None) -> Page:
    return _page(
        say("You get no more news from {program}.", program=program)
        if program
        else say("You get no more news from us."),
        say(
            "Mails about your account, your exams and your certifications still come. If you change your mind, you can "
            "ask for news again in your settings."
        ),
    )


def unknown() -> Page:
    return _page(
        say("This link is not one of ours."),
        say("Check the address: it may have been cut off. You can also stop news in your settings."),
        status=404,
    )


def _page(heading: str, text: str, more: str = "", *, status: int | None = None) -> Page:
    """A page for the visitor whom `speak_to` speaks to."""
    title, language = escape(heading), READER.get()
    return Page(
        f'<!doctype html><html lang="{language.code}" dir="{language.direction}"><head><meta charset="utf-8">'
        f'<title>{title}</title><meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
        f"<body><main><h1>{title}</h1><p>{escape(text)}</p>{more}</main>{_choices(language)}</body></html>\n".encode(),
        status,
    )


def _choices(language: Language) -> str:
    """The same page in the other languages; nothing where following a link would give another."""
    links = "".join(
        f'<li><a href="{escape(address)}" lang="{one.code}" hreflang="{one.code}">{one.name}</a></li>'
        for one, address in VISITOR.get().choices
        if one != language
    )
    return f"<footer><ul>{links}</ul></footer>" if links else ""
