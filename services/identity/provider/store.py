"""Tickets and codes of our provider: hashes of secrets that last for moments and count once."""

from datetime import datetime

from pymongo import ASCENDING, IndexModel

from libs.common.mongo.client import Database, Document
from libs.common.mongo.migrations import Migration, declare
from services.identity.store import token_key

_EXPIRY = IndexModel([("expires_at", ASCENDING)], name="expiry", expireAfterSeconds=0)
_CANDIDATE = IndexModel([("candidate_id", ASCENDING)], name="candidate")

MIGRATION = Migration(
    11,
    "our provider's tickets and codes",
    declare(
        {
            "provider_tickets": [_EXPIRY, _CANDIDATE],
            "provider_codes": [_EXPIRY, _CANDIDATE, IndexModel([("access", ASCENDING)], name="access", sparse=True)],
        }
    ),
)


class ProviderStore:
    """All queries about them."""

    def __init__(self, database: Database) -> None:
        self._tickets = database["provider_tickets"]
        self._codes = database["provider_codes"]

    async def add_ticket(self, ticket: str, binding: str, row: Document) -> None:
        await self._tickets.insert_one({**row, "_id": token_key(ticket), "binding": token_key(binding)})

    async def take_ticket(self, ticket: str, binding: str, client_id: str, now: datetime) -> Document | None:
        """Take a ticket out; None where there is none, it is too old, another client's, or another browser's."""
        query = {
            "_id": token_key(ticket),
            "binding": token_key(binding),
            "client_id": client_id,
            "expires_at": {"$gt": now},
        }
        row: Document | None = await self._tickets.find_one_and_delete(query)
        return row

    async def add_code(self, code: str, row: Document) -> None:
        await self._codes.insert_one({**row, "_id": token_key(code), "access": None, "access_until": None})

    async def code(self, code: str) -> Document | None:
        row: Document | None = await self._codes.find_one({"_id": token_key(code)})
        return row

    async def use_code(self, code: str, access: str, until: datetime) -> bool:
        """Turn a code into an access token; False where another has."""
        unused = {"_id": token_key(code), "access": None}
        change = {"access": token_key(access), "access_until": until}
        return bool((await self._codes.update_one(unused, {"$set": change})).modified_count)

    async def drop_code(self, code: str) -> None:
        """End a code, and the access token that was given for it."""
        await self._codes.delete_one({"_id": token_key(code)})

    async def by_access(self, access: str, now: datetime) -> Document | None:
        """What an access token was given for."""
        row: Document | None = await self._codes.find_one({"access": token_key(access), "access_until": {"$gt": now}})
        return row
