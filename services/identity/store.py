"""The identity database: candidates, partners' ids, single-use links, clients."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from pymongo import ASCENDING, IndexModel
from pymongo.collation import Collation

from libs.common.mongo.client import Database, Document, Session
from libs.common.mongo.links import link_id
from libs.common.mongo.migrations import COMMON, Migration, declare
from libs.common.versions import next_version
from services.identity.domain.name_keys import FIELDS, keys_of
from services.identity.duplicates.store import KEYS

_LETTERS = Collation("en", strength=1)
"""Compares letters alone: neither case nor accents make a difference."""
_MOST_RESEMBLING = 200
_COMPARED = {*FIELDS, "email_key", "country", "address"}
_COMPARE_AGAIN = {"$unset": {KEYS: ""}}
"""Has an account compared anew with those that may be of the same person."""

MIGRATIONS = [
    Migration(
        1,
        "collections and indexes",
        declare(
            {
                **COMMON,
                "candidates": [
                    IndexModel([("program", ASCENDING), ("email_key", ASCENDING)], name="email"),
                ],
                "external_ids": [IndexModel([("candidate_id", ASCENDING)], name="candidate")],
                "links": [IndexModel([("expires_at", ASCENDING)], name="expiry", expireAfterSeconds=0)],
                "counters": [],
            }
        ),
    ),
    Migration(
        2,
        "merges, cases and registrations",
        declare(
            {
                "merges": [IndexModel([("state", ASCENDING), ("requested_at", ASCENDING)], name="state")],
                "cases": [],
                "registrations": [],
                "candidates": [
                    IndexModel([("program", ASCENDING), (name, ASCENDING)], name=name, collation=_LETTERS)
                    for name in ("family_name", "given_name")
                ],
            }
        ),
    ),
]


def email_key(email: str) -> str:
    """The form under which an address is looked up: people type theirs in any case."""
    return email.strip().casefold()


def token_key(token: str) -> str:
    """The form in which a link's token is kept: whoever reads the database cannot use it."""
    return hashlib.sha256(token.encode()).hexdigest()


class IdentityStore:
    """All queries of the service. Methods with a session are part of its transaction."""

    def __init__(self, database: Database) -> None:
        self._candidates = database["candidates"]
        self._external_ids = database["external_ids"]
        self._links = database["links"]
        self._counters = database["counters"]

    async def take_numbers(self, program: str, count: int) -> range:
        """Numbers for new candidates, never given before; those of a transaction that fails stay unused.

        Outside any transaction: inside one, every two registrations of a program would conflict here.
        """
        row = await self._counters.find_one_and_update(
            {"_id": program}, {"$inc": {"last": count}}, upsert=True, return_document=True
        )
        return range(row["last"] - count + 1, row["last"] + 1)

    async def candidates_of(self, session: Session, keys: Iterable[str]) -> dict[str, str | None]:
        """Whose the known ones of these ids are; None where one was unlinked."""
        found = self._external_ids.find({"_id": {"$in": list(keys)}}, session=session)
        return {row["_id"]: row["candidate_id"] async for row in found}

    async def add(
        self,
        session: Session,
        *,
        candidates: Sequence[Document],
        external_ids: Sequence[Document],
        links: Sequence[Document],
    ) -> None:
        await self._candidates.insert_many(candidates, session=session, ordered=False)
        await self._external_ids.insert_many(external_ids, session=session, ordered=False)
        await self._links.insert_many(links, session=session, ordered=False)

    async def candidate(self, program: str, candidate_id: str, session: Session | None = None) -> Document | None:
        query = {"_id": candidate_id, "program": program}
        row: Document | None = await self._candidates.find_one(query, session=session)
        return row

    async def standing(self, program: str, candidate_id: str, session: Session | None = None) -> Document | None:
        """The account that an ID opens: itself, or the one it was merged into."""
        row = await self.candidate(program, candidate_id, session)
        return await self.candidate(program, row["merged_into"], session) if row and row.get("merged_into") else row

    async def by_email(self, program: str, email: str, limit: int, session: Session | None = None) -> list[Document]:
        """The accounts with an address that people may take for this one."""
        query = {"program": program, "email_key": email_key(email)}
        return await self._candidates.find(query, session=session).to_list(limit)

    async def change(self, session: Session, candidate_id: str, changes: Document) -> None:
        """Write fields of an account; names are found under their new form from then on."""
        one = {"_id": candidate_id}
        again = _COMPARE_AGAIN if changes.keys() & _COMPARED else {}
        await self._candidates.update_one(one, {"$set": changes, **again}, session=session)
        if changes.keys() & set(FIELDS):
            row = await self._candidates.find_one(one, dict.fromkeys(FIELDS, 1), session=session)
            keys = keys_of(row) if row else []
            await self._candidates.update_one(one, {"$set": {"name_keys": keys}}, session=session)

    async def join(self, session: Session, source: str, into: str) -> None:
        """Mark both accounts. Of two merges at the same moment that share an account one meets a conflict here."""
        ends = {"$set": {"merged_into": into}, **_COMPARE_AGAIN}
        await self._candidates.update_one({"_id": source}, ends, session=session)
        await self._candidates.update_one({"_id": into}, {"$push": {"merged_from": source}}, session=session)

    async def part(self, session: Session, source: str, into: str) -> None:
        await self._candidates.update_one({"_id": source}, {"$unset": {"merged_into": "", KEYS: ""}}, session=session)
        await self._candidates.update_one({"_id": into}, {"$pull": {"merged_from": source}}, session=session)

    async def next_version(self, session: Session, candidate_id: str, now: datetime) -> int:
        """The version of the next event about a candidate. Raises `LookupError` where there is none."""
        row = await self._candidates.find_one({"_id": candidate_id}, {"version": 1}, session=session)
        if row is None:
            raise LookupError(candidate_id)
        version = next_version(row["version"], now)
        await self.change(session, candidate_id, {"version": version})
        return version

    async def resembling(self, account: Document) -> list[Document]:
        """Accounts of the program with the same address for mail, or with a word of the names, whatever its accents.

        Those that share all of the words come first: of a common name there are more than anybody looks at.
        """
        program, keys = account["program"], keys_of(account)
        found = await self._candidates.find({"program": program, "email_key": account["email_key"]}).to_list(
            _MOST_RESEMBLING
        )
        for among in ({"$all": keys}, {"$in": keys}) if keys else ():
            named = self._candidates.find({"program": program, "name_keys": among}).hint("name_keys")
            found += await named.to_list(_MOST_RESEMBLING)
        return found

    async def by_login(self, program: str, login: str, session: Session | None = None) -> list[Document]:
        """The accounts that an ID or an e-mail address may mean; several may share an address."""
        either = [{"_id": login.strip().upper()}, {"email_key": email_key(login)}]
        return await self._candidates.find({"program": program, "$or": either}, session=session).to_list(20)

    async def external_ids(self, candidate_id: str) -> list[Document]:
        return await self._external_ids.find({"candidate_id": candidate_id}).sort("_id", ASCENDING).to_list(100)

    async def find(
        self, program: str, *, email: str | None, system: str | None, external_id: str | None, limit: int
    ) -> list[Document]:
        """Candidates by e-mail address or by a partner's id."""
        query: Document = {"program": program}
        if email is not None:
            query["email_key"] = email_key(email)
        if system is not None and external_id is not None:
            row = await self._external_ids.find_one({"_id": link_id(program, system, external_id)})
            query["_id"] = row["candidate_id"] if row else None
        return await self._candidates.find(query).sort("_id", ASCENDING).to_list(limit)

    async def use_link(self, session: Session, token: str, now: datetime) -> Document | None:
        """Take a single-use link out of circulation and return it; None where it is unknown, used or too old."""
        found = await self._links.find_one_and_delete({"_id": token_key(token)}, session=session)
        row: Document | None = found
        return row if row is not None and row["expires_at"] > now else None

    async def link(self, token: str, now: datetime) -> Document | None:
        """A link that works, left in circulation."""
        row: Document | None = await self._links.find_one({"_id": token_key(token), "expires_at": {"$gt": now}})
        return row

    async def account(self, candidate_id: str, session: Session | None = None) -> Document | None:
        """The account of a link or a session of ours, whatever its program."""
        row: Document | None = await self._candidates.find_one({"_id": candidate_id}, session=session)
        return row

    async def rehash(self, candidate_id: str, *, old: str, new: str) -> None:
        """Write the hash of the same password anew, unless the password has changed meanwhile."""
        await self._candidates.update_one({"_id": candidate_id, "password": old}, {"$set": {"password": new}})

    async def set_password(
        self, session: Session, candidate_id: str, password_hash: str, now: datetime
    ) -> Document | None:
        """Set a password, and return the account as it was before. Every link to choose one ends with that."""
        change = {
            "password": {"$literal": password_hash},  # it begins with what marks a field here
            "activated_at": {"$ifNull": ["$activated_at", now]},
            "failures": 0,
            "locked_until": None,
        }
        before: Document | None = await self._candidates.find_one_and_update(
            {"_id": candidate_id}, [{"$set": change}], session=session
        )
        await self.drop_links(session, candidate_id)
        return before

    async def drop_links(self, session: Session, candidate_id: str) -> None:
        """Every single-use link of an account ends."""
        await self._links.delete_many({"candidate_id": candidate_id}, session=session)

    async def activate(self, session: Session, candidate_id: str, now: datetime) -> None:
        """Note that the account's owner has entered without a password. Every link to choose one ends with that."""
        await self._candidates.update_one(
            {"_id": candidate_id}, [{"$set": {"activated_at": {"$ifNull": ["$activated_at", now]}}}], session=session
        )
        await self._links.delete_many({"candidate_id": candidate_id}, session=session)

    async def count_try(self, known: Document, *, locked_until: datetime | None) -> bool:
        """Count a try on the account as it is known. Returns False where it has changed since it was read."""
        unchanged = {"_id": known["_id"], "failures": known["failures"], "locked_until": known["locked_until"]}
        change = {"$inc": {"failures": 1}, "$set": {"locked_until": locked_until}}
        result = await self._candidates.update_one(unchanged, change)
        return bool(result.modified_count)

    async def forget_tries(self, candidate_id: str) -> None:
        await self._candidates.update_one({"_id": candidate_id}, {"$set": {"failures": 0, "locked_until": None}})

    async def totals(self, programs: Sequence[str]) -> Mapping[str, int]:
        own = {"program": {"$in": list(programs)}}
        return {
            "accounts": await self._candidates.count_documents(own),
            "activated": await self._candidates.count_documents({**own, "activated_at": {"$ne": None}}),
        }
