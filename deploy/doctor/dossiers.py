"""What each service holds of one candidate, brought together from cursors that all run in the order of their IDs."""

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, TypeAlias

Row: TypeAlias = Mapping[str, Any]
Kind: TypeAlias = str
"""Which collection a row is of: `account`, `ledger`, `result`, `recipient`, `offer`, `order` or `mail`."""

KINDS: Sequence[Kind] = ("account", "ledger", "result", "recipient", "offer", "order", "mail")


@dataclass(frozen=True, slots=True)
class Dossier:
    """One candidate, as every service knows them; at most a few hundred rows."""

    candidate_id: str
    rows: Mapping[Kind, Sequence[Row]] = field(default_factory=dict)

    def of(self, kind: Kind) -> Sequence[Row]:
        return self.rows.get(kind, ())

    def one(self, kind: Kind) -> Row | None:
        """The only row of a kind that has one for each candidate."""
        found = self.of(kind)
        return found[0] if found else None


Stream: TypeAlias = Iterable[tuple[str, Row]]
"""Rows with the candidate that each is about, in the order of their IDs."""


def dossiers(streams: Mapping[Kind, Stream]) -> Iterator[Dossier]:
    """Candidates in the order of their IDs, each with the rows of all streams. Holds one candidate at a time."""
    tagged = [_tagged(kind, stream) for kind, stream in streams.items()]
    merged = heapq.merge(*tagged, key=lambda each: each[0])
    for candidate_id, group in groupby(merged, key=lambda each: each[0]):
        rows: dict[Kind, list[Row]] = {}
        for _, kind, row in group:
            rows.setdefault(kind, []).append(row)
        yield Dossier(candidate_id, rows)


def _tagged(kind: Kind, stream: Stream) -> Iterator[tuple[str, Kind, Row]]:
    for candidate_id, row in stream:
        yield candidate_id, kind, row
