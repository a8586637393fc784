"""What a language needs to say for mails to be written in it; the facts are those of Unicode's CLDR.

They stand here in so many words: the libraries that carry all of CLDR take more memory than the rest of the service's
own code. Tests compare them with CLDR.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Literal

from libs.common import languages
from libs.common.languages.days import written

Plural = Literal["zero", "one", "two", "few", "many", "other"]
"""CLDR's plural categories; a language uses some of them."""

OWN_WORDS = frozenset({"day", "moment", "grade", "case"})
"""The filters whose result is text of the language itself; every other value may be in any script."""


@dataclass(frozen=True, slots=True, eq=False)
class Language:
    """How a language writes days, moments, numbers of things, grades and cases."""

    written: languages.Language
    """Its code, direction, days and moments."""
    grades: Mapping[str, str]
    cases: Mapping[str, str]
    other_case: str
    """For kinds that are added before their words are."""
    link_withheld: str
    """Stands in the log for a link that opens an account."""
    plural: Callable[[int], Plural]
    """The category of a whole number."""
    filters: Mapping[str, Callable[[Any], Any]] = field(init=False)
    """As templates use them."""

    def __post_init__(self) -> None:
        filters = {
            "day": self._day,
            "moment": self._moment,
            "grade": self.grades.__getitem__,
            "case": self._case,
            "plural": self._plural,
        }
        object.__setattr__(self, "filters", filters)

    @property
    def code(self) -> str:
        """BCP 47, the primary subtag alone."""
        return self.written.code

    @property
    def direction(self) -> Literal["ltr", "rtl"]:
        return self.written.direction

    @property
    def right_to_left(self) -> bool:
        return self.direction == "rtl"

    def _day(self, iso: str) -> str:
        return written(date.fromisoformat(iso), self.code)

    def _moment(self, moment: datetime) -> str:
        utc = moment.astimezone(UTC)
        return self.written.moment.format(day=written(utc.date(), self.code), time=f"{utc:%H:%M}")

    def _case(self, kind: str) -> str:
        return self.cases.get(kind, self.other_case)

    def _plural(self, count: float) -> Plural:
        return self.plural(int(count)) if count == int(count) else "other"
