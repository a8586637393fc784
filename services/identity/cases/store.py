"""Cases in the identity database, and how those of earlier versions become like the others."""

from typing import Any

from pymongo import ASCENDING, IndexModel

from libs.common.casework import evidence, rows
from libs.common.casework.rows import CaseRows
from libs.common.mongo.client import Database, Document, Session
from libs.common.mongo.migrations import Migration, declare
from libs.common.programs.business_calendar import WEEKDAYS
from libs.common.programs.cases import DEFAULT_DAYS
from services.identity.domain.cases import CLOSED, State, reference_of, same_request

_CASES, _COUNTERS = "cases", "counters"

_INDEXES = {
    _CASES: [
        IndexModel([("program", ASCENDING), ("reference", ASCENDING)], name="reference", unique=True),
        *rows.INDEXES,
        # Others whom a case names, for the day on which one of them is erased.
        *(
            IndexModel([(name, ASCENDING)], name=name, sparse=True)
            for name in ("details.held_by", "details.candidate_id", "first.other")
        ),
        # An account asks for the same once at a time, however often and at how many places.
        IndexModel(
            [("candidate_id", ASCENDING), ("same", ASCENDING)],
            name="once",
            unique=True,
            partialFilterExpression={"closed": False},
        ),
    ],
    "case_evidence": evidence.INDEXES,
}
_FORMER_INDEXES = {"one_open", "program_1_state_1_opened_at_1__id_1"}


class CaseStore(CaseRows):
    """All queries about cases. Methods with a session are part of its transaction."""

    def __init__(self, database: Database) -> None:
        super().__init__(database[_CASES])
        self._counters = database[_COUNTERS]

    async def next_reference(self, session: Session, program: str) -> str:
        """A new case's reference. Two cases of a program that are opened at once conflict here, and follow."""
        return await _next_reference(self._counters, program, session)

    async def open_of(self, session: Session, candidate_id: str) -> list[Document]:
        query = {"candidate_id": candidate_id, "closed": False}
        rows: list[Document] = await self._cases.find(query, session=session).to_list(None)
        return rows


async def _next_reference(counters: Any, program: str, session: Session | None = None) -> str:
    row = await counters.find_one_and_update(
        {"_id": f"{program}:cases"}, {"$inc": {"last": 1}}, upsert=True, return_document=True, session=session
    )
    return reference_of(row["last"])


async def _apply(database: Database) -> None:
    # Each case is brought up by itself and known by its reference, so a step that died half-way goes on.
    cases = database[_CASES]
    for name in _FORMER_INDEXES & (await cases.index_information()).keys():
        await cases.drop_index(name)
    async for row in cases.find({"reference": {"$exists": False}}).sort([("opened_at", ASCENDING), ("_id", ASCENDING)]):
        reference = await _next_reference(database[_COUNTERS], row["program"])
        await cases.replace_one({"_id": row["_id"]}, _brought_up(row, reference))
    await declare(_INDEXES)(database)


def _brought_up(row: Document, reference: str) -> Document:
    """A claim of a partner's id as it was kept before there were other cases."""
    state = {"linked": State.ACCEPTED, "refused": State.REFUSED}.get(row["state"], State.OPEN)
    details = {name: row[name] for name in ("system", "external_id", "registration_id", "held_by")}
    history = [{"what": "opened", "by": f"candidate:{row['candidate_id']}", "at": row["opened_at"], "note": None}]
    if row["decided_at"] is not None:
        history.append(
            {"what": state.value, "by": row["decided_by"], "at": row["decided_at"], "note": row["reason"]},
        )
    return {
        "_id": row["_id"],
        "reference": reference,
        "program": row["program"],
        "kind": "mapping",
        "state": state,
        "closed": state in CLOSED,
        "four_eyes": False,
        "first": None,
        "candidate_id": row["candidate_id"],
        "details": details,
        "same": same_request("mapping", details, None),
        "opened_at": row["opened_at"],
        "due_on": WEEKDAYS.add(row["opened_at"].date(), DEFAULT_DAYS).isoformat(),
        "assignee": None,
        "messages": [],
        "history": history,
        "evidence": [],
        "reason": row["reason"],
        "decided_at": row["decided_at"],
        "merge_id": None,
    }


MIGRATION = Migration(5, "cases of every kind", _apply)
