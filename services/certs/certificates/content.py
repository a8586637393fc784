"""Everything that stands on a certificate. Equal contents give equal files, byte for byte."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

Paper = Literal["A4", "Letter"]

_LETTER = frozenset({"BZ", "CA", "CL", "CO", "CR", "GT", "MX", "NI", "PA", "PH", "PR", "SV", "US", "VE"})
"""Where paper is Letter (Unicode CLDR, supplemental data, paperSize); A4 is everywhere else."""


def paper_of(country: str) -> Paper:
    """The paper that people print on in a country (ISO 3166-1, two letters)."""
    return "Letter" if country in _LETTER else "A4"


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """One certificate."""

    program: str
    """Name of the program."""
    colour: str
    """`#rrggbb`."""
    artwork: str
    """An `<svg>` element that was checked on loading, or our own."""
    name: str
    native_name: str | None
    """The name in its own script, where that is another."""
    country: str
    statement: str
    title: str
    earned_on: date
    expires_on: date | None
    """Last active day; None where it never expires."""
    issued_on: date
    signatory: str | None
    signatory_title: str | None
    code: str
    """Verification code, as it is printed."""
    address: str
    """Where the code leads."""
    credential: bytes
    """The signed credential; attached as it is."""
