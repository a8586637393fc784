"""The fonts of everything drawn here: Noto, as Debian installs it. No other font of a machine is ever used."""

from pathlib import Path

FOLDERS = (Path("/usr/share/fonts/truetype/noto"), Path("/usr/share/fonts/opentype/noto"))
"""Of Debian's `fonts-noto-core` and `fonts-noto-cjk`."""

UNUSED = ("*Mono*", "*Emoji*", "*Condensed*", "*UI-*", "*Thin*", "*Light*", "*Medium*", "*SemiBold*", "*Black*")
"""What lies beside them where further packages are installed; with it the same text could look different."""

_PLAIN = ("NotoSans-Regular.ttf", "NotoSans-Bold.ttf")
_SCRIPTS = (
    *("NotoSansArabic-Regular.ttf", "NotoSansArabic-Bold.ttf", "NotoSansHebrew-Regular.ttf", "NotoSansHebrew-Bold.ttf"),
    *("NotoSansDevanagari-Regular.ttf", "NotoSansDevanagari-Bold.ttf"),
    *("NotoSansThai-Regular.ttf", "NotoSansThai-Bold.ttf", "NotoSansCJK-Regular.ttc", "NotoSansCJK-Bold.ttc"),
)


def picture_fonts(*, every_script: bool = False) -> list[Path]:
    """The fonts for the few words in pictures, as far as they are installed.

    Without `every_script` for Latin, Greek and Cyrillic letters; the others take a while to load.
    """
    wanted = (*_PLAIN, *(_SCRIPTS if every_script else ()))
    return [path for name in wanted for folder in FOLDERS if (path := folder / name).exists()]
