"""The frame of every page: `page` fills a template, `Page` answers with it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Final, TypeVar

import jinja2
from aiohttp import hdrs

from libs.common.http.documents import PRIVATE, Document, negotiated
from libs.common.http.problems import MEDIA_TYPE, Problem
from libs.common.http.routes import Call, Reply
from libs.common.languages import READER
from libs.common.pages.assets import FONT, HERE, brand_asset
from libs.common.pages.saying import Saying
from libs.common.pages.visitors import VISITOR, speak_to
from libs.common.pages.wording import day, minute
from libs.common.programs import Program
from services.certs.languages import SPEECH
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
    return into(
        media_type=HTML,
        content=content,
        cache_control=cache_control,
        policy=POLICY,
        language=READER.get().code,
        status=status,
    )


def page(template: str, *, heading: str, program: Program | None, **values: Any) -> bytes:
    """A page, written for the visitor whom `speak_to` speaks to.

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
        language=READER.get(),
        visitor=VISITOR.get(),
        style=SHELF.address(SHELF.style),
        font=SHELF.address(FONT),
        brand=brand,
        **values,
    )
    return text.encode()


def message(heading: str, text: str, *, program: Program | None = None, form: bool = False, typed: str = "") -> bytes:
    """A page that says one thing; `form` adds where a code can be typed in, with what was `typed` before."""
    return page("pages/templates/message.html", heading=heading, program=program, text=text, form=form, typed=typed)


def refused(
    problem: Problem, call: Call[Any, Any, Any], words: Callable[[], bytes], into: type[D], *, repeatable: bool = True
) -> Reply[D]:
    """A problem as a page, for whoever asks for pages; everybody else gets the problem itself.

    Args:
        problem: why nothing else is answered.
        call: whose query is a `PageQuery`.
        words: writes the page.
        into: what the route answers with.
        repeatable: whether following a link asks for the same again.

    Raises:
        Problem: the caller names no HTML among what it takes.
    """
    if negotiated(call.headers.get(hdrs.ACCEPT), (MEDIA_TYPE, HTML)) != HTML:
        raise problem
    speak_to(call, repeatable=repeatable)
    return Reply(shown_as(into, words(), status=problem.kind.status), problem.headers)


_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader((Path(__file__).parents[1], HERE / "templates")),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_TEMPLATES.filters |= {"day": day, "minute": minute}
_SAYING: Final = Saying(SPEECH)
_TEMPLATES.globals |= {"say": _SAYING.say, "say_many": _SAYING.say_many}
