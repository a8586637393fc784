"""Collections of what is gathered and announced, and the reminders of before in the form of now."""

from pymongo import ASCENDING, IndexModel

from libs.common.mongo.client import Database
from libs.common.mongo.migrations import Migration, declare
from services.notify import wishes
from services.notify.announcements import store as announcements
from services.notify.domain.mails import Template
from services.notify.reminders import gathered, standings

_declare = declare(
    {
        standings.COLLECTION: standings.INDEXES,
        gathered.COLLECTION: gathered.INDEXES,
        announcements.COLLECTION: announcements.INDEXES,
        wishes.COLLECTION: [
            IndexModel(
                [("program", ASCENDING), ("_id", ASCENDING)],
                name="news",
                partialFilterExpression={"marketing": True},
            )
        ],
    }
)
_ROW = ("title", "earned_on", "expires_on", "because", "days_left")


async def _apply(database: Database) -> None:
    await _declare(database)
    # A reminder was about one certification; the log goes on showing it as it was sent.
    row = {name: f"$context.{name}" for name in _ROW}
    first = {"candidate_id": "$candidate_id", "certification": "$context.title", **row}
    old = {"template": Template.CERTIFICATION_EXPIRING, "context.rows": {"$exists": False}}
    await database["messages"].update_many(old, [{"$set": {"context": {**first, "count": 1, "rows": [first]}}}])


MIGRATION = Migration(8, "gathered mails and announcements", _apply)
