"""Whose a partner's id is, as a service keeps it that waits for identity to say so."""

from collections.abc import Iterable, Mapping

from pymongo import ASCENDING, IndexModel, UpdateOne

from libs.common.mongo.client import Database, Document, Session

COLLECTION = "links"
INDEXES = [IndexModel([("candidate_id", ASCENDING)], name="candidate")]


def link_id(program: str, system: str, external_id: str) -> str:
    """A partner's id of a person, unique within program and partner."""
    return f"{program}:{system}:{external_id}"


class Links:
    """The links of a service's database; every method is part of its transaction."""

    def __init__(self, database: Database) -> None:
        self._links = database[COLLECTION]

    async def candidates_of(self, session: Session, links: Iterable[str]) -> dict[str, str]:
        """The candidates of those links that have one."""
        found = self._links.find({"_id": {"$in": list(set(links))}, "candidate_id": {"$ne": None}}, session=session)
        return {row["_id"]: row["candidate_id"] async for row in found}

    async def known(self, session: Session, program: str, candidates: Iterable[str]) -> set[str]:
        """Which of these are candidates of the program."""
        found = self._links.find({"candidate_id": {"$in": list(set(candidates))}}, session=session)
        return {row["candidate_id"] async for row in found if row["_id"].startswith(f"{program}:")}

    async def wait_for(self, session: Session, links: Iterable[str]) -> None:
        """Note that something waits for these links.

        This changes the very document that linking writes to. Without it a report and its link, arriving at the
        same moment in two transactions, could each miss the other; so one of the two meets a conflict and looks
        again. It counts, because a write that leaves a document as it was is none, and meets no conflict.
        """
        notes = [
            UpdateOne({"_id": link}, {"$inc": {"waiting": 1}, "$setOnInsert": {"candidate_id": None}}, upsert=True)
            for link in sorted(set(links))
        ]
        if notes:
            await self._links.bulk_write(notes, ordered=False, session=session)

    async def link(self, session: Session, candidates: Mapping[str, str]) -> list[str]:
        """Point links to their candidates. Returns those for which something may be waiting."""
        known = self._links.find({"_id": {"$in": list(candidates)}}, session=session)
        before: dict[str, Document] = {row["_id"]: row async for row in known}
        changes = [
            UpdateOne({"_id": link}, {"$set": {"candidate_id": candidate, "waiting": 0}}, upsert=True)
            for link, candidate in candidates.items()
            if before.get(link, {}).get("candidate_id") != candidate
        ]
        if changes:
            await self._links.bulk_write(changes, ordered=False, session=session)
        return [link for link, row in before.items() if row.get("waiting")]
