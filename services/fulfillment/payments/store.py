"""All queries about payments."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal

from pymongo import ASCENDING, DESCENDING, IndexModel

from libs.common.mongo.client import Database, Document, Session
from libs.common.mongo.migrations import Migration, declare
from libs.common.programs import Price
from services.fulfillment.domain.payments import Fact, Payment

COLLECTION = "payments"
MIGRATION = Migration(
    7,
    "payments",
    declare(
        {
            COLLECTION: [
                IndexModel([("candidate_id", ASCENDING), ("_id", DESCENDING)], name="candidate"),
                # Most ways to a payment page are left unpaid; staff look at the others.
                IndexModel(
                    [("program", ASCENDING), ("_id", ASCENDING)],
                    name="heard",
                    partialFilterExpression={"heard": True},
                ),
            ]
        }
    ),
)


class PaymentStore:
    """Payments. What is to be changed is read in the session of its transaction, so that no two change it at once."""

    def __init__(self, database: Database) -> None:
        self._payments = database[COLLECTION]

    async def add(self, session: Session, payment: Payment) -> None:
        await self._payments.insert_one(_row(payment), session=session)

    async def save(self, session: Session, payment: Payment) -> None:
        """A payment that was read within the same transaction and has changed."""
        await self._payments.replace_one({"_id": payment.id}, _row(payment), session=session)

    async def get(self, session: Session, payment_id: str) -> Payment | None:
        row = await self._payments.find_one({"_id": payment_id}, session=session)
        return None if row is None else _payment(row)

    async def count(self, session: Session, accounts: Sequence[str], since: datetime) -> int:
        """How many a person's accounts were given since a moment."""
        query = {"candidate_id": {"$in": list(accounts)}, "made_at": {"$gt": since}}
        return int(await self._payments.count_documents(query, session=session))

    async def of_accounts(self, program: str, accounts: Sequence[str], limit: int) -> list[Payment]:
        """A person's, the latest first."""
        query = {"candidate_id": {"$in": list(accounts)}, "program": program}
        return [_payment(row) async for row in self._payments.find(query).sort("_id", DESCENDING).limit(limit)]

    async def heard_of(self, program: str, *, after: str | None, limit: int) -> list[Payment]:
        """Those of which the page has said anything, the oldest first."""
        query: Document = {"program": program, "heard": True}
        if after is not None:
            query["_id"] = {"$gt": after}
        return [_payment(row) async for row in self._payments.find(query).sort("_id", ASCENDING).limit(limit)]


def _row(payment: Payment) -> Document:
    row = asdict(payment)
    row["_id"] = row.pop("id")
    row["heard"] = bool(payment.facts)
    row["asked"]["amount"] = str(payment.asked.amount)
    for fact in row["facts"]:
        fact["amount"] = str(fact["amount"])
    return row


def _payment(row: Document) -> Payment:
    fields = {name: value for name, value in row.items() if name not in {"_id", "heard"}}
    asked = fields.pop("asked")
    facts = tuple(Fact(**fact | {"amount": Decimal(fact["amount"])}) for fact in fields.pop("facts"))
    return Payment(id=row["_id"], asked=Price(Decimal(asked["amount"]), asked["currency"]), facts=facts, **fields)
