"""Whose a partner's id is, as a service keeps it that waits for identity to say so."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from pymongo import ASCENDING, IndexModel, UpdateOne

from libs.common.bus.messages import Received
from libs.common.clock import as_stored
from libs.common.events import CloudEvent, identity
from libs.common.mongo.client import Database, Document, Session

COLLECTION = "links"
INDEXES = [IndexModel([("candidate_id", ASCENDING)], name="candidate")]


LINK_EVENTS = (identity.ExternalIdLinked, identity.ExternalIdUnlinked)
LinkEvent = identity.ExternalIdLinked | identity.ExternalIdUnlinked


def link_id(program: str, system: str, external_id: str) -> str:
    """A partner's id of a person, unique within program and partner."""
    return f"{program}:{system}:{external_id}"


OWN = "certrail"
"""In place of a partner, where the id is ours."""


def own_link(program: str, candidate_id: str) -> str:
    """Our own id of a person, as partners name them who have taken it over."""
    return link_id(program, OWN, candidate_id)


def as_own_link(item: Received[identity.CandidateRegistered]) -> Received[LinkEvent]:
    """A new account, which its own id belongs to from the beginning."""
    data = item.data
    linked = identity.ExternalIdLinked(
        candidate_id=data.candidate_id,
        system=OWN,
        external_id=data.candidate_id,
        verified_by="registration",
        linked_at=data.registered_at,
    )
    event: CloudEvent[LinkEvent] = item.event.model_copy(update={"data": linked})  # type: ignore[assignment]
    return Received(event, item.delivery, item.traceparent)


class Links:
    """The links of a service's database; every method is part of its transaction."""

    def __init__(self, database: Database) -> None:
        self._links = database[COLLECTION]

    async def candidates_of(self, session: Session, links: Iterable[str]) -> dict[str, str]:
        """The candidates of those links that have one."""
        wanted = list(set(links))
        if not wanted:
            return {}
        found = self._links.find({"_id": {"$in": wanted}, "candidate_id": {"$ne": None}}, session=session)
        return {row["_id"]: row["candidate_id"] async for row in found}

    async def known(self, session: Session, program: str, candidates: Iterable[str]) -> set[str]:
        """Which of these are candidates of the program."""
        found = self._links.find({"candidate_id": {"$in": list(set(candidates))}}, session=session)
        return {row["candidate_id"] async for row in found if row["_id"].startswith(f"{program}:")}

    async def wait_for(self, session: Session, links: Iterable[str]) -> None:
        """Note that something waits for these links.

        This changes the very document that linking writes to. Without it a report and its link, arriving at the
        same moment in two transactions, could each miss the other; so one of the two meets a conflict and looks
        again. It counts, because a write that leaves a document as it was is none, and meets no conflict.
        """
        notes = [
            UpdateOne({"_id": link}, {"$inc": {"waiting": 1}, "$setOnInsert": {"candidate_id": None}}, upsert=True)
            for link in sorted(set(links))
        ]
        if notes:
            await self._links.bulk_write(notes, ordered=False, session=session)

    async def link(self, session: Session, items: Sequence[Received[LinkEvent]]) -> dict[str, Received[LinkEvent]]:
        """Point links to their candidates, or to nobody; the last word on each counts, whatever the order of arrival.

        Returns:
            The events that now say whose a link is, by link: of those only where it has changed or something waits.
        """
        last = latest(items)
        found = self._links.find({"_id": {"$in": list(last)}}, session=session)
        before: dict[str, Document] = {row["_id"]: row async for row in found}
        news = {link: item for link, item in last.items() if _is_news(before.get(link), item)}
        changes = [
            UpdateOne({"_id": link}, {"$set": _pointed(item) | {"waiting": 0}}, upsert=True)
            for link, item in news.items()
        ]
        if changes:
            await self._links.bulk_write(changes, ordered=False, session=session)
        return {link: item for link, item in news.items() if link in before}


def latest(items: Sequence[Received[LinkEvent]]) -> dict[str, Received[LinkEvent]]:
    """The last word on each link."""
    last: dict[str, Received[LinkEvent]] = {}
    for item in items:
        link = link_id(item.event.program, item.data.system, item.data.external_id)
        if link not in last or _said_at(item) >= _said_at(last[link]):
            last[link] = item
    return last


def owner_of(item: Received[LinkEvent]) -> str | None:
    """Whose the id is by this event; None for nobody's."""
    return item.data.candidate_id if isinstance(item.data, identity.ExternalIdLinked) else None


def _is_news(row: Document | None, item: Received[LinkEvent]) -> bool:
    if row is None:
        return True
    since = row.get("since")
    if since is not None and _said_at(item) < since:
        return False
    return row["candidate_id"] != owner_of(item) or since != _said_at(item) or bool(row.get("waiting"))


def _pointed(item: Received[LinkEvent]) -> Document:
    return {"candidate_id": owner_of(item), "since": _said_at(item)}


def _said_at(item: Received[LinkEvent]) -> datetime:
    """As the database keeps it."""
    data = item.data
    moment = data.linked_at if isinstance(data, identity.ExternalIdLinked) else data.unlinked_at
    return as_stored(moment)
