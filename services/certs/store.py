"""The certs database: one document a candidate, holding the ledger of facts and what was derived from it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel, InsertOne, ReplaceOne, ReturnDocument

from libs.common.errors import Unavailable
from libs.common.mongo.client import Database, Document, Session
from libs.common.mongo.gathered import GatheredReads
from libs.common.mongo.migrations import COMMON, Migration, declare
from libs.common.mongo.unit_of_work import Transaction
from libs.common.privacy.pseudonyms import is_pseudonym
from services.certs.credentials.store import CredentialsDue, takes_back
from services.certs.ledger import Ledger, accounts_of

MIGRATIONS = [
    Migration(
        1,
        "collections and indexes",
        declare(
            {
                **COMMON,
                "candidates": [
                    IndexModel(
                        [("program", ASCENDING), ("next_transition_on", ASCENDING)],
                        name="due",
                        partialFilterExpression={"next_transition_on": {"$type": "string"}},
                    )
                ],
            }
        ),
    ),
    Migration(
        2,
        "policies, and ledgers by the version they were evaluated with",
        declare(
            {
                "policies": [],
                "candidates": [
                    IndexModel([("program", ASCENDING), ("policy_version", ASCENDING)], name="policy"),
                    IndexModel(
                        [("program", ASCENDING), ("_id", ASCENDING)],
                        name="flagged",
                        partialFilterExpression={"flags.0": {"$exists": True}},
                    ),
                ],
            }
        ),
    ),
]

_SHOWN = {"program": 1, "certifications": 1, "version": 1, "merged_into": 1}
_ALONE = {"merged_into": None}
"""Candidates for whom no other account stands."""


class CertsStore:
    """All queries of the service. Methods with a session are part of its transaction."""

    def __init__(self, database: Database) -> None:
        self._candidates = database["candidates"]
        self._policies = database["policies"]
        self._shown = GatheredReads(database, "candidates", _SHOWN)
        self.credentials_due = CredentialsDue(database)

    async def ledgers(self, session: Session, candidates: Iterable[str]) -> dict[str, Document]:
        found = self._candidates.find({"_id": {"$in": list(set(candidates))}}, session=session)
        return {row["_id"]: row async for row in found}

    async def of_whom(self, session: Session, candidates: Iterable[str]) -> list[str]:
        """Those of the candidates of whom there is a ledger."""
        found = self._candidates.find({"_id": {"$in": list(candidates)}}, {"_id": 1}, session=session)
        return [row["_id"] async for row in found]

    async def standing(self, session: Session, candidates: Iterable[str]) -> list[Document]:
        """The ledgers that stand for these accounts, each once; none of somebody erased."""
        found: dict[str, Document] = {}
        wanted = {one for one in candidates if not is_pseudonym(one)}
        while wanted:
            rows = await self.ledgers(session, wanted)
            found |= {key: row for key, row in rows.items() if not row.get("merged_into")}
            wanted = {row["merged_into"] for row in rows.values() if row.get("merged_into")} - found.keys()
        return list(found.values())

    async def look_again(self, transaction: Transaction, candidates: Iterable[str]) -> None:
        """Have everything compared with what these candidates hold now, though their ledgers stay as they are."""
        await self.credentials_due.note(transaction, candidates)

    async def save(self, transaction: Transaction, ledgers: Iterable[Ledger]) -> None:
        """Write ledgers, and note whose credentials may have to change by that."""
        writes: list[Any] = []
        changed: list[str] = []
        urgent = False
        for ledger in ledgers:
            row = ledger.document()
            writes.append(InsertOne(row) if ledger.is_new else ReplaceOne({"_id": row["_id"]}, row))
            if row["certifications"] != ledger.told_before:
                changed.append(ledger.candidate_id)
                urgent = urgent or takes_back(ledger.told_before, row["certifications"])
        if writes:
            await self._candidates.bulk_write(writes, ordered=False, session=transaction.session)
        if changed:
            await self.credentials_due.note(transaction, changed, urgent=urgent)

    async def due(self, session: Session, program: str, today: str, limit: int) -> list[Document]:
        """Candidates of a program whose certifications change by time on or before `today` (ISO date)."""
        query = {"program": program, "next_transition_on": {"$type": "string", "$lte": today}}
        found = self._candidates.find(query, session=session).sort("next_transition_on", ASCENDING)
        return await found.to_list(limit)

    async def outdated(self, session: Session, program: str, version: int, limit: int) -> list[Document]:
        """Ledgers that were evaluated with an earlier version of the program's policy."""
        query = {"program": program, "policy_version": {"$lt": version}}
        return await self._candidates.find(query, session=session).to_list(limit)

    async def count_outdated(self, program: str, version: int) -> int:
        return await self._candidates.count_documents({"program": program, "policy_version": {"$lt": version}})

    async def flagged(self, program: str, *, after: str | None, limit: int) -> list[Document]:
        """Candidates with something that a person should look at, in the order of their ids."""
        query: Document = {"program": program, "flags.0": {"$exists": True}}
        if after is not None:
            query["_id"] = {"$gt": after}
        return await self._candidates.find(query, {"flags": 1}).sort("_id", ASCENDING).to_list(limit)

    async def ledger(self, program: str, candidate_id: str) -> Document | None:
        """Everything about a candidate, the facts too; of a merged account, about the one that stands for it."""
        row = await self.own_ledger(program, candidate_id)
        if row is not None and row.get("merged_into"):
            return await self.own_ledger(program, row["merged_into"])
        return row

    async def accounts(self, program: str, candidate_id: str) -> list[str]:
        """The candidate's account, and all that are merged with it."""
        row = await self.ledger(program, candidate_id)
        return [candidate_id, *(accounts_of(row) if row else ())]

    async def own_ledger(self, program: str, candidate_id: str) -> Document | None:
        """The account's own ledger, though another may stand for it."""
        row: Document | None = await self._candidates.find_one({"_id": candidate_id, "program": program})
        return row

    async def policy_on(self, program: str, moment: datetime) -> str | None:
        """The text of the policy that was in force at a moment; None where none was yet."""
        found = self._policies.find({"program": program, "since": {"$lte": moment}}).sort("version", DESCENDING)
        rows = await found.to_list(1)
        return str(rows[0]["definition"]) if rows else None

    async def policy_versions(self, program: str) -> list[tuple[datetime, int]]:
        """Since when which version of a program's policy was in force, oldest first."""
        found = self._policies.find({"program": program}, {"since": 1, "version": 1}).sort("version", ASCENDING)
        return [(row["since"], row["version"]) async for row in found]

    async def keep_policy(self, program: str, version: int, definition: str, now: datetime) -> None:
        """Keep a policy's text, in force from now on.

        Raises:
            Unavailable: another text is kept under that version. Nothing can be evaluated until the file's version is
                raised, and nothing is lost meanwhile.
        """
        row = {"program": program, "version": version, "definition": definition, "since": now}
        kept = await self._policies.find_one_and_update(
            {"_id": f"{program}:{version}"}, {"$setOnInsert": row}, upsert=True, return_document=ReturnDocument.AFTER
        )
        if kept["definition"] != definition:
            raise Unavailable(f"another definition of {program} was in force as version {version}: raise its version")

    async def policy(self, program: str, version: int) -> str:
        """The text of a policy that was in force. Raises `LookupError` where none is kept."""
        row = await self._policies.find_one({"_id": f"{program}:{version}"})
        if row is None:
            raise LookupError(f"version {version} of {program} was never in force here")
        return str(row["definition"])

    async def certifications(self, program: str, candidate_id: str) -> Document | None:
        """What a candidate holds and has held, without the facts behind it; as `ledger` does for merged accounts."""
        row = await self._shown.get(candidate_id)
        if row is not None and "merged_into" in row:
            row = await self._shown.get(row["merged_into"])
        return row if row is not None and row["program"] == program else None

    async def totals(self, programs: Sequence[str], today: Mapping[str, str]) -> dict[str, int]:
        """Counts for the account of a run; `today` is each program's calendar day."""
        candidates = 0
        counts = dict.fromkeys(("active", "expired", "suspended", "revoked"), 0)
        for program in programs:
            candidates += await self._candidates.count_documents({"program": program, **_ALONE})
            status: Document = {"$ifNull": ["$certifications.status", "active"]}
            last = "$certifications.expires_on"
            lasts: Document = {"$or": [{"$eq": [last, None]}, {"$gte": [last, today[program]]}]}
            branches = [
                {"case": {"$in": [status, ["suspended", "revoked"]]}, "then": status},
                {"case": {"$and": [{"$eq": [status, "active"]}, lasts]}, "then": "active"},
            ]
            pipeline: list[Document] = [
                {"$match": {"program": program}},
                {"$unwind": "$certifications"},
                {"$group": {"_id": {"$switch": {"branches": branches, "default": "expired"}}, "count": {"$sum": 1}}},
            ]
            async for group in self._candidates.aggregate(pipeline):
                counts[group["_id"]] += group["count"]
        return {"candidates": candidates, **counts}
