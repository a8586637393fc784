"""What is shown to whoever follows a link that ends news."""

import hashlib
from base64 import b64encode
from html import escape
from typing import Final, NamedTuple

HTML: Final = "text/html; charset=utf-8"

_STYLE: Final = (
    ":root{color-scheme:light dark}"
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:3rem auto;padding:0 1.25rem}"
    "h1{font-size:1.625rem;line-height:1.2}"
    "button{font:inherit;font-weight:700;padding:.6rem 1.1rem;border:2px solid;border-radius:.5rem}"
    "button:focus-visible{outline:3px solid;outline-offset:2px}"
)
_HASH = b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


class Page(NamedTuple):
    """A page with the status that it is answered with; None for that of the route."""

    content: bytes
    status: int | None = None


def question(program: str) -> Page:
    """Asks; the button sends what a mail program would send."""
    return _page(
        f"Stop news from {program}?",
        "Mails about your account, your exams and your certifications still come.",
        '<form method="post"><input type="hidden" name="List-Unsubscribe" value="One-Click">'
        "<button>Stop news</button></form>",
    )


def done(program: str) -> Page:
    return _page(
        f"You get no more news from {program}.",
        "Mails about your account, your exams and your certifications still come. If you change your mind, you can ask "
        "for news again in your settings.",
    )


def unknown() -> Page:
    text = "Check the address: it may have been cut off. You can also stop news in your settings."
    return _page("This link is not one of ours.", text, status=404)


def _page(heading: str, text: str, more: str = "", *, status: int | None = None) -> Page:
    title = escape(heading)
    return Page(
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
        f"<body><main><h1>{title}</h1><p>{escape(text)}</p>{more}</main></body></html>\n".encode(),
        status,
    )
