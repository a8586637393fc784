"""What fulfillment holds about people, and what it keeps of somebody erased: which parcels were sent, not to whom."""

from libs.common.events import fulfillment
from libs.common.mongo.client import Database, Document
from libs.common.mongo.migrations import Migration, declare
from libs.common.mongo.unit_of_work import UnitOfWork
from libs.common.privacy.holdings import Holding, Holdings, by, renamed
from libs.common.privacy.keeper import APART, COLLECTIONS, Keeper
from libs.common.privacy.pseudonyms import Names
from libs.common.privacy.tombstones import Tombstones

MIGRATION = Migration(3, "exports and erasures", declare(COLLECTIONS))


_OF_THE_PARCEL = {"note": None, "tracking_number": None, "tracking_url": None}


def _without_address(row: Document, names: Names) -> Document:
    """An order without whom it went to and what people wrote of it; one that no house has taken yet is called off."""
    history = [entry | _OF_THE_PARCEL for entry in row["history"]]
    if row["state"] == "pending":
        history.append(history[-1] | {"state": "cancelled", "by": "system"})
    return row | {
        "candidate_id": names[row["candidate_id"]],
        "ship_to": None,
        "choices": {},
        "history": history,
        "state": history[-1]["state"] if row["state"] == "pending" else row["state"],
        "tracking_number": None,
        "tracking_url": None,
    }


HOLDINGS = Holdings(
    items=(
        Holding(collection="people", find=by("_id")),
        Holding(collection="offers", find=by("candidate_id"), kind="offers"),
        Holding(collection="orders", find=by("candidate_id"), kind="orders", keep=_without_address),
        Holding(collection="merges", find=by("candidate_id", "merged_id"), keep=renamed("candidate_id", "merged_id")),
    ),
    apart=APART,
)


def keeper_of(database: Database, tombstones: Tombstones, unit_of_work: UnitOfWork) -> Keeper:
    """The service's part in exports and erasures."""
    return Keeper(fulfillment.PersonalDataPart, HOLDINGS, tombstones, database, unit_of_work)
