"""What fulfillment holds about people. An offer to somebody erased is nobody's, so nothing is kept."""

from libs.common.events import fulfillment
from libs.common.mongo.client import Database
from libs.common.mongo.migrations import Migration, declare
from libs.common.mongo.unit_of_work import UnitOfWork
from libs.common.privacy.holdings import Holding, Holdings, by, renamed
from libs.common.privacy.keeper import APART, COLLECTIONS, Keeper
from libs.common.privacy.tombstones import Tombstones

MIGRATION = Migration(3, "exports and erasures", declare(COLLECTIONS))

HOLDINGS = Holdings(
    items=(
        Holding(collection="offers", find=by("candidate_id"), kind="offers"),
        Holding(collection="merges", find=by("candidate_id", "merged_id"), keep=renamed("candidate_id", "merged_id")),
    ),
    apart=APART,
)


def keeper_of(database: Database, tombstones: Tombstones, unit_of_work: UnitOfWork) -> Keeper:
    """The service's part in exports and erasures."""
    return Keeper(fulfillment.PersonalDataPart, HOLDINGS, tombstones, database, unit_of_work)
