"""What people achieved beside exams, as vendors report it: kept, matched and moved like results."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from pymongo import ASCENDING, IndexModel, InsertOne, ReplaceOne

from libs.common.bus.messages import Received
from libs.common.clock import as_stored
from libs.common.events import vendors
from libs.common.mongo.client import Database, Document, Session
from libs.common.mongo.links import LinkEvent, Links, link_id, own_link, owner_of
from libs.common.mongo.unit_of_work import Transaction
from libs.common.privacy.pseudonyms import Names, is_pseudonym
from services.exams.domain.results import Verdict
from services.exams.moves import follows
from services.exams.reports import vendor_name

COLLECTION = "achievements"
INDEXES = [
    IndexModel([("candidate_id", ASCENDING), ("_id", ASCENDING)], name="candidate"),
    IndexModel([("link", ASCENDING)], name="link"),
]

Reported = Received[vendors.AchievementReported]
_SAID = ("revision", "title", "kind", "issuer", "url", "achieved_on", "withdrawn")


class Achievements:
    """Takes achievements in. The highest revision of each counts, whichever comes last."""

    def __init__(self, database: Database) -> None:
        self._rows = database[COLLECTION]
        self._links = Links(database)

    async def record(self, transaction: Transaction, items: Sequence[Reported]) -> list[Verdict]:
        """Apply reports in their order. Returns what each turned out to be; a conflict changes nothing."""
        session = transaction.session
        keys = [achievement_key(item) for item in items]
        rows = await self._found(session, {"_id": {"$in": list(set(keys))}})
        known = set(rows)
        people = await self._links.candidates_of(session, map(_link, items))
        changed: dict[str, Document] = {}
        verdicts: list[Verdict] = []
        for item, key in zip(items, keys, strict=True):
            before, said = rows.get(key), _said(item)
            verdict = _verdict(before, said)
            verdicts.append(verdict)
            if verdict not in (Verdict.CONFLICT, Verdict.DUPLICATE):
                rows[key] = changed[key] = _after(before, item, said, people, transaction.now)
        await self._save(session, changed, known)
        await self._links.wait_for(session, {row["link"] for row in changed.values() if row["candidate_id"] is None})
        return verdicts

    async def has_candidate(self, session: Session, key: str) -> bool:
        """Whether it is known whose an achievement is."""
        row = await self._rows.find_one({"_id": key}, session=session)
        return row is not None and row["candidate_id"] is not None

    async def follow(self, transaction: Transaction, news: Mapping[str, Received[LinkEvent]]) -> None:
        """Give achievements to whom their links now belong. What a merge moves stays whose it was."""
        rows = await self._found(transaction.session, {"link": {"$in": list(news)}})
        moved = {key: row for key, row in rows.items() if follows(row, news[row["link"]])}
        for row in moved.values():
            row["candidate_id"] = owner_of(news[row["link"]])
        await self._save(transaction.session, moved, set(moved))

    async def _found(self, session: Session, query: Document) -> dict[str, Document]:
        rows = await self._rows.find(query, session=session).to_list(None)
        return {row["_id"]: row for row in rows}

    async def _save(self, session: Session, rows: Mapping[str, Document], known: set[str]) -> None:
        writes: list[Any] = [
            ReplaceOne({"_id": key}, row) if key in known else InsertOne(row) for key, row in rows.items()
        ]
        if writes:
            await self._rows.bulk_write(writes, ordered=False, session=session)


def under_pseudonym(row: Document, names: Names) -> Document:
    """An achievement without whom it was about; its link may lead to a page with their name."""
    name = names[row["candidate_id"]]
    words = [word | {"url": None} for word in row["revisions"]]
    return row | {"candidate_id": name, "link": name, "url": None, "revisions": words}


def achievement_key(item: Reported) -> str:
    """The key of what it tells of."""
    return f"{item.event.program}:{vendor_name(item)}:{item.data.achievement_id}"


def _link(item: Reported) -> str:
    program, person = item.event.program, item.data.candidate_ref
    if person.kind == "candidate_id":
        return own_link(program, person.value)
    return link_id(program, vendor_name(item), person.value)


def _said(item: Reported) -> Document:
    data = item.data
    return {
        "revision": data.revision,
        "title": data.title,
        "kind": data.kind,
        "issuer": data.issuer,
        "url": data.url,
        "achieved_on": data.achieved_on.isoformat(),
        "withdrawn": data.withdrawn,
        "said_at": as_stored(item.event.time),
    }


def _verdict(row: Document | None, said: Document) -> Verdict:
    if row is None:
        return Verdict.NEW
    same = next((word for word in row["revisions"] if word["revision"] == said["revision"]), None)
    if same is not None:
        return Verdict.DUPLICATE if all(same[name] == said[name] for name in _SAID) else Verdict.CONFLICT
    return Verdict.REVISED if said["revision"] > row["revision"] else Verdict.STALE


def _after(
    before: Document | None, item: Reported, said: Document, people: Mapping[str, str], now: datetime
) -> Document:
    """The row with one more word."""
    link = _link(item)
    row = before or {
        "_id": achievement_key(item),
        "program": item.event.program,
        "vendor": vendor_name(item),
        "achievement_id": item.data.achievement_id,
        "link": link,
        "candidate_id": people.get(link),
        "received_at": now,
        "revisions": [],
    }
    if row["candidate_id"] is not None and is_pseudonym(row["candidate_id"]):
        said = said | {"url": None}
    row["revisions"].append(said | {"known_at": now})
    current = max(row["revisions"], key=lambda word: word["revision"])
    achieved_at = datetime.combine(date.fromisoformat(current["achieved_on"]), time(), UTC)
    return row | {name: current[name] for name in (*_SAID, "said_at")} | {"achieved_at": achieved_at}
