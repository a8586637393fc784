"""Field types of the published event language, and the marks they carry."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

PERSONAL = {"x-personal-data": True}
"""JSON Schema mark for a field that holds personal data: never logged, exported and erased with its person."""

SECRET = {**PERSONAL, "x-secret": True}
"""Mark for a field that opens something, or says whom a pseudonym stands for: no subscriber outside is told it."""

_EARLIEST = datetime(1980, 1, 1, tzinfo=UTC)
_LATEST = datetime(2100, 1, 1, tzinfo=UTC)
_SINGLE_LINE = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$"
"""No control character and no line break of any kind, so that nothing can be smuggled into a mail's header."""


_ID_CHARACTERS = r"^[A-Za-z0-9._:/@+=-]+$"

PartnerId = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=_ID_CHARACTERS)]
"""An opaque id of a partner's: printable ASCII without spaces."""

Identifier = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_ID_CHARACTERS)]
"""An id of ours; it may be composed of program, partner and a partner's id."""

Code = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._:*-]+$")]
"""A catalogue code: an exam, a course, a certification."""

ProgramId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]{1,30}$")]
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=_SINGLE_LINE)]
"""One line of text in any script, without control characters."""

Remark = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000, pattern=_SINGLE_LINE)]
"""A sentence or some, in a person's words, on one line."""

PersonName = Annotated[Line, Field(json_schema_extra=PERSONAL)]
EmailAddress = Annotated[
    str,
    StringConstraints(
        max_length=254, pattern=r"^[^\s@<>\"(),:;\\\[\]\x00-\x1f\x7f]+@[^\s@<>\"(),:;\\\[\]]+\.[^\s@.]+$"
    ),
    Field(json_schema_extra=PERSONAL),
]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
"""ISO 3166-1 alpha-2."""

Language = Annotated[str, StringConstraints(max_length=35, pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
"""BCP 47."""

Moment = Annotated[AwareDatetime, Field(ge=_EARLIEST, lt=_LATEST)]
"""A moment with its offset from UTC: the offset tells the local date at the place it happened."""

Url = Annotated[str, StringConstraints(max_length=2000, pattern=r"^https://[^\s\"<>\\^`{|}]+$")]


class Address(BaseModel):
    """A postal address as its sender wrote it; what a country requires is checked where something is shipped."""

    lines: Annotated[list[Line], Field(min_length=1, max_length=6, json_schema_extra=PERSONAL)]
    city: Annotated[Line | None, Field(json_schema_extra=PERSONAL)] = None
    region: Line | None = None
    postal_code: Annotated[Line | None, Field(json_schema_extra=PERSONAL)] = None
    country: Country
