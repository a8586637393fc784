"""Versions of mails as staff wrote them, and which of them counts.

A version is written once and never changed. Beside them each kind of mail has one row a language: the last number
given, the version that counts (none: the words that come with the service), and every switch with its hour.
"""

from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from pymongo import ASCENDING, DESCENDING, IndexModel, ReturnDocument

from libs.common.clock import as_stored
from libs.common.mongo.client import Database, Document, Session
from libs.common.mongo.migrations import Migration, declare
from libs.common.mongo.unit_of_work import Transaction
from services.notify.domain.mails import Template

VERSIONS: Final = "mail_templates"
CHOICES: Final = "mail_template_choices"
KEPT_SWITCHES: Final = 200

MIGRATION: Final = Migration(
    5,
    "templates of staff",
    declare(
        {
            VERSIONS: [
                IndexModel(
                    [
                        ("program", ASCENDING),
                        ("template", ASCENDING),
                        ("language", ASCENDING),
                        ("version", DESCENDING),
                    ],
                    name="versions",
                    unique=True,
                )
            ],
            CHOICES: [],
        }
    ),
)

APART: Final = {
    VERSIONS: "the words of mails, as staff of a program wrote them",
    CHOICES: "which words count",
}


class Key(NamedTuple):
    """What a template is for."""

    program: str
    template: Template
    language: str

    @property
    def id(self) -> str:
        return "/".join(self)

    def fields(self) -> Document:
        return {"program": self.program, "template": self.template.value, "language": self.language}


class Edition(NamedTuple):
    """One version of a template."""

    key: Key
    version: int

    @property
    def id(self) -> str:
        return f"{self.key.id}/{self.version}"


def key_of(row: Document) -> Key:
    return Key(row["program"], Template(row["template"]), row["language"])


class EditionStore:
    """All queries of templates. Those with a transaction are part of it."""

    def __init__(self, database: Database) -> None:
        self._versions = database[VERSIONS]
        self._choices = database[CHOICES]

    # As the sender needs them

    async def chosen(self) -> dict[Key, int]:
        """The versions that count, where not ours do."""
        found = self._choices.find({"version": {"$ne": None}}, {"switches": 0})
        return {key_of(row): row["version"] async for row in found}

    async def sources(self, editions: Collection[Edition]) -> dict[Edition, str]:
        """What these versions say."""
        found = self._versions.find({"_id": {"$in": [edition.id for edition in editions]}})
        return {Edition(key_of(row), row["version"]): row["source"] async for row in found}

    # As staff need them

    async def choices(self, program: str) -> dict[Key, Document]:
        """Of a program: the rows of all templates that somebody has written versions of."""
        return {key_of(row): row async for row in self._choices.find({"program": program})}

    async def choice(self, key: Key) -> Document | None:
        return await self._choices.find_one({"_id": key.id})

    async def versions(self, key: Key, *, before: int | None, limit: int) -> Sequence[Document]:
        """Versions without their words, latest first."""
        query = key.fields() | ({} if before is None else {"version": {"$lt": before}})
        return await self._versions.find(query, {"source": 0}).sort("version", DESCENDING).to_list(limit)

    async def version(self, session: Session | None, edition: Edition) -> Document | None:
        return await self._versions.find_one({"_id": edition.id}, session=session)

    async def add(
        self, transaction: Transaction, key: Key, *, source: str, note: str, by: str, operation: str
    ) -> Document:
        """Keep a new version; the same operation again adds none."""
        session = transaction.session
        known = await self._versions.find_one(key.fields() | {"operation": operation}, session=session)
        if known is not None:
            return known
        choice = await self._choices.find_one_and_update(
            {"_id": key.id},
            {"$inc": {"last": 1}, "$setOnInsert": {**key.fields(), "version": None, "switches": []}},
            upsert=True,
            return_document=ReturnDocument.AFTER,
            session=session,
        )
        version = choice["last"]
        row = {
            "_id": Edition(key, version).id,
            **key.fields(),
            "version": version,
            "source": source,
            "note": note,
            "written_by": by,
            "written_at": as_stored(transaction.now),
            "operation": operation,
        }
        await self._versions.insert_one(row, session=session)
        return row

    async def switch(
        self, transaction: Transaction, key: Key, *, version: int | None, instead_of: int | None, by: str
    ) -> Document | None:
        """Let a version count; None where not `instead_of` counts any more, and nothing has changed then."""
        switch = {"version": version, "at": as_stored(transaction.now), "by": by}
        return await self._choices.find_one_and_update(
            {"_id": key.id, "version": instead_of},
            {"$set": {"version": version}, "$push": {"switches": {"$each": [switch], "$slice": -KEPT_SWITCHES}}},
            return_document=ReturnDocument.AFTER,
            session=transaction.session,
        )
