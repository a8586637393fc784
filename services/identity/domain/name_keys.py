"""Names of accounts as they are searched for, also misspelt.

A search makes the misspellings of what was typed and looks for all of them, so that little is kept of an account:
a key a word of its names.
"""

from collections.abc import Mapping, Sequence
from string import ascii_lowercase
from typing import Any, Final

from rapidfuzz.distance import DamerauLevenshtein

from libs.common.name_keys import name_keys

FIELDS: Final = ("given_name", "family_name", "native_name", "former_names")
"""What of an account its keys are made of."""

_FORGIVING_FROM: Final = 4
"""Shorter words have too many neighbours to mean anything."""
_HALVES_FROM: Final = 8
"""From here on two errors are forgiven, if the first half has none."""
_BEGUN: Final = 0.95
"""How alike a word is to one that it begins."""


def keys_of(account: Mapping[str, Any]) -> list[str]:
    """The keys of an account, of all names it has and had; a native name may also be written without a space."""
    names: list[str] = []
    for name in (account, *account.get("former_names", ())):
        names += (name["given_name"], name["family_name"])
        native = name.get("native_name")
        if native:
            family, given = native["family_name"], native["given_name"]
            names += (family, given, *(() if (family + given).isascii() else (family + given,)))
    return name_keys(names)


def misspellings(key: str) -> set[str]:
    """The key itself, and every word that one typing error apart from it: a letter more, less, another, or two swapped.

    Of fewer than four letters only the key.
    """
    if len(key) < _FORGIVING_FROM:
        return {key}
    parts = [(key[:at], key[at:]) for at in range(len(key) + 1)]
    less = {left + right[1:] for left, right in parts if right}
    swapped = {left + right[1] + right[0] + right[2:] for left, right in parts if len(right) > 1}
    other = {left + letter + right[1:] for left, right in parts if right for letter in ascii_lowercase}
    more = {left + letter + right for left, right in parts for letter in ascii_lowercase}
    return less | swapped | other | more | {key}


def first_half(key: str) -> str | None:
    """What a word begins with that is the key with errors in its second half; None where it is too short for that."""
    return key[: len(key) // 2] if len(key) >= _HALVES_FROM else None


def likeness(typed: Sequence[str], keys: Sequence[str]) -> float:
    """How well the typed words are found among the keys, on average: 1 where all are there, 0 without any likeness."""
    if not typed or not keys:
        return 0.0
    return sum(max(_alike(word, key) for key in keys) for word in typed) / len(typed)


def _alike(word: str, key: str) -> float:
    if word == key:
        return 1.0
    near = DamerauLevenshtein.normalized_similarity(word, key)
    return max(near, _BEGUN) if key.startswith(word) and len(word) > 1 else near
