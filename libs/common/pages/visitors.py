"""The language of pages for visitors: people without an account, of whom nothing is kept, not even a cookie.

It is the one that the browser asks for, or another that was chosen on a page: the choice stands in the address
(`lang`), and what the page links to has it too.
"""

from contextvars import ContextVar
from typing import Annotated, Any, Final, NamedTuple
from urllib.parse import urlencode

from pydantic import Field

from libs.common.http.models import Parameters
from libs.common.http.routes import Call
from libs.common.languages import LANGUAGES, READER, Language, language_of, wanted_language

LANGUAGE_FIELD: Final = "lang"
"""Of an address."""
_LONGEST_TAG: Final = 35
"""As long as every BCP 47 tag may need to be (RFC 5646, 4.4.1)."""


class PageQuery(Parameters):
    """What every address of a page for visitors takes."""

    lang: Annotated[
        str | None,
        Field(
            max_length=_LONGEST_TAG,
            description="Language of a page (BCP 47) in place of `Accept-Language`; one that we lack is passed over",
        ),
    ] = None


class Visitor(NamedTuple):
    """How somebody asked for a page.

    Attributes:
        chosen: the language that its address names.
        asked: everything else in the address, by which the same page is asked for in another language; None where
            it cannot be asked for again.
    """

    chosen: Language | None = None
    asked: tuple[tuple[str, str], ...] | None = None

    def link(self, path: str) -> str:
        """The address of another page of ours, in the language that was chosen."""
        return f"{path}?{LANGUAGE_FIELD}={self.chosen.code}" if self.chosen else path

    @property
    def choices(self) -> list[tuple[Language, str]]:
        """All languages, each with the address of the same page in it; none where that cannot be asked for."""
        if self.asked is None:
            return []
        return [(one, f"?{urlencode((*self.asked, (LANGUAGE_FIELD, one.code)))}") for one in LANGUAGES.values()]


_NOBODY: Final = Visitor()
VISITOR: Final[ContextVar[Visitor]] = ContextVar("visitor", default=_NOBODY)
"""Whose page is written."""


def speak_to(call: Call[Any, Any, Any], *, repeatable: bool = True) -> None:
    """Say what follows in the language of whoever asks for a page. What is signed or kept is not to be made after it.

    Args:
        call: whose query is a `PageQuery`.
        repeatable: whether following a link gives the same page again.
    """
    query: PageQuery = call.query
    chosen = language_of(query.lang)
    READER.set(chosen or wanted_language(call.headers.get("Accept-Language", "")))
    given = query.model_dump(exclude={LANGUAGE_FIELD}, exclude_defaults=True)
    asked = tuple((name, str(value)) for name, value in given.items()) if repeatable else None
    VISITOR.set(Visitor(chosen, asked))
