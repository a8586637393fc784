"""The collections of what comes back."""

from pymongo import ASCENDING, IndexModel

from libs.common.mongo.migrations import Migration, declare
from services.notify.feedback import suppressions

SOFT_BOUNCES = "soft_bounces"

MIGRATION = Migration(
    7,
    "suppressed addresses, and bounces that may pass",
    declare(
        {
            suppressions.COLLECTION: suppressions.INDEXES,
            SOFT_BOUNCES: [IndexModel([("candidate_id", ASCENDING)], name="candidate")],
        }
    ),
)
