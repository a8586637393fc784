"""Transcripts, their view log and their signed credentials in the certs database."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final, Literal, NamedTuple

from pymongo import ASCENDING, DESCENDING, IndexModel, UpdateOne

from libs.common.mongo.client import Database, Document, Session
from libs.common.mongo.gathered import GatheredReads
from libs.common.mongo.migrations import Migration, declare
from services.certs.transcripts.shown import Shown, ShownCertification, ShownCredits, ShownExam

COLLECTION: Final = "transcripts"
VIEWS: Final = "transcript_views"
SIGNED: Final = "transcript_credentials"
VIEWS_KEPT: Final = timedelta(days=400)

MIGRATION = Migration(
    13,
    "transcripts",
    declare(
        {
            COLLECTION: [
                IndexModel([("link", ASCENDING)], name="link", unique=True),
                IndexModel([("candidate_id", ASCENDING), ("_id", DESCENDING)], name="candidate"),
            ],
            VIEWS: [
                IndexModel([("candidate_id", ASCENDING)], name="candidate"),
                IndexModel([("transcript_id", ASCENDING), ("_id", DESCENDING)], name="transcript"),
                IndexModel([("kept_until", ASCENDING)], name="kept", expireAfterSeconds=0),
            ],
            SIGNED: [IndexModel([("candidate_id", ASCENDING)], name="candidate")],
        }
    ),
)

TranscriptKind = Literal["live", "frozen"]
TranscriptState = Literal["open", "ended", "withdrawn"]


class Transcript(NamedTuple):
    """A transcript as it is stored."""

    transcript_id: str
    program: str
    candidate_id: str
    """The account it was made by; of a merged one, another stands for it."""
    link: str
    """Hash of the token, under a secret key."""
    sealed: str
    """The token, for its owner."""
    code: str
    label: str
    """The owner's name for it. Nobody else sees it."""
    remarks: str | None
    kind: TranscriptKind
    chosen: Shown
    """As it was when it was chosen; of a frozen one, what it shows."""
    frozen_on: date | None
    frozen_name: str | None
    valid_through: date
    ends_at: datetime
    """The end of that day in the program's calendar."""
    created_at: datetime
    withdrawn_at: datetime | None

    def state(self, now: datetime) -> TranscriptState:
        if self.withdrawn_at is not None:
            return "withdrawn"
        return "ended" if self.ends_at <= now else "open"


class View(NamedTuple):
    """How often a transcript was opened on a day from a country, by one kind of visitor."""

    day: date
    country: str | None
    """ISO 3166-1 alpha-2; None where it is not known."""
    visitor: str
    views: int


class TranscriptStore:
    """All queries about transcripts. Methods with a session are part of its transaction."""

    def __init__(self, database: Database) -> None:
        self._rows = database[COLLECTION]
        self._views = database[VIEWS]
        self._signed = database[SIGNED]
        self._by_link = GatheredReads(database, COLLECTION, {}, key="link")

    async def by_link(self, link: str) -> Transcript | None:
        """The transcript that a link leads to, asked of the database each time."""
        row = await self._by_link.get(link)
        return transcript_of(row) if row is not None else None

    async def get(self, transcript_id: str, session: Session | None = None) -> Transcript | None:
        row = await self._rows.find_one({"_id": transcript_id}, session=session)
        return transcript_of(row) if row is not None else None

    async def of_accounts(
        self, program: str, accounts: Sequence[str], *, before: str | None, limit: int
    ) -> list[Transcript]:
        """The transcripts of a candidate's accounts, newest first."""
        query: Document = {"program": program, "candidate_id": {"$in": list(accounts)}}
        if before is not None:
            query["_id"] = {"$lt": before}
        rows = await self._rows.find(query).sort("_id", DESCENDING).to_list(limit)
        return [transcript_of(row) for row in rows]

    async def open_ones(self, session: Session, accounts: Sequence[str], now: datetime) -> int:
        """How many transcripts of these accounts can be opened."""
        query = {"candidate_id": {"$in": list(accounts)}, "withdrawn_at": None, "ends_at": {"$gt": now}}
        return await self._rows.count_documents(query, session=session)

    async def add(self, session: Session, transcript: Transcript) -> None:
        await self._rows.insert_one(row_of(transcript), session=session)

    async def change(self, session: Session, transcript: Transcript) -> None:
        await self._rows.replace_one({"_id": transcript.transcript_id}, row_of(transcript), session=session)

    # The view log

    async def count_views(self, views: Mapping[tuple[Transcript, date, str | None, str], int]) -> None:
        """Add to the log."""
        writes = [
            UpdateOne(
                {"_id": f"{seen.transcript_id} {day.isoformat()} {country or '--'} {visitor}"},
                {
                    "$inc": {"views": number},
                    "$setOnInsert": {
                        "program": seen.program,
                        "candidate_id": seen.candidate_id,
                        "transcript_id": seen.transcript_id,
                        "day": day.isoformat(),
                        "country": country,
                        "visitor": visitor,
                        "kept_until": seen.ends_at + VIEWS_KEPT,
                    },
                },
                upsert=True,
            )
            for (seen, day, country, visitor), number in views.items()
        ]
        await self._views.bulk_write(writes, ordered=False)

    async def views(self, transcript_id: str, *, before: str | None, limit: int) -> list[tuple[str, View]]:
        """The log, newest day first, each line with the key to go on after."""
        query: Document = {"transcript_id": transcript_id}
        if before is not None:
            query["_id"] = {"$lt": before}
        rows = await self._views.find(query).sort("_id", DESCENDING).to_list(limit)
        return [(row["_id"], _view(row)) for row in rows]

    async def views_of(self, transcripts: Iterable[str]) -> dict[str, int]:
        """How often people have opened each of these."""
        match = {"transcript_id": {"$in": list(transcripts)}, "visitor": "browser"}
        group = {"_id": "$transcript_id", "views": {"$sum": "$views"}}
        found = self._views.aggregate([{"$match": match}, {"$group": group}])
        return {row["_id"]: row["views"] async for row in found}

    # Signed credentials

    async def signed(self, transcript_id: str) -> Document | None:
        """`content`, `document`, `jwt` and `kid` of what was signed last."""
        row: Document | None = await self._signed.find_one({"_id": transcript_id})
        return row

    async def keep_signed(self, transcript: Transcript, fields: Mapping[str, Any]) -> None:
        """Keep what was signed, while the transcript is there: an erasure may have come between."""
        if await self._rows.find_one({"_id": transcript.transcript_id}, {"_id": 1}) is None:
            return
        row = {"candidate_id": transcript.candidate_id, **fields}
        await self._signed.replace_one({"_id": transcript.transcript_id}, row, upsert=True)


def row_of(transcript: Transcript) -> Document:
    """A transcript as it is stored."""
    fields = transcript._asdict()
    key, chosen = fields.pop("transcript_id"), transcript.chosen
    return {
        "_id": key,
        **fields,
        "valid_through": transcript.valid_through.isoformat(),
        "frozen_on": _text(transcript.frozen_on),
        "chosen": {
            "certifications": [_fields(one) for one in chosen.certifications],
            "exams": [_fields(one) for one in chosen.exams],
            "credits": _fields(chosen.credits) if chosen.credits is not None else None,
        },
    }


def transcript_of(row: Document) -> Transcript:
    """A stored transcript."""
    chosen = row["chosen"]
    fields = {name: row[name] for name in Transcript._fields if name != "transcript_id"}
    return Transcript(
        transcript_id=row["_id"],
        **{
            **fields,
            "valid_through": date.fromisoformat(row["valid_through"]),
            "frozen_on": _day(row["frozen_on"]),
            "chosen": Shown(
                tuple(ShownCertification(**_days(one)) for one in chosen["certifications"]),
                tuple(ShownExam(**_days(one)) for one in chosen["exams"]),
                ShownCredits(**_days(chosen["credits"])) if chosen["credits"] is not None else None,
            ),
        },
    )


_DAYS = frozenset({"earned_on", "expires_on", "revoked_on", "passed_on", "until"})


def _fields(one: ShownCertification | ShownExam | ShownCredits) -> Document:
    return {name: _text(value) if name in _DAYS else value for name, value in one._asdict().items()}


def _days(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _day(value) if name in _DAYS else value for name, value in row.items()}


def _text(day: date | None) -> str | None:
    return day.isoformat() if day is not None else None


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text is not None else None


def _view(row: Document) -> View:
    return View(date.fromisoformat(row["day"]), row["country"], row["visitor"], row["views"])
