"""The collections of vendors' credentials, of what became of their messages, and of their notifications."""

from pymongo import ASCENDING, IndexModel

from libs.common.mongo.migrations import Migration, declare
from services.exams.notices import intake
from services.exams.onboarding import credentials, tally

MIGRATION = Migration(
    9,
    "vendors, verdicts and notifications",
    declare(
        {
            credentials.COLLECTION: [],
            **tally.COLLECTIONS,
            **intake.COLLECTIONS,
            "results": [
                IndexModel(
                    [("state", ASCENDING), ("_id", ASCENDING)],
                    name="unreported",
                    partialFilterExpression={"state": None},
                )
            ],
        }
    ),
)
