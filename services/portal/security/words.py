"""Words and pictures of security. Pure."""

import io
import re
from typing import Final

import segno
from markupsafe import Markup

from services.portal.languages import mark, say

_BROWSERS: Final = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
"""What a browser calls itself, the more special first: most claim to be Chrome or Safari as well."""
_SYSTEMS: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("CrOS", "Chromebook"),
    ("Linux", "Linux"),
)
_GROUP: Final = 4
_LONGEST: Final = 80

PROOF: Final = {
    "password": mark("Enter your password"),
    "code": mark("Enter the code that the app shows"),
}
"""What proves that it is them, by field, and what to do where it is missing."""


def device(agent: str) -> str:
    """What a session runs on: Firefox on Windows."""
    browser = next((name for sign, name in _BROWSERS if f"{sign}/" in agent), None)
    system = next((name for sign, name in _SYSTEMS if sign in agent), None)
    if browser and system:
        return say("{browser} on {system}", browser=browser, system=system)
    return browser or system or agent[:_LONGEST] or say("A device that doesn't say what it is")


def in_groups(secret: str) -> str:
    """A secret as people copy it: in groups of four."""
    return " ".join(re.findall(f".{{1,{_GROUP}}}", secret))


def qr_code(uri: str) -> Markup:
    """A QR code as a part of the page, dark on light in any theme; what it says stands beside it in words."""
    out = io.BytesIO()
    code = segno.make(uri, error="m", micro=False)
    code.save(
        out, kind="svg", xmldecl=False, svgns=True, omitsize=True, border=4, dark="#000", light="#fff", svgclass="qr"
    )
    # Of our own making: nothing of the address gets into it but squares.
    return Markup(out.getvalue().decode().replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1))  # noqa: S704
