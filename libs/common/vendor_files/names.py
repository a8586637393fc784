"""Names of files: a pattern with places for what differs, to write a name and to read one."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

_PLACE = re.compile(r"\{([a-z]+)\}")
_READ = {
    "program": r"(?P<program>[a-z][a-z0-9]{1,30})",
    "number": r"(?P<number>\d{1,12})",
    "date": r"\d{8}",
    "from": r"(?P<from>\d{8})",
    "to": r"(?P<to>\d{8})",
    "any": r".*",
}
_PLAIN = re.compile(r"[A-Za-z0-9._-]+")
UNFINISHED = (".part", ".tmp", ".filepart")
"""Endings of names under which files are written by programs that then rename them."""


def is_finished_name(name: str) -> bool:
    """Whether a file of this name may be read at all."""
    return not name.startswith(".") and not name.lower().endswith(UNFINISHED)


@dataclass(frozen=True)
class NamePattern:
    """A pattern like `cdd-{program}-{number}.txt`.

    Raises:
        ValueError: a place is unknown or stands twice, or the rest has more than letters, digits, `.`, `_` and `-`.
    """

    text: str

    def __post_init__(self) -> None:
        places = _PLACE.findall(self.text)
        unknown = [place for place in places if place not in _READ]
        if unknown:
            raise ValueError(f"there is no place {{{unknown[0]}}}; there are {', '.join(sorted(_READ))}")
        if len(set(places) - {"any"}) != len([place for place in places if place != "any"]):
            raise ValueError("a place stands twice")
        if not _PLAIN.fullmatch(_PLACE.sub("x", self.text)):
            raise ValueError("may have letters, digits, '.', '_', '-' and places in braces")

    @property
    def places(self) -> frozenset[str]:
        return frozenset(_PLACE.findall(self.text))

    def write(self, *, program: str, number: int, day: date) -> str:
        """The name of a file; numbers have six digits at least, so that names sort as they were made."""
        values = {"program": program, "number": f"{number:06}", "date": f"{day:%Y%m%d}"}
        return _PLACE.sub(lambda place: values[place[1]], self.text)

    def read(self, name: str) -> Mapping[str, str] | None:
        """What stands in the places of a name; None where it is not of this pattern."""
        found = self._form.fullmatch(name)
        return found.groupdict() if found else None

    @cached_property
    def _form(self) -> re.Pattern[str]:
        parts = _PLACE.split(self.text)
        return re.compile("".join(_READ[part] if at % 2 else re.escape(part) for at, part in enumerate(parts)))
