"""How a page is written: templates, words, days, and the files that pages load."""

from pathlib import Path
from typing import Any, Final

import jinja2
from aiohttp import web

from libs.common.ids import new_id
from libs.common.languages import LANGUAGES, READER
from libs.common.pages.assets import CSS, FONT, HERE, Asset, Shelf, brand_asset, style_sheet
from libs.common.pages.saying import Saying
from libs.common.programs import Program
from services.portal.languages import SPEECH, days, mark
from services.portal.languages.days import ZONE
from services.portal.web.drafts import kept, kept_day
from services.portal.web.forms import KEY_FIELD, TOKEN_FIELD
from services.portal.web.vendor_names import vendor_name
from services.portal.web.visit import Visit

_ROOT: Final = Path(__file__).parents[1]
_STAFF: Final = _ROOT / "staff" / "staff.css"
STAFF_STYLE: Final = Asset("staff.css", CSS, _STAFF.read_bytes())
"""What pages of staff load beside what all pages share."""
_AREAS: Final = sorted(path for path in _ROOT.glob("*/*.css") if path != _STAFF)
SHELF: Final = Shelf("/assets/", style_sheet(_ROOT / "templates" / "portal.css", *_AREAS), STAFF_STYLE)

SECTIONS: Final = (
    ("/", mark("Home")),
    ("/certifications", mark("Certifications")),
    ("/exams", mark("Exams")),
    ("/plan", mark("Plan")),
    ("/share", mark("Share")),
    ("/kits", mark("Kits")),
)
"""The navigation, in its order."""
ACCOUNT: Final = (
    ("/profile", mark("Profile")),
    ("/profile/ids", mark("Other IDs")),
    ("/settings", mark("Settings")),
    ("/mails", mark("Mails we sent you")),
    ("/cases", mark("Cases")),
    ("/security", mark("Security")),
    ("/my-data", mark("My data")),
)
"""What the account leads to, in its order."""


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
        language=READER.get(),
        languages=tuple(LANGUAGES.values()),
        zone=ZONE.get().key,
        heading=heading,
        problem=problem,
        program=whose,
        sections=SECTIONS,
        account=ACCOUNT,
        style=SHELF.address(SHELF.style),
        staff_style=SHELF.address(STAFF_STYLE),
        font=SHELF.address(FONT),
        brand=SHELF.address(brand_asset(whose)) if whose else None,
        form_token=visit.form_token,
        **values,
    )
    return web.Response(text=text, content_type="text/html", charset="utf-8", status=status)


_TEMPLATES: Final = jinja2.Environment(
    loader=jinja2.FileSystemLoader((_ROOT, HERE / "templates")),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_TEMPLATES.filters |= {
    "day": days.day,
    "weekday": days.weekday,
    "short_day": days.short_day,
    "minute": days.minute,
    "there": days.day_there,
    "clock_time": days.clock_time,
    "number": days.number,
    "vendor": vendor_name,
}
_SAYING: Final = Saying(SPEECH)
_TEMPLATES.globals |= {
    "say": _SAYING.say,
    "say_many": _SAYING.say_many,
    "new_key": new_id,
    "kept": kept,
    "kept_day": kept_day,
    "token_field": TOKEN_FIELD,
    "key_field": KEY_FIELD,
}
