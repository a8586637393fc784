"""What pages load beside their own text: each file at an address that carries its hash, to be kept for a year."""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from libs.common.programs import Program
from libs.common.programs.brand import Theme, dark, light

BASE: Final = "/api/certs/v1/public/assets/"
CSS: Final = "text/css; charset=utf-8"
WOFF2: Final = "font/woff2"
FOREVER: Final = "public, max-age=31536000, immutable"

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that pages load."""

    name: str
    """Without its hash."""
    media_type: str
    content: bytes

    @property
    def hashed(self) -> str:
        stem, _, suffix = self.name.rpartition(".")
        return f"{stem}-{hashlib.sha256(self.content).hexdigest()[:16]}.{suffix}"


@cache
def address(asset: Asset) -> str:
    """Where it lies, as pages write it: on the host that they are from, whatever its name."""
    return BASE + asset.hashed


FONT: Final = Asset("atkinson.woff2", WOFF2, (_HERE / "atkinson.woff2").read_bytes())
STYLE: Final = Asset(
    "style.css", CSS, (_HERE / "style.css").read_text().replace("atkinson.woff2", FONT.hashed).encode()
)


@cache
def brand_asset(program: Program) -> Asset:
    """The program's colours."""
    colour = program.branding.colour
    bright, night = _rules(light(colour)), _rules(dark(colour))
    text = f":root{{{bright}}}\n@media (prefers-color-scheme:dark){{:root{{{night}}}}}\n"
    return Asset(f"brand-{program.id}.css", CSS, text.encode())


def _rules(theme: Theme) -> str:
    return ";".join(f"--{name.replace('_', '-')}:{colour}" for name, colour in theme._asdict().items())
