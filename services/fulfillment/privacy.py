"""What fulfillment holds about people, and what it keeps of somebody erased: which parcels were sent, not to whom."""

from libs.common.events import fulfillment
from libs.common.mongo.client import Database, Document
from libs.common.mongo.migrations import Migration, declare
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.privacy.holdings import Holding, Holdings, Person, by, renamed
from libs.common.privacy.keeper import APART, COLLECTIONS, Erasure, Keeper
from libs.common.privacy.pseudonyms import Names
from libs.common.privacy.tombstones import Tombstones
from services.fulfillment.domain.orders import PERSONAL, kind_of
from services.fulfillment.exchange.holdings import APART as EXCHANGE_APART
from services.fulfillment.exchange.holdings import dispatch_under_pseudonym, report_under_pseudonym
from services.fulfillment.exchange.store import ExchangeStore

MIGRATION = Migration(3, "exports and erasures", declare(COLLECTIONS))


def _without_address(row: Document, names: Names) -> Document:
    """An order without whom it went to and what people wrote of it; one that no house has taken yet is called off."""
    history = [entry | PERSONAL for entry in row["history"]]
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


def _told(row: Document) -> Document:
    """An order as its candidate sees it: with kinds of people in place of people."""
    return row | {"history": [entry | {"by": kind_of(entry["by"])} for entry in row["history"]]}


def _under_pseudonym(row: Document, names: Names) -> Document:
    return row | {"candidate_id": names[row["candidate_id"]]}


HOLDINGS = Holdings(
    items=(
        Holding(collection="people", find=by("_id")),
        Holding(collection="offers", find=by("candidate_id"), kind="offers", withheld=frozenset({"token"})),
        Holding(
            collection="orders",
            find=by("candidate_id"),
            kind="orders",
            say=lambda row, _person: _told(row),
            keep=_without_address,
        ),
        Holding(collection="payments", find=by("candidate_id"), kind="payments", keep=_under_pseudonym),
        Holding(
            collection="dispatches",
            find=by("candidate_id"),
            kind="dispatches",
            withheld=frozenset({"label", "todo", "due_at", "shipped"}),
            keep=dispatch_under_pseudonym,
        ),
        Holding(
            collection="shipment_reports",
            find=by("candidate_id"),
            kind="shipment_reports",
            keep=report_under_pseudonym,
        ),
        Holding(collection="order_findings", find=by("candidate_id")),
        # Erased below: by them the files are found in which the person is.
        Holding(collection="outgoing_lines", find=by("candidate_id"), kind="house_lines", by_itself=True),
        Holding(collection="merges", find=by("candidate_id", "merged_id"), keep=renamed("candidate_id", "merged_id")),
    ),
    apart=APART | EXCHANGE_APART,
)


def keeper_of(database: Database, tombstones: Tombstones, unit_of_work: UnitOfWork) -> Keeper:
    """The service's part in exports and erasures."""

    async def forget_beside(transaction: Transaction, _erasure: Erasure, person: Person) -> None:
        await ExchangeStore(database).forget_people(transaction.session, person.accounts)

    return Keeper(fulfillment.PersonalDataPart, HOLDINGS, tombstones, database, unit_of_work, after=forget_beside)
