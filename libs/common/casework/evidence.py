"""Evidence of cases: files checked, kept apart from what they prove, and deleted when a case is decided."""

import asyncio
import hashlib
from datetime import datetime, timedelta

from pymongo import ASCENDING, IndexModel

from libs.common.casework.documents import UnfitFile, check_pdf
from libs.common.field_keys import FieldKeys
from libs.common.http.evidence import EvidenceFile, EvidenceUpload, checked, evidence_file
from libs.common.http.problems import invalid
from libs.common.ids import derived_id
from libs.common.mongo.client import Database, Document, Session

LASTS = timedelta(days=90)
"""A file is deleted so long after its upload, also where its case is not decided, unless a program says otherwise."""

MOST_FILES = 10
"""Of one case."""

INDEXES = [
    IndexModel([("case_id", ASCENDING)], name="case"),
    IndexModel([("candidate_id", ASCENDING)], name="candidate"),
    IndexModel([("expires_at", ASCENDING)], name="kept", expireAfterSeconds=0),
]
"""Of a collection of files."""

_DRAWN_AT_A_TIME = 2
"""Images in hand in one process: each can take a hundred megabytes for a moment."""


def prepared(upload: EvidenceUpload) -> EvidenceUpload:
    """The upload as it is kept: images as JPEG without anything but pixels. Raises a problem where it is not taken.

    Takes a hundred megabytes and a second at worst.
    """
    checked(upload)
    try:
        if upload.media_type == "application/pdf":
            check_pdf(upload.content)
            return upload
        from libs.common.casework.images import redrawn  # noqa: PLC0415 loaded only where there is an image

        return EvidenceUpload("image/jpeg", redrawn(upload.media_type, upload.content))
    except UnfitFile as error:
        raise invalid("body", "content", str(error)) from error


class EvidenceStore:
    """The files of a service's cases, sealed. Methods with a session are part of its transaction."""

    def __init__(self, database: Database, collection: str, keys: FieldKeys) -> None:
        self._files = database[collection]
        self._keys = keys
        self._place = f"{collection}.content"
        self._drawing = asyncio.Semaphore(_DRAWN_AT_A_TIME)

    async def prepared(self, upload: EvidenceUpload) -> EvidenceUpload:
        """As the function, beside everything else that the process does."""
        async with self._drawing:
            return await asyncio.to_thread(prepared, upload)

    async def attach(
        self, session: Session, case: Document, file: EvidenceUpload, now: datetime, lasts: timedelta = LASTS
    ) -> tuple[Document, bool]:
        """Keep a prepared file beside a case, which lists it. The same file again is there already.

        Returns:
            What the case says of it, and whether it is new.

        Raises:
            Problem: `invalid`, where there are too many.
        """
        # What has ended meanwhile is there no longer, and may be added again.
        case["evidence"] = [each for each in case["evidence"] if each["expires_at"] > now]
        about = _described(case["_id"], file, now, lasts)
        for each in case["evidence"]:
            if each["evidence_id"] == about["evidence_id"]:
                return each, False
        if len(case["evidence"]) >= MOST_FILES:
            raise invalid("body", "too_many", f"a case takes {MOST_FILES} files")
        row = {
            "_id": about["evidence_id"],
            "case_id": case["_id"],
            "candidate_id": case["candidate_id"],
            "media_type": file.media_type,
            "expires_at": about["expires_at"],
            "content": await asyncio.to_thread(self._keys.seal, self._place, file.content),
        }
        # The database is up to a minute late in removing what has ended.
        await self._files.replace_one({"_id": row["_id"]}, row, upsert=True, session=session)
        case["evidence"].append(about)
        return about, True

    async def drop(self, session: Session, case: Document) -> None:
        """Delete a case's files: what they were for is over."""
        await self._files.delete_many({"case_id": case["_id"]}, session=session)
        case["evidence"] = []

    async def file(self, case_id: str, evidence_id: str) -> EvidenceFile | None:
        row = await self._files.find_one({"_id": evidence_id, "case_id": case_id})
        if row is None:
            return None
        row["content"] = await asyncio.to_thread(self._keys.open, self._place, row["content"])
        return evidence_file(row, evidence_id[:8])


def _described(case_id: str, file: EvidenceUpload, now: datetime, lasts: timedelta) -> Document:
    """What a case says of a file. The same file again has the same id."""
    return {
        "evidence_id": derived_id("evidence", case_id, hashlib.sha256(file.content).hexdigest()),
        "media_type": file.media_type,
        "bytes": len(file.content),
        "uploaded_at": now,
        "expires_at": now + lasts,
    }
