"""How likely two accounts are of one person, with the reasons: a suggestion to staff, who decide.

A name never decides alone: with another e-mail address it reaches half of the score at most.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Reason = Literal["email", "name", "address", "country"]

WORTH_A_LOOK = 0.4
"""Below it nothing is suggested."""
_WEIGHTS: dict[Reason, float] = {"email": 0.5, "name": 0.35, "address": 0.1, "country": 0.05}
_ALIKE = 0.75
"""From here on a part is named as a reason."""


@dataclass(frozen=True, slots=True)
class Person:
    """What is compared of an account; empty where it is not known.

    Attributes:
        names: each way the name is written, in any script.
        address: its lines, city and postal code in one text.
    """

    id: str
    names: tuple[str, ...]
    email: str
    country: str
    address: str = ""
    merged: bool = False


@dataclass(frozen=True, slots=True)
class Likeness:
    """A score from 0 to 1, and what speaks for it, the weightiest first."""

    id: str
    score: float
    reasons: tuple[Reason, ...]


def compare(one: Person, other: Person) -> Likeness:
    """How alike two are, by what is known of both; the same in either order but for the `id`, which is the other's."""
    parts: dict[Reason, float] = {"name": max(_texts(a, b) for a in one.names for b in other.names)}
    if one.email and other.email:
        parts["email"] = float(one.email.casefold() == other.email.casefold())
    if one.country and other.country:
        parts["country"] = float(one.country == other.country)
    if one.address and other.address:
        parts["address"] = _texts(one.address, other.address)
    known = [reason for reason in _WEIGHTS if reason in parts]
    score = sum(_WEIGHTS[reason] * parts[reason] for reason in known) / sum(_WEIGHTS[reason] for reason in known)
    reasons = tuple(reason for reason in known if parts[reason] >= _ALIKE)
    return Likeness(other.id, min(score, 1.0), reasons)


def similar(person: Person, others: Iterable[Person]) -> list[Likeness]:
    """Those worth a look, the likeliest first: never the person's own account, nor one that was merged."""
    found = [compare(person, other) for other in others if other.id != person.id and not other.merged]
    worth = [likeness for likeness in found if likeness.score >= WORTH_A_LOOK]
    return sorted(worth, key=lambda likeness: (-likeness.score, likeness.id))


def tokens(text: str) -> tuple[str, ...]:
    """The words of a text in order of the alphabet, without case, accents and punctuation, in any script."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    words = "".join(c if c.isalnum() else " " for c in plain).split()
    return tuple(sorted(words)) or (text.strip(),)


def _texts(one: str, other: str) -> float:
    ours, theirs = tokens(one), tokens(other)
    return (_found(ours, theirs) + _found(theirs, ours)) / 2


def _found(words: tuple[str, ...], among: tuple[str, ...]) -> float:
    """How well the words are found among others, on average."""
    return sum(max(_words(word, each) for each in among) for word in words) / len(words)


def _words(one: str, other: str) -> float:
    longest = max(len(one), len(other))
    return 1.0 if longest == 0 else 1 - _distance(one, other) / longest


def _distance(one: str, other: str) -> int:
    """Insertions, deletions and replacements between two words (V. I. Levenshtein, 1965)."""
    row = list(range(len(other) + 1))
    for i, c in enumerate(one, start=1):
        diagonal, row[0] = row[0], i
        for j, d in enumerate(other, start=1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (c != d))
    return row[-1]
