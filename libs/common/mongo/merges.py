"""Which accounts are one, as a service keeps it that follows identity's merges."""

from collections.abc import Iterable, Sequence

from pymongo import ASCENDING, IndexModel, UpdateOne

from libs.common.accounts import survivor
from libs.common.bus.messages import Received
from libs.common.events import identity
from libs.common.mongo.client import Database, Document, Session

COLLECTION = "merges"
INDEXES = [
    IndexModel([("merged_id", ASCENDING)], name="merged"),
    IndexModel([("candidate_id", ASCENDING)], name="candidate"),
]

FAMILY_EVENTS = (identity.CandidatesMerged, identity.CandidatesSeparated)
FamilyEvent = identity.CandidatesMerged | identity.CandidatesSeparated


class Merges:
    """The merges of a service's database. A merge and its separation may arrive in any order and more than once."""

    def __init__(self, database: Database) -> None:
        self._merges = database[COLLECTION]

    async def take(self, session: Session, items: Sequence[Received[FamilyEvent]]) -> None:
        """Record what identity says of accounts that are one."""
        writes = [UpdateOne({"_id": item.data.merge_id}, {"$set": _said(item)}, upsert=True) for item in items]
        if writes:
            await self._merges.bulk_write(writes, session=session)

    async def survivors(self, session: Session | None, candidates: Iterable[str]) -> dict[str, str]:
        """The accounts that go on for those of the candidates that were merged."""
        wanted = set(candidates)
        into = ends(await self._around(session, wanted))
        return {candidate: survivor(candidate, into) for candidate in wanted if candidate in into}

    async def joined(self, session: Session, candidates: Iterable[str]) -> set[str]:
        """Those of the candidates that are one with another account."""
        wanted = set(candidates)
        into = ends(await self._around(session, wanted))
        return wanted & ({*into} | {survivor(account, into) for account in into})

    async def family(self, session: Session | None, candidate_id: str) -> list[str]:
        """All accounts of the person: first the one that goes on, then those merged into it in order of their ids."""
        into = ends(await self._around(session, {candidate_id}))
        goes_on = survivor(candidate_id, into)
        return [goes_on, *sorted(account for account in into if survivor(account, into) == goes_on)]

    async def _around(self, session: Session | None, accounts: set[str]) -> list[Document]:
        """The merges in force of these accounts and of those joined with them."""
        if not accounts:
            return []
        while True:
            either = [{"merged_id": {"$in": sorted(accounts)}}, {"candidate_id": {"$in": sorted(accounts)}}]
            in_force = {"$or": either, "merged_at": {"$exists": True}, "separated_at": {"$exists": False}}
            rows = await self._merges.find(in_force, session=session).to_list(None)
            reached = accounts.union(*({row["merged_id"], row["candidate_id"]} for row in rows))
            if reached == accounts:
                return rows
            accounts = reached


def ends(rows: Iterable[Document]) -> dict[str, str]:
    """Each merged account with the one it went into.

    The last merge of an account says whether it goes on. Identity lets no account go on that was merged, so an older
    merge of it is over, though its separation may still be under way to us.
    """
    into: dict[str, str] = {}
    for row in sorted(rows, key=lambda row: (row["merged_at"], row["_id"])):
        into[row["merged_id"]] = row["candidate_id"]
        into.pop(row["candidate_id"], None)
    return into


def _said(item: Received[FamilyEvent]) -> Document:
    data = item.data
    accounts = {"program": item.event.program, "candidate_id": data.candidate_id, "merged_id": data.merged_id}
    if isinstance(data, identity.CandidatesMerged):
        return {**accounts, "merged_at": data.merged_at}
    return {**accounts, "separated_at": data.separated_at}
