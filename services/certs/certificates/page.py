"""A certificate as a page of HTML, from which the file is made."""

from base64 import b64encode
from functools import lru_cache
from importlib.resources import files
from io import BytesIO

import segno
from jinja2 import Environment, StrictUndefined

from libs.common.spoken import spoken
from services.certs.certificates.content import Content, paper_of
from services.certs.certificates.names import setting_of, width_of
from services.certs.drawing import png_of

_SIZES = ((22, 44), (34, 33), (48, 25), (80, 17), (160, 13))
"""Up to so many letters, the size in points."""
_SMALLEST = 10
_MARK_PIXELS = 512
"""Of the side of the artwork: 400 in an inch of paper."""

_templates = files(__package__) / "templates"
_environment = Environment(autoescape=True, undefined=StrictUndefined, auto_reload=False, trim_blocks=True)
_page = _environment.from_string((_templates / "certificate.html").read_text(encoding="utf-8"))
_style = _environment.from_string((_templates / "certificate.css").read_text(encoding="utf-8"))


def page_of(content: Content) -> str:
    """The page, complete in itself: pictures are `data:` addresses, and nothing else is referred to."""
    return _page.render(
        content=content,
        style=_style.render(
            paper=paper_of(content.country),
            colour=content.colour,
            rosette=_vector(_rosette(content.colour)),
            name_size=_size(content.name),
            native_size=_size(content.native_name or "") * 3 // 5,
            title_size=_size(content.title) * 4 // 5,
        ),
        artwork=_mark(content.artwork),
        code_picture=_vector(_code_picture(content.address)),
        name=setting_of(content.name, content.country),
        native_name=setting_of(content.native_name or "", content.country),
        spoken=spoken,
    )


def _size(text: str) -> int:
    width = width_of(text)
    return next((size for most, size in _SIZES if width <= most), _SMALLEST)


def _vector(svg: str) -> str:
    return f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}"


@lru_cache(maxsize=16)
def _mark(svg: str) -> str:
    """The artwork as pixels, so that it looks as it does on badges, whatever it is made of."""
    return f"data:image/png;base64,{b64encode(png_of(svg, _MARK_PIXELS)).decode()}"


def _code_picture(address: str) -> str:
    file = BytesIO()
    segno.make(address, micro=False, error="m").save(
        file, kind="svg", border=0, xmldecl=False, svgns=True, dark="#13202a"
    )
    return file.getvalue().decode()


def _rosette(colour: str) -> str:
    """Rings that cross each other, as engraved papers have them, faint enough to write on."""
    rings = "".join(f'<ellipse rx="98" ry="50" transform="rotate({each * 6})"/>' for each in range(30))
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="-100 -100 200 200">'
        f'<g fill="none" stroke="{colour}" stroke-width=".3" stroke-opacity=".22">{rings}</g></svg>'
    )
