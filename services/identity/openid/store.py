"""What identity keeps of sign-ins under way: one document an attempt, and one for each that needs another proof."""

from dataclasses import dataclass
from datetime import datetime

from pymongo import ASCENDING, IndexModel

from libs.common.mongo.client import Database, Document, Session
from libs.common.mongo.migrations import Migration, declare
from services.identity.openid.federated_id import FederatedId
from services.identity.store import token_key

_EXPIRY = IndexModel([("expires_at", ASCENDING)], name="expiry", expireAfterSeconds=0)

MIGRATION = Migration(4, "sign-ins with a provider", declare({"sign_ins": [_EXPIRY], "pending_sign_ins": [_EXPIRY]}))


@dataclass(frozen=True, slots=True)
class Attempt:
    """Somebody was sent to the provider."""

    program: str
    state: str
    binding: str
    fresh: bool
    counted: str
    """The try as it was counted against the sender's address."""
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Pending:
    """The provider vouches for somebody who has to prove more to us."""

    person: FederatedId
    candidate_id: str | None
    """Whose account it opens once the second factor is shown; None where that is what is to be proved."""
    expires_at: datetime


class SignInStore:
    """All queries about them. Secrets are kept as hashes: whoever reads the database finishes no sign-in."""

    def __init__(self, database: Database) -> None:
        self._attempts = database["sign_ins"]
        self._pending = database["pending_sign_ins"]

    async def add(self, attempt: Attempt) -> None:
        await self._attempts.insert_one(
            {
                "_id": token_key(attempt.state),
                "program": attempt.program,
                "binding": token_key(attempt.binding),
                "fresh": attempt.fresh,
                "counted": attempt.counted,
                "expires_at": attempt.expires_at,
            }
        )

    async def take(self, program: str, state: str, binding: str, now: datetime) -> Attempt | None:
        """Take an attempt out; None where there is none, it is another browser's or another program's, or too old."""
        query = {
            "_id": token_key(state),
            "program": program,
            "binding": token_key(binding),
            "expires_at": {"$gt": now},
        }
        row: Document | None = await self._attempts.find_one_and_delete(query)
        if row is None:
            return None
        return Attempt(program, state, binding, row["fresh"], row["counted"], row["expires_at"])

    async def keep(self, token: str, pending: Pending) -> None:
        await self._pending.insert_one(
            {
                "_id": token_key(token),
                "program": pending.person.program,
                "system": pending.person.system,
                "external_id": pending.person.external_id,
                "candidate_id": pending.candidate_id,
                "expires_at": pending.expires_at,
            }
        )

    async def pending(self, program: str, token: str, now: datetime) -> Pending | None:
        """A pending sign-in that goes on, left where it is."""
        query = {"_id": token_key(token), "program": program, "expires_at": {"$gt": now}}
        row: Document | None = await self._pending.find_one(query)
        return None if row is None else _pending(row)

    async def drop(self, session: Session, token: str) -> bool:
        """Take a pending sign-in out; False where another has."""
        result = await self._pending.delete_one({"_id": token_key(token)}, session=session)
        return bool(result.deleted_count)


def _pending(row: Document) -> Pending:
    person = FederatedId(row["program"], row["system"], row["external_id"])
    return Pending(person, row["candidate_id"], row["expires_at"])
