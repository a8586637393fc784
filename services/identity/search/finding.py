"""One box for everything: what was typed is tried as every kind of id, as an address for mail and as a name."""

import asyncio
import re
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from libs.common.candidate_ids import meant_ids
from libs.common.mongo.client import Document
from libs.common.name_keys import name_keys
from libs.common.programs import Program
from services.identity.domain.name_keys import first_half, likeness, misspellings
from services.identity.search.store import MOST_FOUND, SearchStore, Word

Reason = Literal["id", "external_id", "registration", "case", "email", "similar_id", "name", "similar_name"]

_SCORES: Final[dict[Reason, float]] = {
    "id": 1.0,
    "external_id": 1.0,
    "registration": 1.0,
    "case": 1.0,
    "email": 0.98,
    "similar_id": 0.9,
}
"""Of what is found by a key."""
_OF_A_NAME: Final = 0.95
"""Of a name that is there as it was typed; a misspelt one has less."""
_WORTH_SHOWING: Final = 0.6
_MOST_WORDS: Final = 4
_MOST_ROUGHLY: Final = 2_000
"""Accounts compared at most where nothing else was found."""
_NO_NAME: Final = re.compile(r"[\d@]")
_KEY: Final = re.compile(r"[A-Za-z0-9._:/@+=-]{1,100}")


@dataclass(frozen=True, slots=True)
class Found:
    """An account, how well it fits from 0 to 1, and by what, the best first."""

    account: Document
    score: float
    reasons: tuple[Reason, ...]


class Finding:
    """Searches the accounts of one program."""

    def __init__(self, store: SearchStore) -> None:
        self._store = store

    async def find(self, program: Program, typed: str) -> list[Found]:
        """Whom `typed` may mean, the best fit first."""
        words = [] if _NO_NAME.search(typed) else name_keys([typed])[:_MOST_WORDS]
        by_key, named = await asyncio.gather(self._by_key(program, typed.strip()), self._by_name(program.id, words))
        # Thousands of roughly similar names are milliseconds of comparing, which must hold up no other request.
        return await asyncio.to_thread(ranked, by_key, named, words)

    async def _by_key(self, program: Program, typed: str) -> list[tuple[Reason, Document]]:
        store, name = self._store, program.id
        ids = meant_ids(typed, program.candidate_id_prefix, program.candidate_id_digits)
        exact: Reason = "id" if len(ids) == 1 and ids[0].endswith(_digits(typed)) else "similar_id"
        tries: list[tuple[Reason, Awaitable[list[Document]]]] = []
        if ids:
            tries.append((exact, store.by_ids(name, ids)))
        if _KEY.fullmatch(typed):
            tries.append(("external_id", store.by_partners_id(name, typed)))
            tries.append(("registration", store.by_registration(name, typed)))
            tries.append(("case", store.by_case(name, typed)))
        if not any(c.isspace() for c in typed):
            tries.append(("email", store.by_email(name, typed)))
        found = await asyncio.gather(*(rows for _, rows in tries))
        return [(reason, row) for (reason, _), rows in zip(tries, found, strict=True) for row in rows]

    async def _by_name(self, program: str, words: Sequence[str]) -> list[Document]:
        """Accounts with all of the words: as typed, misspelt or begun; only if there is none, with any of them."""
        found: list[Document] = []
        for kind in (_exactly, _misspelt, _begun) if words else ():
            found += await self._store.named(program, [kind(word) for word in words])
            if len(found) >= MOST_FOUND:
                return found
        if not found and words:
            found = await self._store.named(program, [_roughly(word) for word in words], limit=_MOST_ROUGHLY)
        if not found and len(words) > 1:
            found = await self._store.named(program, [Word(set().union(*map(misspellings, words)))])
        return found


def ranked(by_key: Iterable[tuple[Reason, Document]], named: Iterable[Document], words: Sequence[str]) -> list[Found]:
    """What was found, each account once with all that speaks for it, the best fit first."""
    accounts: dict[str, Document] = {}
    reasons: dict[str, dict[Reason, float]] = {}
    for reason, row in by_key:
        accounts[row["_id"]] = row
        reasons.setdefault(row["_id"], {})[reason] = _SCORES[reason]
    for row in named:
        alike = likeness(words, row["name_keys"])
        if alike >= _WORTH_SHOWING:
            accounts[row["_id"]] = row
            word: Reason = "name" if set(words) <= set(row["name_keys"]) else "similar_name"
            reasons.setdefault(row["_id"], {})[word] = _OF_A_NAME * alike
    made = [
        Found(accounts[key], max(scores.values()), tuple(sorted(scores, key=lambda reason: -scores[reason])))
        for key, scores in reasons.items()
    ]
    return sorted(made, key=lambda each: (-each.score, each.account["_id"]))


def _exactly(word: str) -> Word:
    return Word({word})


def _misspelt(word: str) -> Word:
    return Word(misspellings(word))


def _begun(word: str) -> Word:
    return Word(begin=word) if len(word) > 1 else _exactly(word)


def _roughly(word: str) -> Word:
    """All that begins like a long word: what is too far from it is left out of the ranking."""
    half = first_half(word)
    return Word(begin=half) if half else _misspelt(word)


def _digits(typed: str) -> str:
    return "".join(c for c in typed if c.isdigit())
