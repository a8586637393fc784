"""What pages load beside their own text: each file at an address that carries its hash, to be kept for a year."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from libs.common.programs import Program
from libs.common.programs.brand import dark, light

CSS: Final = "text/css; charset=utf-8"
WOFF2: Final = "font/woff2"
SVG: Final = "image/svg+xml"
FOREVER: Final = "public, max-age=31536000, immutable"

HERE: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that pages load."""

    name: str
    """Without its hash."""
    media_type: str
    content: bytes

    @property
    def hashed(self) -> str:
        return _hashed(self)


@cache
def _hashed(asset: Asset) -> str:
    stem, _, suffix = asset.name.rpartition(".")
    return f"{stem}-{hashlib.sha256(asset.content).hexdigest()[:16]}.{suffix}"


FONT: Final = Asset("atkinson.woff2", WOFF2, (HERE / "atkinson.woff2").read_bytes())


def style_sheet(*own: Path) -> Asset:
    """One style sheet of what all pages share and what those of a service add."""
    text = "\n".join(path.read_text() for path in (HERE / "base.css", *own))
    return Asset("style.css", CSS, text.replace("atkinson.woff2", FONT.hashed).encode())


@cache
def brand_asset(program: Program) -> Asset:
    """The program's colours."""
    bright, night = light(program.branding.colour)._asdict(), dark(program.branding.colour)._asdict()
    rules = (f"--{name.replace('_', '-')}:light-dark({bright[name]},{night[name]})" for name in bright)
    return Asset(f"brand-{program.id}.css", CSS, f":root{{{';'.join(rules)}}}\n".encode())


class Shelf:
    """Where a service keeps what its pages load.

    Args:
        base: address of the folder, on the host that the pages are from, whatever its name.
        style: the service's style sheet.
        more: what only some of its pages load.
    """

    def __init__(self, base: str, style: Asset, *more: Asset) -> None:
        self._base = base
        self.style = style
        self._more = more

    def address(self, asset: Asset) -> str:
        """Where it lies, as pages write it."""
        return self._base + asset.hashed

    def find(self, hashed: str, programs: Iterable[Program]) -> tuple[Asset, bool] | None:
        """The file that an address asks for, and whether it is just that one.

        While two versions of us run side by side, a page of one may ask the other for its files. What that one has is
        better than nothing, and nobody may keep it under this address.
        """
        stem, _, suffix = hashed.rpartition(".")
        name = f"{stem.rpartition('-')[0]}.{suffix}"
        found = next((one for one in self._all(programs) if one.name == name), None)
        return (found, found.hashed == hashed) if found else None

    def _all(self, programs: Iterable[Program]) -> Iterator[Asset]:
        yield from (self.style, FONT, *self._more)
        yield from map(brand_asset, programs)
