"""The wishes of candidates, as identity tells them and as they come in by links in mails."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from pymongo import ReplaceOne

from libs.common.bus.messages import Received
from libs.common.clock import as_stored
from libs.common.events import CloudEvent, identity
from libs.common.mongo.client import Database, Document, Session
from libs.common.privacy.holdings import Holding, by
from services.notify.domain.mails import KINDS, MARKETING
from services.notify.domain.wishes import Wishes
from services.notify.letters import Letter

COLLECTION: Final = "wishes"
HOLDING: Final = Holding(collection=COLLECTION, find=by("_id"), kind="wishes", withheld=frozenset({"version"}))


class WishStore:
    """Keeps them, and withholds mails that are against them. Methods with a session are part of its transaction."""

    def __init__(self, database: Database) -> None:
        self._wishes = database[COLLECTION]

    async def of(self, session: Session | None, candidates: Iterable[str]) -> dict[str, Wishes]:
        return {key: _wishes(row) for key, row in (await self._rows(session, candidates)).items()}

    async def take(self, session: Session, items: Sequence[Received[identity.PreferencesChanged]]) -> None:
        """Keep what identity says; of a candidate the highest version counts, whichever comes first."""
        latest: dict[str, CloudEvent[identity.PreferencesChanged]] = {}
        for item in items:
            known = latest.get(item.data.candidate_id)
            if known is None or _version(item.event) > _version(known):
                latest[item.data.candidate_id] = item.event
        if not latest:
            return
        rows = await self._rows(session, latest)
        later = [
            ReplaceOne({"_id": key}, _row(event, rows.get(key, {})), upsert=True)
            for key, event in latest.items()
            if _version(event) > rows.get(key, {}).get("version", 0)
        ]
        if later:
            await self._wishes.bulk_write(later, ordered=False, session=session)

    async def readers(self, session: Session, program: str, *, after: str, limit: int) -> list[str]:
        """Candidates of a program who have agreed to news and whose ids come after `after`, in their order."""
        agreed = {"program": program, "marketing": True, "_id": {"$gt": after}}
        found = self._wishes.find(agreed, session=session).sort("_id", 1)
        return [row["_id"] for row in await found.to_list(limit)]

    async def unsubscribe(self, session: Session, candidate_id: str, program: str, at: datetime) -> None:
        """Take back a consent to news as of `at`."""
        change = {"$max": {"unsubscribed_at": as_stored(at)}, "$setOnInsert": {"program": program, "version": 0}}
        await self._wishes.update_one({"_id": candidate_id}, change, upsert=True, session=session)

    async def withheld(self, letters: Sequence[Letter]) -> Mapping[str, str]:
        """As a `Check`."""
        asked = [letter for letter in letters if letter.template in KINDS or letter.template in MARKETING]
        if not asked:
            return {}
        wishes = await self.of(None, {letter.recipient.candidate_id for letter in asked})
        reasons = {
            letter.id: wishes.get(letter.recipient.candidate_id, _NOTHING_SAID).against(letter.template)
            for letter in asked
        }
        return {key: reason for key, reason in reasons.items() if reason}

    async def _rows(self, session: Session | None, candidates: Iterable[str]) -> dict[str, Document]:
        found = self._wishes.find({"_id": {"$in": sorted(candidates)}}, session=session)
        return {row["_id"]: row async for row in found}


_NOTHING_SAID = Wishes()


def _version(event: CloudEvent[Any]) -> int:
    return event.subjectversion or 1


def _row(event: CloudEvent[identity.PreferencesChanged], before: Document) -> Document:
    data = event.data
    row = {
        "program": event.program,
        "version": _version(event),
        "mails": data.mails,
        "marketing": data.marketing is True,
        "digest": data.digest,
        # Told without a moment of its own, consent counts as given with the change that told it.
        "marketing_at": as_stored(data.marketing_at or data.changed_at) if data.marketing is not None else None,
    }
    return row | {name: before[name] for name in ("unsubscribed_at",) if name in before}


def _wishes(row: Document) -> Wishes:
    return Wishes(
        mails=row.get("mails", {}),
        marketing=row.get("marketing", False),
        marketing_at=row.get("marketing_at"),
        unsubscribed_at=row.get("unsubscribed_at"),
        digest=row.get("digest"),
    )
