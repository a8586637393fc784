"""States: never by their colour alone."""

from dataclasses import dataclass
from typing import Literal

ChipKind = Literal["ok", "warn", "bad", "wait", "off"]


@dataclass(frozen=True, slots=True)
class Chip:
    """A state as a coloured word.

    Attributes:
        kind: ok (holds), warn (expiring, late, costs), bad (expired, revoked, failed), wait (expected, in review), off.
        word: marked for translation where it is a constant; the macro `chip` says it.
    """

    kind: ChipKind
    word: str
