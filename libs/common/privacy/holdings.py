"""What a service holds about people, collection by collection: how it is found, told, and what is left of it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from libs.common.mongo.client import Database, Document, Session
from libs.common.privacy.pseudonyms import Names


@dataclass(frozen=True, slots=True)
class Person:
    """All accounts of one person, and the partners' ids that belong to them (`link_id`)."""

    accounts: Sequence[str]
    links: Sequence[str] = ()


Query = Callable[[Person], Document]
Keep = Callable[[Document, Names], Document | None]


def by(*fields: str) -> Query:
    """Rows that name an account of the person in one of these fields."""

    def query(person: Person) -> Document:
        either: list[Document] = [{name: {"$in": list(person.accounts)}} for name in fields]
        return {"$or": either} if len(either) > 1 else either[0]

    return query


def by_link(name: str) -> Query:
    """Rows under one of the person's ids at partners."""
    return lambda person: {name: {"$in": list(person.links)}}


Opening = Callable[[str, Any], bytes]
"""Opens what lies sealed in a field, named `collection.field`."""


def plain(_place: str, value: Any) -> bytes:
    """Opens what is not sealed."""
    return bytes(value)


def nothing(_row: Document, _names: Names) -> None:
    """Nothing of a row is kept."""


def renamed(*fields: str) -> Keep:
    """The row is kept for the others whom it names; those erased are pseudonyms in it."""

    def keep(row: Document, names: Names) -> Document | None:
        if all(row.get(name) in names for name in fields):
            return None
        return row | {name: names.get(row[name], row[name]) for name in fields if name in row}

    return keep


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """Rows of one collection that are about a person.

    Attributes:
        find: the rows that an erasure looks at.
        kind: the name of its file in the export; None where it says nothing that another kind does not.
        mine: the rows that are told, where not all of `find` are the person's own.
        withheld: fields that are not told: secrets, and what only serves the service itself.
        content: the field that holds a file, which is exported under a name that ends with `filename`.
        keep: what is left of a row after an erasure; None for nothing.
        by_itself: whether the service erases it in its own way, and `Holdings.erase` leaves it alone.
    """

    collection: str
    find: Query
    kind: str | None = None
    mine: Query | None = None
    withheld: frozenset[str] = frozenset()
    content: str | None = None
    filename: Callable[[Document], str] = lambda row: str(row["_id"])
    say: Callable[[Document, Person], Document] = lambda row, _person: row
    keep: Keep = nothing
    by_itself: bool = False


@dataclass(frozen=True)
class Holdings:
    """All of a service's collections."""

    items: Sequence[Holding]
    apart: Mapping[str, str] = field(default_factory=dict)
    """Collections that hold nothing about a person, or nothing that could be found by one, each with the reason."""

    async def records(self, database: Database, person: Person, session: Session | None = None) -> dict[str, bytes]:
        """What is told of a person: a JSON file by path for each kind of which there is something."""
        files: dict[str, bytes] = {}
        for holding in self.items:
            if holding.kind is None:
                continue
            hidden = dict.fromkeys([*holding.withheld, *([holding.content] if holding.content else [])], 0)
            query = (holding.mine or holding.find)(person)
            found = database[holding.collection].find(query, hidden or None, session=session)
            rows = await found.sort("_id").to_list(None)
            if rows:
                files[f"{holding.kind}.json"] = _json(_told(holding.say(row, person)) for row in rows)
        return files

    async def files(self, database: Database, person: Person) -> list[tuple[str, str, str]]:
        """The files that are kept about a person: collection, id, and a path that no other has."""
        found: list[tuple[str, str, str]] = []
        for holding in self.items:
            if holding.content is None:
                continue
            rows = database[holding.collection].find(holding.find(person), {holding.content: 0})
            for row in await rows.sort("_id").to_list(None):
                path = f"files/{len(found) + 1}-{holding.filename(row)}"
                found.append((holding.collection, row["_id"], path))
        return found

    async def file(self, database: Database, collection: str, key: str, opening: Opening = plain) -> bytes | None:
        """What is in a file; None where it is gone meanwhile."""
        content = next(one.content for one in self.items if one.collection == collection and one.content)
        row = await database[collection].find_one({"_id": key}, {content: 1})
        return opening(f"{collection}.{content}", row[content]) if row else None

    async def erase(self, database: Database, session: Session, person: Person, names: Names) -> None:
        """Erase everything about a person but what is kept under their pseudonyms; again, it finds nothing left."""
        for holding in self.items:
            rows = database[holding.collection]
            query = holding.find(person)
            if holding.by_itself:
                continue
            if holding.keep is nothing:
                await rows.delete_many(query, session=session)
                continue
            for row in await rows.find(query, session=session).to_list(None):
                kept = holding.keep(row, names)
                if kept is not None and kept["_id"] == row["_id"]:
                    await rows.replace_one({"_id": row["_id"]}, kept, session=session)
                    continue
                await rows.delete_one({"_id": row["_id"]}, session=session)
                if kept is not None:
                    await rows.insert_one(kept, session=session)


def _told(row: Document) -> Document:
    return {("id" if name == "_id" else name): value for name, value in row.items()}


def _json(rows: Iterable[Document]) -> bytes:
    return orjson.dumps(list(rows), default=_text, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)


def _text(value: Any) -> str:
    """Kinds of values that JSON does not know."""
    return str(value)


def everything(holdings: Holdings) -> Iterator[str]:
    """The collections that holdings speak of."""
    yield from dict.fromkeys([*(one.collection for one in holdings.items), *holdings.apart])
