"""The sections of a vendor's definition about files to it: what they hold, how they are called, where they go.

```yaml
demographics:
  folder: /in                        # where our files go
  file: cdd-{program}-{number}.txt
  confirmations:
    folder: /out                     # where the vendor answers
    file: vcdc-{program}-{number}.txt
  every_minutes: 60
  letters: cp1252                    # or latin1, ascii
  countries: alpha3                  # or alpha2
  transliterate: false
  lengths: {FirstName: 30}
  required: [FirstName, LastName, Email]
  required_by_country: {US: [State, PostalCode]}
authorizations:
  folder: /in
  file: ead-{program}-{number}.txt
  confirmations: {folder: /out, file: "eac-{program}-{number}.txt"}
  days: 365                          # of eligibility, where nobody says until when
```
"""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from libs.common.vendor_files.definition import FilesShape

PERSON_COLUMNS = (
    "ClientCandidateID",
    "FirstName",
    "LastName",
    "Email",
    "Address1",
    "Address2",
    "Address3",
    "City",
    "State",
    "PostalCode",
    "Country",
    "Language",
    "LastUpdate",
)
PERSON_LENGTHS = {
    "ClientCandidateID": 50,
    "FirstName": 30,
    "LastName": 50,
    "Email": 255,
    "Address1": 40,
    "Address2": 40,
    "Address3": 40,
    "City": 32,
    "State": 20,
    "PostalCode": 16,
}
"""In characters; what test vendors commonly take."""

AUTHORIZATION_COLUMNS = (
    "AuthorizationTransactionType",
    "ClientAuthorizationID",
    "ClientCandidateID",
    "ExamAuthorizationCount",
    "ExamSeriesCode",
    "Accommodations",
    "EligibilityApptDateFirst",
    "EligibilityApptDateLast",
    "LastUpdate",
)
AUTHORIZATION_LENGTHS = {"ClientAuthorizationID": 25, "ClientCandidateID": 50, "ExamSeriesCode": 20}

Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
Length = Annotated[int, Field(ge=1, le=1000)]

Columns = Annotated[list[str], Field(min_length=1, max_length=30)]
_REQUIRED = ("ClientCandidateID", "FirstName", "LastName", "Email", "Country")


class DemographicsShape(FilesShape):
    """The section `demographics`."""

    columns: Columns = Field(default_factory=lambda: list(PERSON_COLUMNS))
    lengths: dict[str, Length] = Field(default_factory=dict)
    required: list[str] = Field(default_factory=lambda: list(_REQUIRED))
    required_by_country: dict[Country, list[str]] = Field(default_factory=dict)
    countries: Literal["alpha2", "alpha3"] = "alpha3"
    transliterate: bool = False
    """Whether letters that the vendor cannot take are written in others that it can, rather than asked about."""

    @model_validator(mode="after")
    def _columns_exist(self) -> "DemographicsShape":
        _require_known(self._named(), PERSON_COLUMNS)
        if "ClientCandidateID" not in self.columns:
            raise ValueError("`columns` needs ClientCandidateID: confirmations name people by it")
        return self

    def _named(self) -> Iterator[str]:
        yield from (*self.columns, *self.lengths, *self.required)
        for columns in self.required_by_country.values():
            yield from columns

    def length(self, column: str) -> int | None:
        """The most characters that a column takes; None for as many as there are."""
        return self.lengths.get(column, PERSON_LENGTHS.get(column))

    def needs(self, country: str) -> frozenset[str]:
        """The columns that somebody of a country must have."""
        return frozenset(self.required) | frozenset(self.required_by_country.get(country, []))


class AuthorizationsShape(FilesShape):
    """The section `authorizations`."""

    columns: Columns = Field(default_factory=lambda: list(AUTHORIZATION_COLUMNS))
    lengths: dict[str, Length] = Field(default_factory=dict)
    days: Annotated[int, Field(ge=1, le=3_650)] = 365
    """Of eligibility, where nobody says until when."""

    @model_validator(mode="after")
    def _columns_exist(self) -> "AuthorizationsShape":
        _require_known((*self.columns, *self.lengths), AUTHORIZATION_COLUMNS)
        if not {"ClientAuthorizationID", "ClientCandidateID", "AuthorizationTransactionType"} <= set(self.columns):
            raise ValueError(
                "`columns` needs AuthorizationTransactionType, ClientAuthorizationID and ClientCandidateID"
            )
        return self

    def length(self, column: str) -> int | None:
        """The most characters that a column takes; None for as many as there are."""
        return self.lengths.get(column, AUTHORIZATION_LENGTHS.get(column))


def _require_known(named: Iterator[str] | tuple[str, ...], known: tuple[str, ...]) -> None:
    for column in named:
        if column not in known:
            raise ValueError(f"there is no column {column!r}; there are {', '.join(known)}")
