"""The frame of every page: `page` fills a template, `Page` answers with it."""

from pathlib import Path
from typing import Any, ClassVar, Final, TypeVar

import jinja2

from libs.common.http.documents import PRIVATE, Document, negotiated
from libs.common.http.problems import MEDIA_TYPE, Problem
from libs.common.http.routes import Reply
from libs.common.pages.assets import FONT, HERE, brand_asset
from libs.common.pages.wording import counted, day, minute
from libs.common.programs import Program
from services.certs.pages.assets import SHELF

HTML: Final = "text/html; charset=utf-8"
POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
"""No script and no style but ours (Content Security Policy 3)."""


class Page(Document):
    """A page for people."""

    media_types: ClassVar = (HTML,)


D = TypeVar("D", bound=Document)


def shown(content: bytes, *, status: int | None = None, cache_control: str = PRIVATE) -> Page:
    """A page as the answer to a request."""
    return shown_as(Page, content, status=status, cache_control=cache_control)


def shown_as(into: type[D], content: bytes, *, status: int | None = None, cache_control: str = PRIVATE) -> D:
    """A page from a route that answers with other kinds too."""
    return into(media_type=HTML, content=content, cache_control=cache_control, policy=POLICY, status=status)


def page(template: str, *, heading: str, program: Program | None, **values: Any) -> bytes:
    """A page, written.

    Args:
        template: its path below this service's folder; it extends `pages/templates/frame.html`.
        heading: of the window; the template says its `h1` itself.
        program: whose look it has; None for a neutral one.
        values: what the template names. One that is missing is an error.
    """
    brand = SHELF.address(brand_asset(program)) if program else None
    text = _TEMPLATES.get_template(template).render(
        heading=heading,
        program=program,
        style=SHELF.address(SHELF.style),
        font=SHELF.address(FONT),
        brand=brand,
        **values,
    )
    return text.encode()


def message(heading: str, text: str, *, program: Program | None = None, form: bool = False, typed: str = "") -> bytes:
    """A page that says one thing; `form` adds where a code can be typed in, with what was `typed` before."""
    return page("pages/templates/message.html", heading=heading, program=program, text=text, form=form, typed=typed)


def refused(problem: Problem, accept: str | None, words: bytes, into: type[D]) -> Reply[D]:
    """A problem as a page, for whoever asks for pages; everybody else gets the problem itself.

    Raises:
        Problem: the caller names no HTML among what it takes.
    """
    if negotiated(accept, (MEDIA_TYPE, HTML)) != HTML:
        raise problem
    return Reply(shown_as(into, words, status=problem.kind.status), problem.headers)


_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader((Path(__file__).parents[1], HERE / "templates")),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_TEMPLATES.filters |= {"day": day, "minute": minute, "counted": counted}
