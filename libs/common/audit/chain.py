"""The chain of an audit log: how a record is hashed and linked, and how any change of it is found.

Each record holds the hash of the one before, so that a change breaks every link after it. Whoever can write the whole
chain anew can repair the links; the seals, which are kept elsewhere, say what the hashes were. What came after the last
seal can be cut off or rewritten unseen: a seal is made every minute.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import orjson

BEGINNING = "0" * 64

Fault = Literal["gap", "changed", "unlinked", "foreign", "rewritten", "truncated", "missing"]


@dataclass(frozen=True, slots=True)
class Head:
    """The last record of a chain."""

    n: int = 0
    hash: str = BEGINNING


@dataclass(frozen=True, slots=True)
class Seal:
    """What the hash of a record was when it was the last one."""

    n: int
    hash: str


@dataclass(frozen=True, slots=True)
class Finding:
    """The first record that is not as it was written.

    Attributes:
        n: its number; where records are gone, the first of these.
        words: what is wrong, in a sentence.
    """

    n: int
    fault: Fault
    words: str


def digest(record: Mapping[str, Any]) -> str:
    """SHA-256 over a record without its own hash, as canonical JSON (RFC 8785; strings, integers and ASCII names)."""
    content = {name: value for name, value in record.items() if name != "hash"}
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


def linked(head: Head, records: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Records with their numbers, links and hashes, as they follow on `head`."""
    made = []
    for record in records:
        following = {**record, "n": head.n + 1, "prev": head.hash}
        following["hash"] = digest(following)
        head = Head(following["n"], following["hash"])
        made.append(following)
    return made


class Verifier:
    """Checks one chain, record by record in their order; it stops looking at the first fault.

    Args:
        service: whose chain it is.
        program: of which program.
        seals: all that are known of it, from any place.
    """

    def __init__(self, service: str, program: str, seals: Iterable[Seal]) -> None:
        self._whose = {"service": service, "program": program}
        self._seals: dict[int, set[str]] = {}
        for seal in seals:
            self._seals.setdefault(seal.n, set()).add(seal.hash)
        self.head = Head()
        self.finding: Finding | None = None

    @property
    def sealed(self) -> int:
        """The number of the last record that was sealed; 0 for none."""
        return max(self._seals, default=0)

    def take(self, record: Mapping[str, Any]) -> None:
        """Check the next record."""
        if self.finding is None:
            self.finding = self._fault(record)
        if self.finding is None:
            self.head = Head(record["n"], record["hash"])

    def end(self) -> Finding | None:
        """What was found, once all records were taken."""
        if self.finding is None and self.sealed > self.head.n:
            n = self.head.n + 1
            if self.head.n:
                words = f"the chain ends with record {self.head.n}, but record {self.sealed} was sealed"
                self.finding = Finding(n, "truncated", words)
            else:
                self.finding = Finding(n, "missing", f"there is no record, but record {self.sealed} was sealed")
        return self.finding

    def _fault(self, record: Mapping[str, Any]) -> Finding | None:
        expected = self.head.n + 1
        n = record.get("n")
        if n != expected or type(n) is not int:
            return Finding(expected, "gap", f"record {expected} is missing: record {n!r} stands in its place")
        if any(record.get(name) != own for name, own in self._whose.items()):
            return Finding(n, "foreign", f"record {n} belongs to another chain")
        if record.get("hash") != digest(record):
            return Finding(n, "changed", f"record {n} was changed: its hash is not that of its content")
        if record.get("prev") != self.head.hash:
            words = f"record {n} does not follow on record {n - 1}: one of the two was rewritten"
            return Finding(n, "unlinked", words)
        if not self._seals.get(n, set()) <= {record["hash"]}:
            words = f"record {n} is not the one that was sealed: it or one before it was rewritten"
            return Finding(n, "rewritten", words)
        return None
