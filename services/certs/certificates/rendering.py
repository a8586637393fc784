"""Draws certificates. Runs in processes of its own, which see no fonts but ours and reach no address."""

import os
import stat
import tempfile
from datetime import UTC, datetime, time
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any

from services.certs.certificates.content import Content
from services.certs.certificates.page import page_of
from services.certs.fonts import FOLDERS, UNUSED

FORMAT = "pdf/a-3a"


class CannotDraw(Exception):
    """This machine lacks what drawing takes; the text says what."""


class Unprintable(ValueError):
    """No font has a sign of the name or the title; or the page names something that lies outside it."""


def lacking() -> str | None:
    """What this machine lacks, so that nothing can be drawn; None where all is there. Loads it in a second or two."""
    try:
        _library()
    except CannotDraw as error:
        return str(error)
    return None


def render(content: Content) -> bytes:
    """The certificate as a tagged PDF/A-3a with the credential attached. Same content, same bytes, in every process.

    Takes some tens of milliseconds, the first time in a process some seconds.

    Raises:
        CannotDraw: Pango or the fonts are not installed.
        Unprintable: a sign is in no font of ours.
    """
    library, fonts = _library()
    issued_at = datetime.combine(content.issued_on, time(), UTC)
    credential = library.Attachment(
        string=content.credential,
        name="credential.json",
        description="The signed credential (Open Badges 3.0)",
        created=issued_at,
        modified=issued_at,
        relationship="Data",
    )
    # Only what the page holds itself is ever opened.
    fetcher = library.URLFetcher(allowed_protocols=("data",), fail_on_errors=True)
    try:
        document = library.HTML(string=page_of(content), url_fetcher=fetcher).render(font_config=fonts)
    except library.urls.FatalURLFetchingError as error:  # no `Exception`: it would end whoever waits for the drawing
        raise Unprintable(str(error)) from None
    identifier = sha256(repr(content).encode()).hexdigest()[:32].encode()
    file: bytes = document.write_pdf(
        pdf_variant=FORMAT, pdf_identifier=identifier, attachments=[credential], pdf_tags=True
    )
    missing = {sign for font in document.fonts.values() for sign in font.missing}
    if missing:
        raise Unprintable(", ".join(f"U+{sign:04X}" for sign in sorted(missing)))
    return file


@lru_cache(maxsize=1)
def _library() -> tuple[ModuleType, Any]:
    """WeasyPrint, and the fonts that it sees. Pango is loaded here, so that the service runs without it."""
    if not any(folder.is_dir() for folder in FOLDERS):
        raise CannotDraw("the fonts of Debian's packages fonts-noto-core and fonts-noto-cjk are not installed")
    os.environ["FONTCONFIG_FILE"] = str(_font_configuration())
    try:
        import weasyprint  # noqa: PLC0415 it loads Pango, and must find our configuration then
        from weasyprint.text.fonts import FontConfiguration  # noqa: PLC0415
    except OSError as error:
        raise CannotDraw(f"Pango is not installed (Debian: libpango-1.0-0, libpangoft2-1.0-0): {error}") from error
    return weasyprint, FontConfiguration()


def _font_configuration() -> Path:
    """A fontconfig file that knows our fonts only; the same for every process of this user.

    Raises `CannotDraw` where somebody else has put something in its place: they could have others drawn.
    """
    folder = Path(tempfile.gettempdir()) / f"certrail-fonts-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise CannotDraw(f"{folder} is not a folder that only we can write to")
    text = "".join(
        (
            '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd"><fontconfig>',
            *(f"<dir>{each}</dir>" for each in FOLDERS),
            *(f"<selectfont><rejectfont><glob>{each}</glob></rejectfont></selectfont>" for each in UNUSED),
            f"<cachedir>/var/cache/fontconfig</cachedir><cachedir>{folder}</cachedir></fontconfig>",
        )
    )
    path = folder / f"{sha256(text.encode()).hexdigest()[:16]}.conf"
    if not path.exists():
        fresh = path.with_suffix(f".{os.getpid()}")
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(path)
    return path
