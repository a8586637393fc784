"""What is read for an overview, beside the account itself."""

from dataclasses import dataclass
from datetime import datetime

from pymongo import ASCENDING, DESCENDING, IndexModel

from libs.common.mongo.client import Database, Document

INDEXES = {
    "merges": [
        IndexModel([("candidate_id", ASCENDING)], name="candidate"),
        IndexModel([("merged_id", ASCENDING)], name="merged"),
    ]
}
MOST_LISTED = 50


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What belongs to an account and stands elsewhere; lists begin with the latest."""

    external_ids: list[Document]
    second_factor: Document | None
    open_sessions: int
    merges: list[Document]
    cases: list[Document]


class OverviewStore:
    """All queries of an overview."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def around(self, account: Document, now: datetime) -> Surroundings:
        candidate_id = account["_id"]
        own = {"candidate_id": candidate_id}
        merged = {"$or": [own, {"merged_id": candidate_id}]}
        database = self._database
        return Surroundings(
            external_ids=await database["external_ids"].find(own).sort("_id", ASCENDING).to_list(MOST_LISTED),
            second_factor=await database["second_factors"].find_one({"_id": candidate_id}, {"since": 1}),
            open_sessions=await database["sessions"].count_documents({**own, "expires_at": {"$gt": now}}),
            merges=await database["merges"].find(merged).sort("requested_at", DESCENDING).to_list(MOST_LISTED),
            cases=await database["cases"].find(own).sort("opened_at", DESCENDING).to_list(MOST_LISTED),
        )
