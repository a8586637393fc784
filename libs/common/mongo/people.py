"""A mirror of identity's people, for what bears their names; the latest version counts, whatever arrives first."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from pymongo import InsertOne, ReplaceOne

from libs.common.bus.messages import Received
from libs.common.events import identity
from libs.common.mongo.client import Database, Document, Session
from libs.common.mongo.gathered import GatheredReads
from libs.common.mongo.unit_of_work import Transaction
from libs.common.native_names import in_own_script
from libs.common.privacy.pseudonyms import is_pseudonym

COLLECTION = "people"

PEOPLE_EVENTS = (identity.CandidateRegistered, identity.CandidateProfileChanged)
"""A change of name is told with the whole profile too, so the profile alone is followed."""


class Person(NamedTuple):
    """A candidate. `country` is ISO 3166-1 alpha-2, `language` BCP 47."""

    program: str
    candidate_id: str
    given_name: str
    family_name: str
    native_name: str | None
    """In its own script and order."""
    email: str
    country: str
    language: str | None

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}"

    def shown(self, *, native: bool) -> str:
        """The name for others: in its own script where that is wanted and there is one."""
        return self.native_name if native and self.native_name else self.name


class People:
    """All queries about people. Methods with a session are part of its transaction."""

    def __init__(self, database: Database) -> None:
        self._people = database[COLLECTION]
        self._shared = GatheredReads(database, COLLECTION, {})

    async def get(self, program: str, candidate_id: str, session: Session | None = None) -> Person | None:
        """A candidate; None where identity has not told of them yet."""
        if session is None:
            row = await self._shared.get(candidate_id)
        else:
            row = await self._people.find_one({"_id": candidate_id}, session=session)
        return _person(row) if row is not None and row["program"] == program else None

    async def several(self, candidates: Iterable[str], session: Session | None = None) -> dict[str, Person]:
        """Those of the candidates that are known, of any program, by their ids."""
        found = self._people.find({"_id": {"$in": list(set(candidates))}}, session=session)
        return {row["_id"]: _person(row) async for row in found}

    async def take(self, transaction: Transaction, items: Sequence[Received[Any]]) -> list[str]:
        """Record what a batch of `PEOPLE_EVENTS` says.

        Returns:
            The candidates of whom something is known now that was not before.
        """
        said: dict[str, Document] = {}
        new: set[str] = set()
        for item in items:
            candidate_id = item.data.candidate_id
            if is_pseudonym(candidate_id):
                continue
            row = _row(item)
            if candidate_id not in said or row["version"] > said[candidate_id]["version"]:
                said[candidate_id] = row
            if isinstance(item.data, identity.CandidateRegistered):
                new.add(candidate_id)
        # Nearly all are registrations, each told once. Where a profile was faster or one comes again, the first
        # attempt stops at its key, and the next looks at all of them.
        looked = said.keys() if transaction.repeated else said.keys() - new
        known = await self._versions(transaction.session, looked)
        later = {one: row for one, row in said.items() if row["version"] > known.get(one, 0)}
        writes: list[Any] = [
            ReplaceOne({"_id": one}, row) if one in known else InsertOne(row) for one, row in later.items()
        ]
        if writes:
            await self._people.bulk_write(writes, ordered=False, session=transaction.session)
        return sorted(later)

    async def _versions(self, session: Session, candidates: Iterable[str]) -> dict[str, int]:
        wanted = list(candidates)
        if not wanted:
            return {}
        found = self._people.find({"_id": {"$in": wanted}}, {"version": 1}, session=session)
        return {row["_id"]: row["version"] async for row in found}


def _row(item: Received[Any]) -> Document:
    data = item.data
    native = (
        in_own_script(data.native_given_name, data.native_family_name)
        if isinstance(data, identity.CandidateProfileChanged)
        else None
    )
    return {
        "_id": data.candidate_id,
        "program": item.event.program,
        "version": item.event.subjectversion or 1,
        "given_name": data.given_name,
        "family_name": data.family_name,
        "native_name": native,
        "email": data.email,
        "country": data.country,
        "language": data.language,
    }


def _person(row: Document) -> Person:
    return Person(
        program=row["program"],
        candidate_id=row["_id"],
        given_name=row["given_name"],
        family_name=row["family_name"],
        native_name=row["native_name"],
        email=row["email"],
        country=row["country"],
        language=row["language"],
    )
