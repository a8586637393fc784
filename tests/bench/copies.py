"""A platform grown large: what a few candidates have left in the databases, copied until there are a million of them.

The candidates of the benchmark are told apart by numbers of eight digits, in every id and address of theirs. A copy has
the same documents with those numbers moved on, and other ids in place of the random ones, the same in every service; so
indexes are as deep and as scattered as they would be after as many lives.
"""

import asyncio
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from bson import Binary, ObjectId

from deploy.mongo.users import database_name
from libs.common.events import SERVICES
from libs.common.mongo.client import Client, Database

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


Make = Callable[[int], Any]
"""Makes what a copy, by its number, has in place of a value."""


def copier(document: Mapping[str, Any]) -> Callable[[int], Document]:
    """Makes copies of a document, by their numbers, as other candidates would have it.

    Its `_id` is never the one of the original. What is the same in all copies is looked at once.
    """
    made = _dict(document) or (lambda _copy: dict(document))
    own_id = _made(document["_id"]) is not None

    def copied(copy: int) -> Document:
        found: Document = made(copy)
        if not own_id:
            found["_id"] = f"{document['_id']}~{copy}"
        if "status_list" in document:  # a place in it belongs to one credential
            found["status_list"] = document["status_list"] + copy
            found["code"] = _digest(document["code"].encode(), 6, copy).hex().upper()
        return found

    return copied


def _made(value: Any) -> Make | None:
    """None of what is the same in every copy."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, dict):
        return _dict(value)
    if isinstance(value, list):
        return _list(value)
    if isinstance(value, ObjectId):
        return lambda copy: ObjectId(_digest(value.binary, len(value.binary), copy))
    if isinstance(value, Binary | bytes):
        return lambda copy: type(value)(_digest(bytes(value), len(value), copy))
    return None


def _list(value: Sequence[Any]) -> Make | None:
    makes = [(each, _made(each)) for each in value]
    if not any(make for _, make in makes):
        return None
    return lambda copy: [make(copy) if make else each for each, make in makes]


def _dict(value: Mapping[str, Any]) -> Make | None:
    makes = [(name, _text(name), each, _made(each)) for name, each in value.items()]
    if not any(name_make or make for _, name_make, _, make in makes):
        return None
    return lambda copy: {
        name_make(copy) if name_make else name: make(copy) if make else each for name, name_make, each, make in makes
    }


def _text(text: str) -> Make | None:
    numbers = [int(found[2]) for found in _NUMBER.finditer(text)]
    if numbers:
        form = _NUMBER.sub(lambda found: f"{found[1]}%08d", text.replace("%", "%%"))
        return lambda copy: form % tuple(number + copy * SPAN for number in numbers)
    if _RANDOM.fullmatch(text) and any(each.isdigit() for each in text):
        value, length = text.encode(), len(text)
        return lambda copy: _digest(value, length, copy).hex()[:length]
    return None


def _digest(value: bytes, length: int, copy: int) -> bytes:
    """As many bytes of no order: a copy must not compress better than what it is a copy of."""
    return hashlib.shake_128(value + copy.to_bytes(4)).digest(length)


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
        database = client[database_name(service)]
        copiers = [copier(each) for each in documents]
        under_way: asyncio.Task[Any] | None = None
        waiting: list[Document] = []
        for copy in copies:
            waiting += [make(copy) for make in copiers]
            if len(waiting) >= _INSERT:
                # The next are made while these are stored.
                if under_way is not None:
                    await under_way
                under_way = asyncio.create_task(_insert(database, name, waiting))
                await asyncio.sleep(0)
                waiting = []
        if under_way is not None:
            await under_way
        if waiting:
            await _insert(database, name, waiting)


async def _insert(database: Database, name: str, documents: Sequence[Document]) -> None:
    await database[name].insert_many(documents, ordered=False)
