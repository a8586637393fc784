"""A platform grown large: what a few candidates have left in the databases, copied until there are a million of them.

The candidates of the benchmark are told apart by numbers of eight digits, in every id and address of theirs. A copy has
the same documents with those numbers moved on, and other ids in place of the random ones, the same in every service; so
indexes are as deep and as scattered as they would be after as many lives.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final

from bson import Binary, ObjectId

from deploy.mongo.users import database_name
from libs.common.events import SERVICES
from libs.common.mongo.client import Client

Document = dict[str, Any]
Collections = dict[tuple[str, str], list[Document]]
"""Documents by service and collection."""

SPAN: Final = 10_000
"""How far the numbers of the originals reach, at most."""

_NUMBER: Final = re.compile(r"(?<![0-9A-Za-z.])([A-Za-z]{0,4})(\d{8})(?!\d)")
_RANDOM: Final = re.compile(r"[0-9A-Za-z_-]{16,}")
_INSERT: Final = 5_000
_PASSING: Final = frozenset({"outbox", "inbox", "verdict_tallies"})
"""What is gone, or put together with others, after a moment."""


class Copier:
    """Makes the copy number `copy`."""

    def __init__(self, copy: int) -> None:
        self._copy = copy
        self._shift = copy * SPAN

    def document(self, document: Mapping[str, Any]) -> Document:
        """The document as another candidate would have it. Its `_id` is never the one of the original."""
        copied: Document = {name: self._value(value) for name, value in document.items()}
        if copied["_id"] == document["_id"]:
            copied["_id"] = f"{copied['_id']}~{self._copy}"
        if "status_list" in copied:  # a place in it belongs to one credential
            copied["status_list"] += self._copy
            copied["code"] = self._digest(copied["code"].encode(), 6).hex().upper()
        return copied

    def _value(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, dict):
            return {self._text(name): self._value(each) for name, each in value.items()}
        if isinstance(value, list):
            return [self._value(each) for each in value]
        if isinstance(value, ObjectId):
            return ObjectId(self._digest(value.binary, len(value.binary)))
        if isinstance(value, Binary | bytes):
            return type(value)(self._digest(bytes(value), len(value)))
        return value

    def _text(self, text: str) -> str:
        moved, found = _NUMBER.subn(lambda match: f"{match[1]}{int(match[2]) + self._shift:08d}", text)
        if found:
            return moved
        if _RANDOM.fullmatch(text) and any(each.isdigit() for each in text):
            return self._digest(text.encode(), len(text)).hex()[: len(text)]
        return text

    def _digest(self, value: bytes, length: int) -> bytes:
        """As many bytes of no order: a copy must not compress better than what it is a copy of."""
        return hashlib.shake_128(value + self._copy.to_bytes(4)).digest(length)


async def read_all(client: Client) -> Collections:
    """Every document that a candidate has left behind: there is a number in it."""
    found: Collections = {}
    for service in SERVICES:
        database = client[database_name(service)]
        for name in await database.list_collection_names():
            if name not in _PASSING and not name.startswith("system."):
                documents = [each async for each in database[name].find() if _NUMBER.search(repr(each))]
                if documents:
                    found[service, name] = documents
    return found


async def fill(client: Client, originals: Collections, copies: range) -> None:
    """Insert these copies of them."""
    for (service, name), documents in originals.items():
        collection = client[database_name(service)][name]
        waiting: list[Document] = []
        for copy in copies:
            copier = Copier(copy)
            waiting += map(copier.document, documents)
            if len(waiting) >= _INSERT:
                await collection.insert_many(waiting, ordered=False)
                waiting = []
        if waiting:
            await collection.insert_many(waiting, ordered=False)
