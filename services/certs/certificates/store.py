"""The certificates database: each edition of each certificate, whole, as it was given out."""

from datetime import date, datetime
from typing import NamedTuple

from bson.binary import Binary
from pymongo import ASCENDING, DESCENDING, IndexModel

from libs.common.mongo.client import Database, Document, Session
from libs.common.mongo.migrations import Migration, declare

COLLECTION = "certificates"

MIGRATION = Migration(
    12,
    "certificates",
    declare(
        {
            COLLECTION: [
                IndexModel([("credential_id", ASCENDING), ("edition", ASCENDING)], name="edition", unique=True),
                IndexModel([("candidate_id", ASCENDING)], name="candidate"),
            ]
        }
    ),
)

_ABOUT = {"content": 0}


class Certificate(NamedTuple):
    """One edition. None of it ever changes; what has changed since is in a later edition."""

    certificate_id: str
    program: str
    candidate_id: str
    certification: str
    credential_id: str
    edition: int
    """From 1; one more with each change of what stands on it."""
    name: str
    native_name: str | None
    title: str
    earned_on: date
    expires_on: date | None
    issued_on: date
    code: str
    kid: str
    """The key that signed the credential attached to it."""


class CertificateStore:
    """All queries about certificates. Methods with a session are part of its transaction."""

    def __init__(self, database: Database) -> None:
        self._rows = database[COLLECTION]

    async def latest(self, credential_id: str, session: Session | None = None) -> Certificate | None:
        """The last edition for a credential."""
        query = {"credential_id": credential_id}
        row = await self._rows.find_one(query, _ABOUT, sort=[("edition", DESCENDING)], session=session)
        return _loaded(row) if row else None

    async def get(self, certificate_id: str) -> Certificate | None:
        """Any edition, by its id: what a verification code stands for."""
        row = await self._rows.find_one({"_id": certificate_id}, _ABOUT)
        return _loaded(row) if row else None

    async def file(self, certificate_id: str) -> bytes | None:
        """The file of an edition, as it was first given out."""
        row = await self._rows.find_one({"_id": certificate_id}, {"content": 1})
        return bytes(row["content"]) if row else None

    async def add(self, session: Session, certificate: Certificate, file: bytes, now: datetime) -> None:
        row = certificate._asdict()
        row |= {"_id": row.pop("certificate_id"), "earned_on": certificate.earned_on.isoformat()}
        row |= {"expires_on": certificate.expires_on.isoformat() if certificate.expires_on else None}
        row |= {"issued_on": certificate.issued_on.isoformat(), "issued_at": now, "content": Binary(file)}
        await self._rows.insert_one(row, session=session)


def _loaded(row: Document) -> Certificate:
    values = {name: row[name] for name in Certificate._fields if name != "certificate_id"}
    for day in ("earned_on", "expires_on", "issued_on"):
        values[day] = date.fromisoformat(values[day]) if values[day] else None
    return Certificate(certificate_id=row["_id"], **values)
