"""The stored credentials, whom they are about, and the notes of what is due."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from pymongo import ASCENDING, DESCENDING, IndexModel, ReturnDocument, UpdateOne

from libs.common.mongo.client import Database, Document, Session
from libs.common.mongo.migrations import Migration, declare
from libs.common.mongo.unit_of_work import Transaction
from services.certs.credentials.comparison import Award, Issued, Recipient, Term
from services.certs.credentials.credential import Credential
from services.certs.credentials.signing import Signed
from services.certs.credentials.waking import Wake

COLLECTION = "credentials"
DUE = "credentials_due"
"""Whose credentials may have to change, a document for each batch: what is only added meets no conflict."""
HOLDERS = "credential_holders"
"""One for each account that credentials were compared for: two comparisons of one never commit side by side."""
LISTS = "status_lists"

NOTED_AT_ONCE = 500
"""Candidates in one of the notes that the migration makes."""
_FREE = datetime(1970, 1, 1, tzinfo=UTC)
_EVER = date.max.isoformat()


async def _note_everybody(database: Database) -> None:
    """Whoever holds something when credentials come in gets them, too."""
    holders = database["candidates"].find({"certifications.0": {"$exists": True}}, {"_id": 1})
    while rows := await holders.to_list(NOTED_AT_ONCE):
        await database[DUE].insert_one(_note([row["_id"] for row in rows], urgent=False))


async def _apply(database: Database) -> None:
    await declare(
        {
            COLLECTION: [
                IndexModel(
                    [("program", ASCENDING), ("status_list", ASCENDING), ("status_index", ASCENDING)],
                    name="bit",
                    unique=True,
                ),
                IndexModel([("candidate_id", ASCENDING)], name="candidate"),
                IndexModel([("issued_at", ASCENDING)], name="unsigned", partialFilterExpression={"signed": False}),
                IndexModel(
                    [("program", ASCENDING), ("status_list", ASCENDING)],
                    name="unlisted",
                    partialFilterExpression={"unlisted": True},
                ),
                IndexModel(
                    [("program", ASCENDING), ("status_list", ASCENDING), ("state", ASCENDING)],
                    name="revoked",
                    partialFilterExpression={"state": "revoked"},
                ),
                IndexModel([("program", ASCENDING), ("kid", ASCENDING)], name="key"),
            ],
            DUE: [IndexModel([("urgent", DESCENDING), ("_id", ASCENDING)], name="urgent")],
            HOLDERS: [],
            LISTS: [IndexModel([("program", ASCENDING), ("number", DESCENDING)], name="newest", unique=True)],
        }
    )(database)
    await _note_everybody(database)


MIGRATION = Migration(10, "credentials and status lists", _apply)


class CredentialsDue:
    """Notes of candidates whose credentials may have to change."""

    LEASE = timedelta(seconds=30)
    """How long a note is one process's; after a crash it waits at most so long for another."""

    def __init__(self, database: Database) -> None:
        self._due = database[DUE]
        self.wake = Wake()
        """Rung after a commit, so that the loop of this process looks soon."""
        self.urgent = Wake()
        """Rung as well where something is to be revoked: it looks at once."""

    async def note(self, transaction: Transaction, candidates: Iterable[str], *, urgent: bool = False) -> None:
        """Note candidates within a transaction. `urgent`: something of theirs is to be revoked."""
        ids = list(candidates)
        if not ids:
            return
        await self._due.insert_one(_note(ids, urgent=urgent), session=transaction.session)
        transaction.on_commit(self.wake.ring)
        if urgent:
            transaction.on_commit(self.urgent.ring)

    async def claim(self, owner: str, now: datetime, candidates: int) -> list[Document]:
        """The next notes that are nobody's, now this owner's, until they name so many candidates together.

        Urgent ones come first, and without others.
        """
        free = {"claimed_until": {"$lte": now}}
        order = [("urgent", DESCENDING), ("_id", ASCENDING)]
        claimed: list[Document] = []
        while not claimed:
            sizes = {"urgent": True, "size": {"$size": "$candidates"}}  # a note may name thousands
            ids = _first(await self._due.find(free, sizes).sort(order).to_list(candidates), candidates)
            if not ids:
                break
            ours = {"owner": owner, "claimed_until": now + self.LEASE}
            # Each note is changed at once or not at all, and is then free no more: a second claimant misses it.
            await self._due.update_many({"_id": {"$in": ids}, **free}, {"$set": ours})
            claimed = await self._due.find({"_id": {"$in": ids}, **ours}).sort(order).to_list(None)
        return claimed

    async def done(self, notes: Sequence[Document], rest: Sequence[str], failed: Sequence[str]) -> None:
        """Take notes away. The `rest` of their candidates is anybody's again, who `failed` when the lease is over."""
        last = notes[-1]
        if failed:
            await self._due.insert_one(_note(failed, urgent=False) | {"claimed_until": last["claimed_until"]})
        if rest:
            await self._due.insert_one(_note(rest, urgent=last["urgent"]))
        await self._due.delete_many({"_id": {"$in": [note["_id"] for note in notes]}, "owner": last["owner"]})


def takes_back(before: Iterable[Document], after: Iterable[Document]) -> bool:
    """Whether of the certifications of a stored ledger one is gone, or ends earlier than before."""
    now = {entry["certification"]: entry["expires_on"] or _EVER for entry in after}
    return any(now.get(entry["certification"], "") < (entry["expires_on"] or _EVER) for entry in before)


def _holder(program: str) -> Document:
    return {"program": program, "subject": f"urn:uuid:{uuid.uuid4()}", "version": 0}


def _first(notes: Sequence[Document], candidates: int) -> list[object]:
    """The ids of the first notes that are as urgent as the first of all, until they name so many candidates."""
    ids: list[object] = []
    named = 0
    for note in notes:
        if named >= candidates or note["urgent"] != notes[0]["urgent"]:
            break
        ids.append(note["_id"])
        named += note["size"]
    return ids


def _note(candidates: Sequence[str], *, urgent: bool) -> Document:
    return {"candidates": list(candidates), "urgent": urgent, "owner": None, "claimed_until": _FREE}


class CredentialStore:
    """All queries about credentials. Methods with a session are part of its transaction."""

    def __init__(self, database: Database) -> None:
        self._rows = database[COLLECTION]
        self._holders = database[HOLDERS]

    async def get(self, credential_id: str) -> Credential | None:
        row = await self._rows.find_one({"_id": credential_id}, _FACTS)
        return credential_of(row) if row is not None else None

    async def of_accounts(self, program: str, accounts: Iterable[str]) -> list[Credential]:
        """Every credential of these accounts, the newest first."""
        query = {"candidate_id": {"$in": list(accounts)}, "program": program}
        found = self._rows.find(query, _FACTS).sort([("issued_at", DESCENDING), ("_id", ASCENDING)])
        return [credential_of(row) async for row in found]

    async def current(self, program: str, accounts: Iterable[str], certification: str) -> Credential | None:
        """The valid credential of a certification that lasts longest; None where there is none."""
        valid = [
            one
            for one in await self.of_accounts(program, accounts)
            if one.certification == certification and one.state == "valid"
        ]
        return max(valid, key=lambda one: (one.expires_on or date.max, one.valid_from), default=None)

    async def valid(self, session: Session, program: str, accounts: Iterable[str]) -> dict[str, Document]:
        """The rows of valid credentials of these accounts, by id."""
        query = {"candidate_id": {"$in": list(accounts)}, "program": program, "state": "valid"}
        rows = self._rows.find(query, _FACTS | {"longest": 1}, session=session)
        return {row["_id"]: row async for row in rows}

    async def hold(self, session: Session, program: str, accounts: Iterable[str]) -> dict[str, Document]:
        """Make a comparison of these accounts the only one.

        Returns:
            By account, `subject`, which credentials call it for good, and `version` of the last event.
        """
        wanted = sorted(accounts)  # two that hold the same ones meet at the first of them
        holding = [
            UpdateOne(
                {"_id": account},
                {"$setOnInsert": _holder(program), "$inc": {"compared": 1}},
                upsert=True,
            )
            for account in wanted
        ]
        await self._holders.bulk_write(holding, session=session)
        return {row["_id"]: row async for row in self._holders.find({"_id": {"$in": wanted}}, session=session)}

    async def keep_versions(self, session: Session, versions: Mapping[str, int]) -> None:
        """Keep the versions of the last events, by account."""
        if versions:
            writes = [UpdateOne({"_id": key}, {"$set": {"version": version}}) for key, version in versions.items()]
            await self._holders.bulk_write(writes, ordered=False, session=session)

    async def insert(self, session: Session, rows: Sequence[Document]) -> None:
        await self._rows.insert_many(rows, ordered=False, session=session)

    async def change(self, session: Session, credential_id: str, fields: Document) -> Credential:
        """Change fields of a row, and return the credential as it is then."""
        row = await self._rows.find_one_and_update(
            {"_id": credential_id},
            {"$set": fields},
            projection=_FACTS,
            return_document=ReturnDocument.AFTER,
            session=session,
        )
        return credential_of(row)

    # Signing

    async def signed(self, credential_id: str) -> Document | None:
        """`document`, `jwt` and `kid` of the present version; None where it is not signed yet."""
        row: Document | None = await self._rows.find_one(
            {"_id": credential_id, "signed": True}, {"document": 1, "jwt": 1, "kid": 1}
        )
        return row

    async def claim_unsigned(self, owner: str, now: datetime, lease: timedelta, most: int) -> list[Credential]:
        """Credentials that are to be signed, the oldest first, now this owner's to sign."""
        free = {"signed": False, "claimed_until": {"$lte": now}}
        ids = [row["_id"] async for row in self._rows.find(free, {"_id": 1}).sort("issued_at", ASCENDING).limit(most)]
        if not ids:
            return []
        until = now + lease
        await self._rows.update_many(
            {**free, "_id": {"$in": ids}}, {"$set": {"claimed_until": until, "signing": owner}}
        )
        claimed = {"_id": {"$in": ids}, "signed": False, "signing": owner, "claimed_until": until}
        return [credential_of(row) async for row in self._rows.find(claimed, _FACTS)]

    async def keep_signed(self, made: Iterable[tuple[Credential, Signed]]) -> None:
        """Keep what was signed, once, where the credential says nothing else meanwhile."""
        await self._rows.bulk_write(
            [
                UpdateOne(
                    {"_id": one.credential_id, "version": one.version, "signed": False, "erased": False},
                    {"$set": {"signed": True, "document": signed.document, "jwt": signed.jwt, "kid": signed.kid}},
                )
                for one, signed in made
            ],
            ordered=False,
        )

    async def sign_anew(self, program: str, kid: str, now: datetime) -> int:
        """Let everything be signed again that a key has signed, as a newer version. Returns how much that is."""
        moment = now.replace(microsecond=0)
        newer = {"$dateAdd": {"startDate": "$valid_from", "unit": "second", "amount": 1}}
        result = await self._rows.update_many(
            {"program": program, "kid": kid, "erased": False},
            [
                {
                    "$set": {
                        **unsigned(),
                        "version": {"$add": ["$version", 1]},
                        "valid_from": {"$max": [moment, newer]},
                    }
                }
            ],
        )
        return result.modified_count


_FACTS = {name: 1 for name in Credential._fields if name != "credential_id"}


def unsigned() -> Document:
    """The fields of a row that is to be signed."""
    return {"signed": False, "document": b"", "jwt": None, "kid": None, "signing": None, "claimed_until": _FREE}


def credential_of(row: Document) -> Credential:
    return Credential(
        **{
            **{name: row[name] for name in _FACTS},
            "credential_id": row["_id"],
            "earned_on": date.fromisoformat(row["earned_on"]),
            "expires_on": date.fromisoformat(row["expires_on"]) if row["expires_on"] else None,
        }
    )


def row_of(credential: Credential) -> Document:
    """A credential that is new, as it is stored; nothing of it is signed."""
    fields = credential._asdict()
    key = fields.pop("credential_id")
    return {
        "_id": key,
        **fields,
        **days_of(Term(credential.earned_on, credential.expires_on), date.min),
        **unsigned(),
        "unlisted": False,
    }


def days_of(term: Term, longest: date) -> Document:
    """The days of a credential as they are stored; `longest` is the last day that it has said so far."""
    return {
        "earned_on": term.earned_on.isoformat(),
        "expires_on": term.expires_on.isoformat() if term.expires_on else None,
        "longest": max(longest, term.end).isoformat(),
    }


def issued_of(row: Document) -> Issued:
    """A stored credential as it is compared."""
    one = credential_of(row)
    term, recipient = Term(one.earned_on, one.expires_on), Recipient(one.recipient_name, one.email_hash is not None)
    award = Award(one.certification, one.title, term, recipient)
    return Issued(one.credential_id, award, date.fromisoformat(row["longest"]))


def erased(row: Document) -> Document:
    """What is left of a credential whose person was erased: its bare id, and its bit, which says revoked."""
    left = {name: row[name] for name in ("_id", "program", "code", "status_list", "status_index", "issued_at")}
    nothing: Document = dict.fromkeys(("candidate_id", "certification", "title", "subject", "email_salt"), "")
    listed = row["state"] == "revoked" and not row["unlisted"]
    return {
        **left,
        **nothing,
        **days_of(Term(date.min, date.min), date.min),
        **unsigned(),
        "signed": True,
        "state": "revoked",
        "version": row["version"] + 1,
        "valid_from": _FREE,
        "revoked_at": row["revoked_at"],
        "unlisted": not listed,
        "erased": True,
        "policy_version": 0,
        "recipient_name": None,
        "email_hash": None,
    }
