"""A program's colours on pages, made from its one colour so that every pair can be read (WCAG 2.2, 1.4.3)."""

from collections.abc import Iterable
from typing import NamedTuple

TEXT = 4.5
"""Least contrast of text on its ground."""

_STEP = 0.02
_DARKEST_GROUND = "#E9EEF1"
_LIGHTEST_GROUND = "#1D2830"
_WHITE, _BLACK = "#FFFFFF", "#000000"
_DARK_PAGE = "#0E1519"


class Theme(NamedTuple):
    """`#rrggbb` each."""

    brand: str
    """Links, the bar, the seal's ground: text on every ground of ours."""
    brand_2: str
    on_brand: str
    tint: str
    tint_line: str


def light(colour: str) -> Theme:
    """The colours for light pages; the program's own where it can be read."""
    tint = _mixed(colour, _WHITE, 0.88)
    brand = _until(colour, _BLACK, (tint, _DARKEST_GROUND))
    return Theme(brand, _mixed(brand, _BLACK, 0.3), _WHITE, tint, _mixed(colour, _WHITE, 0.65))


def dark(colour: str) -> Theme:
    """The colours for dark pages."""
    tint = _mixed(colour, _DARK_PAGE, 0.8)
    brand = _until(_mixed(colour, _WHITE, 0.3), _WHITE, (tint, _LIGHTEST_GROUND))
    return Theme(
        brand,
        _mixed(brand, _WHITE, 0.4),
        _until(_mixed(colour, _BLACK, 0.8), _BLACK, (brand,)),
        tint,
        _mixed(colour, _DARK_PAGE, 0.55),
    )


def contrast(one: str, other: str) -> float:
    """How far two colours differ in lightness, from 1 to 21 (WCAG 2.2, contrast ratio)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _until(colour: str, towards: str, grounds: Iterable[str]) -> str:
    """The colour, moved as little as needed for text on all of these grounds."""
    grounds = tuple(grounds)
    steps = (_mixed(colour, towards, step * _STEP) for step in range(int(1 / _STEP) + 1))
    return next(one for one in steps if all(contrast(one, ground) >= TEXT for ground in grounds))


def _mixed(colour: str, other: str, share: float) -> str:
    pairs = zip(_channels(colour), _channels(other), strict=True)
    return "#" + "".join(f"{round(one + (two - one) * share):02X}" for one, two in pairs)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(channel / 255) for channel in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)  # noqa: PLR2004 of sRGB


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
