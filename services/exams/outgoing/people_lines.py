"""A candidate as a line for a vendor: what it would hold, and what keeps it from being sent. Pure."""

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from anyascii import anyascii

from libs.common.vendor_files.letters import fits, strange
from services.exams.outgoing.countries import ALPHA3
from services.exams.outgoing.definition import DemographicsShape

Code = Literal["letters", "too_long", "missing"]

_ADDRESS_LINES = 3

_FIELDS = {
    "ClientCandidateID": ("candidate_id", "candidate ID"),
    "FirstName": ("given_name", "given name"),
    "LastName": ("family_name", "family name"),
    "Email": ("email", "e-mail address"),
    "Address1": ("address.lines", "first line of your address"),
    "Address2": ("address.lines", "second line of your address"),
    "Address3": ("address.lines", "third line of your address"),
    "City": ("address.city", "city"),
    "State": ("address.region", "state or region"),
    "PostalCode": ("address.postal_code", "postal code"),
    "Country": ("country", "country"),
    "Language": ("language", "language"),
    "LastUpdate": ("", ""),
}
"""By column: the field of the profile, and how people call it."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What keeps a line from being sent.

    Attributes:
        field: of the profile, dotted.
        column: of the vendor's file.
        letters: those that the vendor cannot take, each once.
        limit: how many characters it takes.
    """

    field: str
    column: str
    code: Code
    letters: str = ""
    limit: int | None = None

    def reason(self, vendor: str) -> str:
        """What is wrong, in a sentence for the candidate."""
        words = _FIELDS[self.column][1]
        if self.code == "letters":
            some = ", ".join(_shown(letter) for letter in self.letters)
            return f"{vendor} cannot take {some} in your {words}."
        if self.code == "too_long":
            return f"{vendor} takes {self.limit} characters at most for your {words}."
        return f"{vendor} needs your {words}."


@dataclass(frozen=True, slots=True)
class Line:
    """What a vendor would see of a candidate, by column, and what is wrong with it."""

    values: Mapping[str, str]
    problems: tuple[Problem, ...]


def line_of(person: Mapping[str, Any], rules: DemographicsShape) -> Line:
    """The line of a candidate by a vendor's rules; one with problems is not sent.

    `person` has the fields of `CandidateProfileChanged`. Names in a script of their own are never looked at.
    """
    texts = _texts(person, rules)
    needed = rules.needs((person.get("address") or {}).get("country") or person["country"])
    values: dict[str, str] = {}
    problems: list[Problem] = []
    for column in rules.columns:
        text = unicodedata.normalize("NFC", texts.get(column, ""))
        if rules.transliterate:
            text = "".join(letter if fits(letter, rules.letters) else anyascii(letter) for letter in text)
        values[column] = text
        problems += _faults(column, text, rules, needed)
    return Line(values, tuple(problems))


def _texts(person: Mapping[str, Any], rules: DemographicsShape) -> dict[str, str]:
    address = person.get("address") or {}
    country = address.get("country") or person["country"]
    lines = list(address.get("lines") or [])
    if len(lines) > _ADDRESS_LINES:
        lines[_ADDRESS_LINES - 1 :] = [", ".join(lines[_ADDRESS_LINES - 1 :])]
    return {
        "ClientCandidateID": person["candidate_id"],
        "FirstName": person["given_name"],
        "LastName": person["family_name"],
        "Email": person["email"],
        **{f"Address{number}": line for number, line in enumerate(lines, start=1)},
        "City": address.get("city") or "",
        "State": address.get("region") or "",
        "PostalCode": address.get("postal_code") or "",
        "Country": ALPHA3.get(country, "") if rules.countries == "alpha3" else country,
        "Language": person.get("language") or "",
    }


def _faults(column: str, text: str, rules: DemographicsShape, needed: frozenset[str]) -> Iterator[Problem]:
    field = _FIELDS[column][0]
    if not text:
        if column in needed:
            yield Problem(field, column, "missing")
        return
    foreign = strange(text, rules.letters)
    if foreign:
        yield Problem(field, column, "letters", letters=foreign)
    limit = rules.length(column)
    if limit is not None and len(text) > limit:
        yield Problem(field, column, "too_long", limit=limit)


def _shown(letter: str) -> str:
    if letter.isprintable() and not unicodedata.combining(letter):
        return f"“{letter}”"
    return f"the character U+{ord(letter):04X}"
