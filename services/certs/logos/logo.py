"""A logo: the program's artwork beside the name of the certification, on white."""

from xml.sax.saxutils import escape

from services.certs.drawing import png_of
from services.certs.lettering import Line

SIZES = (128, 256, 512, 1024)
"""Widths of the PNG files in pixels."""

_HEIGHT = 120.0
_EDGE = 10.0
_MARK = _HEIGHT - 2 * _EDGE
_LEFT = 2 * _EDGE + _MARK
_LONGEST = 260.0
"""Of a line of the name."""
_INK, _SECOND = "#13202a", "#455461"


def logo_png(mark: str, program: str, title: str, size: int) -> bytes:
    """The logo as `logo_svg` has it, as a PNG `size` pixels wide."""
    return png_of(logo_svg(mark, program, title), size)


def logo_svg(mark: str, program: str, title: str) -> str:
    """The logo of a certification. It says what it is for those who do not see it, too.

    The first one in a process takes most of a second, since the font is read for it.

    Args:
        mark: the program's artwork.
        program: its name.
        title: the name of the certification.
    """
    lines = _wrapped(title)
    size = lines[0].size
    below = Line(program, 10.5)
    block = len(lines) * size * 1.22 + below.size * 1.5
    y = (_HEIGHT - block) / 2 + size * 0.95
    words = ""
    for line in lines:
        words += line.at(_LEFT, y, _INK)
        y += size * 1.22
    words += below.at(_LEFT, y + below.size * 0.35, _SECOND)
    width = _LEFT + max(line.width for line in (*lines, below)) + 2 * _EDGE
    mark = mark.replace("<svg", f'<svg x="{_EDGE}" y="{_EDGE}" width="{_MARK}" height="{_MARK}"', 1)
    label = _attribute(f"{title}, {program}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {_HEIGHT:.0f}" role="img"'
        f' aria-label="{label}">'
        f'<rect width="{width:.0f}" height="{_HEIGHT:.0f}" rx="8" fill="#ffffff"/>{mark}{words}</svg>'
    )


def _wrapped(title: str) -> list[Line]:
    """The title in lines, as large as three lines of it allow."""
    for size in (26.0, 22.0, 18.0):
        lines = _broken(title, size)
        if len(lines) <= 3 and all(line.width <= _LONGEST for line in lines):  # noqa: PLR2004 what the height allows
            return lines
    return _broken(title, 12.0)


def _broken(title: str, size: float) -> list[Line]:
    lines = [""]
    for word in title.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and Line(longer, size, bold=True).width > _LONGEST:
            lines.append(word)
        else:
            lines[-1] = longer
    return [Line(line, size, bold=True) for line in lines]


def _attribute(text: str) -> str:
    return escape(text, {'"': "&quot;"})
