"""Where a definition states each of its rules: file, line and wording, found by path."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

_LAST_PART = re.compile(r"(\[\d+\]|\.?[^.\[\]]+)$")
_COMMENT = re.compile(r"(?m)(^|\s)#.*$")
_LONGEST = 400
"""Characters of wording shown; a clause is one rule, not a chapter."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One statement of a definition."""

    path: str
    file: str
    line: int
    wording: str


class Span(NamedTuple):
    """Where a value is written: its line, and its first and last character."""

    line: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Clauses:
    """Every path of one definition."""

    file: str
    text: str
    spans: Mapping[str, Span]

    def statements(self) -> dict[str, Clause]:
        """The innermost statements by path, in the order written: values, not the mappings around them."""
        inner = {path: span for path, span in self.spans.items() if span.end > span.start}
        around = {_LAST_PART.sub("", path) for path in inner}
        return {path: self.find(path) for path in inner if path not in around}

    def sections(self, names: Iterable[str]) -> list[Clause]:
        """The statements right below each section, or the section itself where it is one value."""
        found = []
        for name in names:
            below = [path for path in self.spans if _LAST_PART.sub("", path) == name and path != name]
            found += [self.find(path) for path in below or [name] if path in self.spans]
        return found

    def find(self, path: str) -> Clause:
        """The statement at `path`, or the nearest one around it; or that the file says nothing of it."""
        place = path
        while place and place not in self.spans:
            place = _LAST_PART.sub("", place)
        if path and not place:
            return Clause(path, self.file, 1, f"the definition says nothing of {path}; the fact itself does")
        span = self.spans.get(place, Span(1, 0, 0))
        wording = " ".join(_COMMENT.sub("", self.text[span.start : span.end]).split())
        if len(wording) > _LONGEST:
            wording = wording[: _LONGEST - 1] + "…"
        return Clause(path, self.file, span.line, wording)
