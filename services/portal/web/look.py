"""How a page is written: templates, words, days, and the files that pages load."""

from datetime import date
from pathlib import Path
from typing import Any, Final

import jinja2
from aiohttp import web
from markupsafe import Markup

from libs.common.pages.assets import FONT, HERE, Shelf, brand_asset, style_sheet
from libs.common.pages.wording import counted, day
from libs.common.programs import Program
from services.portal.web.forms import TOKEN_FIELD
from services.portal.web.visit import Visit

_ROOT: Final = Path(__file__).parents[1]
SHELF: Final = Shelf("/assets/", style_sheet(_ROOT / "templates" / "portal.css"))

_NO_BREAK: Final = "\N{NO-BREAK SPACE}"

SECTIONS: Final = (
    ("/", "Home"),
    ("/certifications", "Certifications"),
    ("/exams", "Exams"),
    ("/mails", "Mails"),
)
"""The navigation, in its order."""


def shown(
    visit: Visit,
    template: str,
    heading: str,
    *,
    status: int = 200,
    problem: bool = False,
    program: Program | None = None,
    **values: Any,
) -> web.Response:
    """A page.

    Args:
        visit: for whom.
        template: its path below this service's folder.
        heading: of the window; the template says its `h1` itself.
        status: of the answer.
        problem: whether the page tells of faults in a form, which its title says first.
        program: whose look it has, where nobody has signed in.
        values: what the template names. One that is missing is an error.
    """
    whose = visit.program or program
    text = _TEMPLATES.get_template(template).render(
        visit=visit,
        heading=heading,
        problem=problem,
        program=whose,
        sections=SECTIONS,
        style=SHELF.address(SHELF.style),
        font=SHELF.address(FONT),
        brand=SHELF.address(brand_asset(whose)) if whose else None,
        form_token=visit.form_token,
        token_field=TOKEN_FIELD,
        **values,
    )
    return web.Response(text=text, content_type="text/html", charset="utf-8", status=status)


def weekday(value: date, today: date) -> Markup:
    """A day, with its weekday where it is within a fortnight."""
    near = abs((value - today).days) <= 14  # noqa: PLR2004 as people count days
    name = f"{value:%A}{_NO_BREAK}" if near else ""
    return Markup('<time datetime="{}">{}</time>').format(
        value.isoformat(), name + f"{value.day}{_NO_BREAK}{value:%B}{_NO_BREAK}{value.year}"
    )


def short_day(value: date) -> Markup:
    """A day as tables have it."""
    text = f"{value.day}{_NO_BREAK}{value:%b}{_NO_BREAK}{value.year}"
    return Markup('<time datetime="{}">{}</time>').format(value.isoformat(), text)


_TEMPLATES: Final = jinja2.Environment(
    loader=jinja2.FileSystemLoader((_ROOT, HERE / "templates")),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_TEMPLATES.filters |= {
    "day": day,
    "weekday": weekday,
    "short_day": short_day,
    "counted": counted,
}
