"""The picture of a badge: the program's artwork in a frame of its colour, with what it is for below."""

from functools import lru_cache
from html import escape
from textwrap import wrap

from libs.common.programs import Program
from services.certs.drawing import artwork, png_of

SIZE = 512
"""Pixels of a baked picture's side."""

MARK_SIZE = 68
"""Pixels of a mark's side: what mails show at half of it, sharp on every screen."""

_LINE = 24
"""Characters of the title in one line."""
_LINES = 3

_PLACE = '<svg x="125" y="36" width="150" height="150"'

_FRAME = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 400" role="img" aria-label="{label}">'
    '<rect x="6" y="6" width="388" height="388" rx="36" fill="#ffffff" stroke="{colour}" stroke-width="12"/>'
    "{art}"
    '<text x="200" y="{top}" font-family="Noto Sans, sans-serif" font-size="27" font-weight="700" fill="#13202a"'
    ' text-anchor="middle">{title}</text>'
    '<text x="200" y="362" font-family="Noto Sans, sans-serif" font-size="17" fill="#455461"'
    ' text-anchor="middle">{program}</text></svg>'
)


@lru_cache(maxsize=512)
def badge_svg(program: Program, title: str) -> str:
    """The picture of a certification of this title, without a credential in it."""
    lines = _lines(title)
    top = 270 - 17 * (len(lines) - 1)
    spans = "".join(
        f'<tspan x="200" dy="{0 if not number else 34}">{escape(line)}</tspan>' for number, line in enumerate(lines)
    )
    return _FRAME.format(
        label=escape(f"{title}, {program.name}"),
        colour=program.branding.colour,
        art=artwork(program).replace("<svg", _PLACE, 1),
        top=top,
        title=spans,
        program=escape(program.name),
    )


@lru_cache(maxsize=512)
def badge_png(program: Program, title: str) -> bytes:
    """The same as pixels; drawn once, in some 10 ms."""
    return png_of(badge_svg(program, title), SIZE)


def _lines(title: str) -> list[str]:
    return wrap(title, _LINE, max_lines=_LINES, placeholder="…")


def issuer_svg(program: Program) -> str:
    """The picture of a program: its artwork."""
    return artwork(program)


@lru_cache(maxsize=64)
def issuer_png(program: Program) -> bytes:
    """The same as pixels, for mails; drawn once, in a few milliseconds."""
    return png_of(issuer_svg(program), MARK_SIZE)
