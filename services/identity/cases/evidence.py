"""Evidence of cases: files checked, kept apart from what they prove, and deleted when a case is decided."""

import hashlib
from datetime import datetime, timedelta

from bson.binary import Binary

from libs.common.http.evidence import EvidenceFile, EvidenceUpload, checked, evidence_file
from libs.common.http.problems import invalid
from libs.common.ids import derived_id
from libs.common.mongo.client import Database, Document, Session
from services.identity.cases.documents import UnfitFile, check_pdf, redrawn

LASTS = timedelta(days=90)
"""A file is deleted so long after its upload, also where its case is not decided."""

MOST_FILES = 10
"""Of one case."""


def prepared(upload: EvidenceUpload) -> EvidenceUpload:
    """The upload as it is kept: images as JPEG without anything but pixels. Raises a problem where it is not taken.

    Takes a hundred megabytes and a second at worst.
    """
    checked(upload)
    try:
        if upload.media_type == "application/pdf":
            check_pdf(upload.content)
            return upload
        return EvidenceUpload("image/jpeg", redrawn(upload.media_type, upload.content))
    except UnfitFile as error:
        raise invalid("body", "content", str(error)) from error


def described(case_id: str, file: EvidenceUpload, now: datetime) -> Document:
    """What a case says of a file. The same file again has the same id."""
    return {
        "evidence_id": derived_id("evidence", case_id, hashlib.sha256(file.content).hexdigest()),
        "media_type": file.media_type,
        "bytes": len(file.content),
        "uploaded_at": now,
        "expires_at": now + LASTS,
    }


class EvidenceStore:
    """All queries about files. Methods with a session are part of its transaction."""

    def __init__(self, database: Database) -> None:
        self._files = database["case_evidence"]

    async def add(self, session: Session, case: Document, about: Document, file: EvidenceUpload) -> None:
        row = {
            "_id": about["evidence_id"],
            "case_id": case["_id"],
            "candidate_id": case["candidate_id"],
            "media_type": file.media_type,
            "expires_at": about["expires_at"],
            "content": Binary(file.content),
        }
        # The database is up to a minute late in removing what has ended.
        await self._files.replace_one({"_id": row["_id"]}, row, upsert=True, session=session)

    async def delete(self, session: Session, case_id: str) -> None:
        await self._files.delete_many({"case_id": case_id}, session=session)

    async def file(self, case_id: str, evidence_id: str) -> EvidenceFile | None:
        row = await self._files.find_one({"_id": evidence_id, "case_id": case_id})
        return evidence_file(row, evidence_id[:8]) if row else None
