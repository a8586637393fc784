"""Drawings of programs, as SVG and as pixels. Pixels take CPU and hold the interpreter up.

Beside an event loop they are for a process of its own.
"""

from functools import lru_cache

from libs.common.programs import Program
from libs.common.programs.artwork import NAMESPACE
from services.certs.fonts import picture_fonts

LARGEST = 2048
"""Pixels of a side."""

_MARK = (
    '<svg xmlns="{namespace}" viewBox="0 0 100 100">'
    '<circle cx="50" cy="50" r="48" fill="{colour}"/>'
    '<circle cx="50" cy="50" r="41" fill="none" stroke="#ffffff" stroke-width="2"/>'
    '<path d="M30 51l14 14 27-31" fill="none" stroke="#ffffff" stroke-width="9" stroke-linecap="round"'
    ' stroke-linejoin="round"/></svg>'
)
"""For a program without artwork of its own."""


def artwork(program: Program) -> str:
    """The program's artwork: an `<svg>` element with a `viewBox`, of plain shapes, with ids that begin `artwork-`."""
    return program.branding.artwork or _MARK.format(namespace=NAMESPACE, colour=program.branding.colour)


def png_of(svg: str, size: int) -> bytes:
    """A PNG of one of our own drawings, `size` pixels wide and as high as its `viewBox` asks for.

    Nothing is fetched, and text is set in the fonts of `fonts.py` only. Same input, same bytes. Takes some
    10 ms for 512 pixels and 130 ms for 2048, and no other thread goes on meanwhile.

    Raises:
        ValueError: no SVG, or a size that is not one of 1 to 2048.
    """
    if not 1 <= size <= LARGEST:
        raise ValueError(f"a side is of 1 to {LARGEST} pixels")
    import resvg_py  # noqa: PLC0415 some megabytes, for the processes that draw

    return resvg_py.svg_to_bytes(
        svg_string=svg,
        width=size,
        skip_system_fonts=True,
        font_files=list(_fonts(every_script=not svg.isascii())),
        font_family="Noto Sans",
        sans_serif_family="Noto Sans",
    )


@lru_cache(maxsize=2)
def _fonts(*, every_script: bool) -> tuple[str, ...]:
    return tuple(str(path) for path in picture_fonts(every_script=every_script))
