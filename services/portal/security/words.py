"""Words and pictures of security. Pure."""

import io
import re
from typing import Final

import segno
from markupsafe import Markup

from services.portal.languages import mark, say

_GROUP: Final = 4

PROOF: Final = {
    "password": mark("Enter your password"),
    "code": mark("Enter the code that the app shows"),
}
"""What proves that it is them, by field, and what to do where it is missing."""


def device(family: str) -> str:
    """What a session runs on, from how identity puts it: `Firefox on Windows`, one of both, or `unknown`."""
    browser, on, system = family.partition(" on ")
    if on:
        return say("{browser} on {system}", browser=browser, system=system)
    return say("A device that doesn't say what it is") if family == "unknown" else family


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
