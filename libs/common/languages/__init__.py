"""The languages that people read, and how sentences are said in the one of whoever reads."""

from contextvars import ContextVar
from functools import lru_cache
from typing import Final, Literal, NamedTuple


class Language(NamedTuple):
    """A language that people can choose.

    Attributes:
        code: BCP 47, the primary subtag alone.
        name: as its readers call it.
        direction: of its script.
        locale: whose numbers and weekdays it has (CLDR).
        months: as its sentences have them.
        day: how a sentence writes a day, of `{day}`, `{month}` and `{year}`.
        moment: how it writes a moment, of `{day}` and `{time}`; the zone is said, for where the reader's clock stands
            is not known.
    """

    code: str
    name: str
    direction: Literal["ltr", "rtl"]
    locale: str
    months: tuple[str, ...]
    day: str
    moment: str


# fmt: off
ENGLISH: Final = Language("en", "English", "ltr", "en_GB", (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
), "{day} {month} {year}", "{day}, {time} UTC")
"""In which sentences are written; where another language lacks one, it is said in English."""

SPANISH: Final = Language("es", "Español", "ltr", "es", (
    "enero", "febrero", "marzo", "abril", "mayo", "junio",
    "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre",
), "{day} de {month} de {year}", "{day}, {time} UTC")

ARABIC: Final = Language("ar", "العربية", "rtl", "ar", (
    "يناير", "فبراير", "مارس", "أبريل", "مايو", "يونيو",
    "يوليو", "أغسطس", "سبتمبر", "أكتوبر", "نوفمبر", "ديسمبر",
), "{day} {month} {year}", "{day}، {time} UTC")
# fmt: on

LANGUAGES: Final = {language.code: language for language in (ENGLISH, SPANISH, ARABIC)}

READER: Final[ContextVar[Language]] = ContextVar("language", default=ENGLISH)
"""The language of whoever is answered; set where a request comes in."""


def language_of(tag: str | None) -> Language | None:
    """Our language for a BCP 47 tag, by its primary subtag; None where it is none of ours."""
    return LANGUAGES.get((tag or "").partition("-")[0].lower())


@lru_cache(maxsize=256)
def wanted_language(accept: str) -> Language:
    """The best of ours for an `Accept-Language` field (RFC 9110, 12.5.4); English where none fits."""
    weighed = []
    for place, entry in enumerate(accept.split(",")[:_MOST_ENTRIES]):
        tag, _, parameter = entry.strip().partition(";")
        language = language_of(tag)
        weight = _weight(parameter.strip())
        if language is not None and weight > 0:
            weighed.append((-weight, place, language))
    return min(weighed)[2] if weighed else ENGLISH


_MOST_ENTRIES: Final = 20


def _weight(parameter: str) -> float:
    if not parameter:
        return 1.0
    try:
        return float(parameter.removeprefix("q="))
    except ValueError:
        return 0.0
