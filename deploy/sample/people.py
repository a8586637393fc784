"""Invented people whose names, addresses and clocks fit the country they live in."""

import json
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

DOMAINS = ("example.com", "example.org", "example.net", "mail.example.com", "netz.example", "correo.example")
SHARED_MAILBOX = 0.03
"""Share of people who give the mailbox of somebody before them: a family's, or a training company's."""
MONONYM = 0.015
NAMELESS = {"given": ("FNU", ".", "-"), "family": ("LNU", ".", "-")}
"""What vendors write where a person has one name only and the form asks for two."""

# Letters that carry no separable accent, so that decomposition does not turn them into ASCII.
_LATIN = str.maketrans(
    {
        "ß": "ss",
        "ø": "o",
        "Ø": "O",
        "ł": "l",
        "Ł": "L",
        "đ": "d",
        "Đ": "D",
        "\u0131": "i",
        "æ": "ae",
        "Æ": "Ae",
    }
    | {"þ": "th", "Þ": "Th", "ð": "d", "œ": "oe"}
)


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """Somebody who takes exams, possibly at both vendors and in both programs. Compared by identity."""

    given_name: str
    family_name: str
    email: str
    country: str
    language: str
    zone: ZoneInfo
    city: str


@dataclass(frozen=True, slots=True)
class _Name:
    written: str
    ascii: str


@dataclass(frozen=True, slots=True)
class _Country:
    code: str
    language: str
    places: tuple[tuple[str, str], ...]
    given: tuple[_Name, ...]
    family: tuple[_Name, ...]


def _name(entry: str) -> _Name:
    """One entry of the data file: `written/ascii`, with `_` for a space; Latin names need no second half."""
    written, _, spelled = entry.partition("/")
    if not spelled:
        plain = unicodedata.normalize("NFKD", written.translate(_LATIN))
        spelled = "".join(letter for letter in plain if letter.isascii() and (letter.isalpha() or letter == "'"))
    return _Name(written.replace("_", " "), spelled.lower())


@cache
def _countries() -> tuple[tuple[_Country, ...], tuple[int, ...]]:
    data: dict[str, Any] = json.loads(Path(__file__).with_name("people.json").read_text(encoding="utf-8"))
    countries = tuple(
        _Country(
            code=code,
            language=entry["language"],
            places=tuple((zone, city) for zone, city in entry["places"]),
            given=tuple(_name(word) for word in entry["given"].split()),
            family=tuple(_name(word) for word in entry["family"].split()),
        )
        for code, entry in data.items()
    )
    return countries, tuple(entry["weight"] for entry in data.values())


def _written_names(rng: Random, country: _Country, given: _Name, family: _Name) -> tuple[str, str]:
    """The two name fields as a vendor would send them, with the oddities vendors do send."""
    chance = rng.random()
    if chance < MONONYM:
        filler = rng.choice(NAMELESS["family"])
        return rng.choice(
            [(given.written, filler), (rng.choice(NAMELESS["given"]), given.written), (given.written,) * 2]
        )
    if chance < 2 * MONONYM:  # many given names and several family names, as passports of some countries have them
        more = " ".join(name.written for name in rng.sample(country.given, min(4, len(country.given))))
        return more, " ".join(name.written for name in rng.sample(country.family, min(3, len(country.family))))
    if chance < 3 * MONONYM:  # the same letters in the decomposed form some keyboards produce
        return unicodedata.normalize("NFD", given.written), unicodedata.normalize("NFD", family.written)
    if chance < 4 * MONONYM:
        return given.written.upper(), family.written.upper()
    return given.written, family.written


def _mailbox(rng: Random, given: _Name, family: _Name, number: int) -> str:
    local = rng.choice([f"{given.ascii}.{family.ascii}{number}", f"{given.ascii[0]}{family.ascii}+it{number}"])
    return f"{local}@{rng.choice(DOMAINS)}"


def make_people(rng: Random, how_many: int) -> list[Person]:
    """People from all countries of the data file, by its weights; mailboxes are ASCII and mostly unique."""
    countries, weights = _countries()
    people: list[Person] = []
    for number in range(1, how_many + 1):
        country = rng.choices(countries, weights)[0]
        given, family = rng.choice(country.given), rng.choice(country.family)
        zone, city = rng.choice(country.places)
        given_name, family_name = _written_names(rng, country, given, family)
        email = _mailbox(rng, given, family, number)
        if people and rng.random() < SHARED_MAILBOX:
            email = rng.choice(people).email
        people.append(Person(given_name, family_name, email, country.code, country.language, ZoneInfo(zone), city))
    return people
