"""The fonts of everything drawn here: Noto, as Debian installs it. No other font of a machine is ever used."""

from pathlib import Path

FOLDERS = (Path("/usr/share/fonts/truetype/noto"), Path("/usr/share/fonts/opentype/noto"))
"""Of Debian's `fonts-noto-core` and `fonts-noto-cjk`."""

PICTURES = ("NotoSans-Regular.ttf", "NotoSans-Bold.ttf", "NotoSerif-Regular.ttf", "NotoSerif-Bold.ttf")
"""For the few words that stand in pictures."""


def font_files() -> list[Path]:
    """The fonts for pictures, as far as they are installed."""
    return [path for folder in FOLDERS for name in PICTURES if (path := folder / name).exists()]
