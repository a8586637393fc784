"""Words in drawings as paths, so that they look the same where our fonts are not installed."""

import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from xml.sax.saxutils import escape

from services.certs.fonts import picture_fonts

if TYPE_CHECKING:
    from fontTools.ttLib import TTFont

_SIMPLE = frozenset({"LATIN", "GREEK", "CYRILLIC"})
"""Scripts whose letters stand side by side. Others change their form, or run the other way: they stay text."""
_LETTER_WIDTH = 0.58
"""Of the size, where it is not measured."""


class Line(NamedTuple):
    """One line of words."""

    text: str
    size: float
    bold: bool = False

    @property
    def width(self) -> float:
        """In the unit of `size`; only about right where the line stays text."""
        found = self._outline()
        return found.width * self.size if found else len(self.text) * _LETTER_WIDTH * self.size

    def at(self, x: float, y: float, colour: str) -> str:
        """The line as an SVG element, with the left end of its base line at a point."""
        found = self._outline()
        if found is not None:
            place = f"matrix({self.size:.4f} 0 0 {-self.size:.4f} {x:.2f} {y:.2f})"
            return f'<path transform="{place}" fill="{colour}" d="{found.path}"/>'
        return (
            f'<text x="{x:.2f}" y="{y:.2f}" font-family="Noto Sans, sans-serif" font-size="{self.size:g}"'
            f' font-weight="{700 if self.bold else 400}" fill="{colour}">{escape(self.text)}</text>'
        )

    def _outline(self) -> "_Outline | None":
        return _outline(unicodedata.normalize("NFC", self.text), bold=self.bold)


class _Outline(NamedTuple):
    """Of a line of size 1."""

    path: str
    width: float


@lru_cache(maxsize=256)
def _outline(text: str, *, bold: bool) -> _Outline | None:
    """None where the line must stay text."""
    # Some megabytes, for the processes that draw.
    from fontTools.pens.svgPathPen import SVGPathPen  # noqa: PLC0415
    from fontTools.pens.transformPen import TransformPen  # noqa: PLC0415

    font = _font(bold=bold)
    if font is None or any(not _is_simple(sign) for sign in text):
        return None
    names, glyphs = font.getBestCmap(), font.getGlyphSet()
    if any(ord(sign) not in names for sign in text):
        return None
    unit, at = 1 / font["head"].unitsPerEm, 0.0
    pen = SVGPathPen(glyphs, ntos=lambda number: f"{number:.3f}".rstrip("0").rstrip("."))
    for sign in text:
        glyph = glyphs[names[ord(sign)]]
        glyph.draw(TransformPen(pen, (unit, 0, 0, unit, at, 0)))
        at += glyph.width * unit
    return _Outline(pen.getCommands(), at)


def _is_simple(sign: str) -> bool:
    if unicodedata.combining(sign):
        return False
    return not sign.isalpha() or unicodedata.name(sign, "").split(" ")[0] in _SIMPLE


@lru_cache(maxsize=2)
def _font(*, bold: bool) -> "TTFont | None":
    from fontTools.ttLib import TTFont  # noqa: PLC0415 as above

    wanted = f"NotoSans-{'Bold' if bold else 'Regular'}.ttf"
    path = next((each for each in picture_fonts() if each.name == wanted), None)
    return TTFont(path) if path else None
