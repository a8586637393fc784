"""What identity keeps of staff: accounts with their roles by program, links, and requests for links."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from pymongo import ASCENDING, IndexModel

from libs.common.ids import new_id
from libs.common.mongo.client import Database, Document, Session
from services.identity.staff.roles import Role
from services.identity.store import email_key, token_key

REQUESTS_KEPT = timedelta(days=1)
"""As with candidates: a request that nobody could work off by then is forgotten."""

SESSIONS_PREFIX = "staff_"

_EXPIRY = IndexModel([("expires_at", ASCENDING)], name="expiry", expireAfterSeconds=0)

COLLECTIONS: Mapping[str, Sequence[IndexModel]] = {
    "staff": [IndexModel([("email_key", ASCENDING)], name="email", unique=True)],
    "staff_links": [IndexModel([("staff_id", ASCENDING)], name="staff"), _EXPIRY],
    "staff_requests": [
        IndexModel([("asked_at", ASCENDING)], name="expiry", expireAfterSeconds=int(REQUESTS_KEPT.total_seconds()))
    ],
    "staff_programs": [],
    "staff_sessions": [IndexModel([("staff_id", ASCENDING), ("program", ASCENDING)], name="staff"), _EXPIRY],
    "staff_refresh_tokens": [IndexModel([("session_id", ASCENDING)], name="session"), _EXPIRY],
}
_MOST_LISTED = 1_000


class StaffStore:
    """All queries about staff. Methods with a session are part of its transaction."""

    def __init__(self, database: Database) -> None:
        self._staff = database["staff"]
        self._links = database["staff_links"]
        self._requests = database["staff_requests"]
        self._programs = database["staff_programs"]

    async def add(self, session: Session, row: Document) -> None:
        await self._staff.insert_one(row, session=session)

    async def account(self, staff_id: str, session: Session | None = None) -> Document | None:
        row: Document | None = await self._staff.find_one({"_id": staff_id}, session=session)
        return row

    async def by_email(self, email: str, session: Session | None = None) -> Document | None:
        row: Document | None = await self._staff.find_one({"email_key": email_key(email)}, session=session)
        return row

    async def of_program(self, program: str) -> list[Document]:
        """Those with a role there, by e-mail address."""
        found = self._staff.find({f"roles.{program}": {"$exists": True}})
        return await found.sort("email_key", ASCENDING).to_list(_MOST_LISTED)

    async def managers(self, session: Session, program: str) -> set[str]:
        """Who manages a program and has opened their account.

        Noted in one document of the program, so that of two changes at the same moment one meets a conflict: each
        alone might leave the other's manager.
        """
        await self._programs.update_one({"_id": program}, {"$inc": {"changes": 1}}, upsert=True, session=session)
        query = {f"roles.{program}": Role.MANAGER, "activated_at": {"$ne": None}}
        return {row["_id"] async for row in self._staff.find(query, {"_id": 1}, session=session)}

    async def set_roles(self, session: Session, staff_id: str, program: str, roles: Sequence[str]) -> None:
        """Give these roles in a program; none take its place away."""
        field = f"roles.{program}"
        change = {"$set": {field: list(roles)}} if roles else {"$unset": {field: ""}}
        await self._staff.update_one({"_id": staff_id}, change, session=session)

    async def open_account(self, session: Session, staff_id: str, password_hash: str, now: datetime) -> None:
        """Set the password. Every link ends with that."""
        change = {
            "password": {"$literal": password_hash},  # it begins with what marks a field here
            "activated_at": {"$ifNull": ["$activated_at", now]},
            "failures": 0,
            "locked_until": None,
        }
        await self._staff.update_one({"_id": staff_id}, [{"$set": change}], session=session)
        await self._links.delete_many({"staff_id": staff_id}, session=session)

    async def rehash(self, staff_id: str, *, old: str, new: str) -> None:
        """Write the hash of the same password anew, unless the password has changed meanwhile."""
        await self._staff.update_one({"_id": staff_id, "password": old}, {"$set": {"password": new}})

    async def count_try(self, known: Document, *, locked_until: datetime | None) -> bool:
        """Count a try on the account as it is known. Returns False where it has changed since it was read."""
        unchanged = {"_id": known["_id"], "failures": known["failures"], "locked_until": known["locked_until"]}
        change = {"$inc": {"failures": 1}, "$set": {"locked_until": locked_until}}
        return bool((await self._staff.update_one(unchanged, change)).modified_count)

    async def forget_tries(self, staff_id: str) -> None:
        await self._staff.update_one({"_id": staff_id}, {"$set": {"failures": 0, "locked_until": None}})

    # Links, and requests for them

    async def links_since(self, session: Session, staff_id: str, since: datetime) -> int:
        return await self._links.count_documents({"staff_id": staff_id, "made_at": {"$gt": since}}, session=session)

    async def add_link(self, session: Session, link: Document, *, version: int) -> None:
        """Store a link, and the version of the event that tells it, by which two at the same moment conflict."""
        await self._staff.update_one({"_id": link["staff_id"]}, {"$set": {"version": version}}, session=session)
        await self._links.insert_one(link, session=session)

    async def link(self, token: str, now: datetime) -> Document | None:
        """A link that works, left in circulation."""
        row: Document | None = await self._links.find_one({"_id": token_key(token), "expires_at": {"$gt": now}})
        return row

    async def use_link(self, session: Session, token: str) -> bool:
        """Take a link out of circulation; False where it was used meanwhile."""
        return bool((await self._links.delete_one({"_id": token_key(token)}, session=session)).deleted_count)

    async def remove_links(self, session: Session, staff_id: str) -> None:
        await self._links.delete_many({"staff_id": staff_id}, session=session)

    async def ask(self, program: str, email: str, now: datetime) -> None:
        await self._requests.insert_one({"_id": new_id(), "program": program, "email": email, "asked_at": now})

    async def waiting(self, limit: int) -> list[Document]:
        """The oldest requests."""
        return await self._requests.find().sort("_id", ASCENDING).to_list(limit)

    async def take(self, session: Session, request_id: str) -> bool:
        """Take a request out; False where another process has."""
        return bool((await self._requests.delete_one({"_id": request_id}, session=session)).deleted_count)
