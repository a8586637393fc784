"""Who is in the directory, and what is shown of them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from libs.common.clock import Clock
from libs.common.ids import new_id
from libs.common.mongo.client import Document
from libs.common.mongo.people import People, Person
from libs.common.mongo.unit_of_work import Transaction
from libs.common.name_keys import name_keys
from libs.common.programs import Program
from services.certs.directory.store import DirectoryStore, Place, Search
from services.certs.people.sharing import SharingSettings


class Active(NamedTuple):
    """A certification that is active today."""

    certification: str
    title: str
    since: date
    """First day of the present holding."""


class Entry(NamedTuple):
    """What anybody may know of a person in the directory."""

    name: str
    country: str
    certifications: Sequence[Active]


class Found(NamedTuple):
    entries: Sequence[Entry]
    next: Place | None
    """After which the next page begins; None on the last one."""


NOBODY = Found((), None)


class Directory:
    """Keeps listings in step, and searches them."""

    def __init__(self, store: DirectoryStore, people: People, sharing: SharingSettings, clock: Clock) -> None:
        self._store = store
        self._people = people
        self._sharing = sharing
        self._clock = clock

    async def settle(self, transaction: Transaction, candidates: Collection[str]) -> None:
        """Make the listings of these candidates what their choices, names and ledgers say, as they stand now."""
        session = transaction.session
        before = await self._store.listed(session, candidates)
        wanting = await self._sharing.listed(candidates, session)
        people = await self._people.several(wanting, session)
        ledgers = await self._store.held(people, session)
        after = {}
        for key, ledger in ledgers.items():
            row = _row(people[key], ledger, before.get(key))
            if row["certifications"]:
                after[key] = row
        if before or after:
            await self._store.save(session, before, after)

    async def search(self, program: Program, search: Search, *, after: Place | None, limit: int) -> Found:
        """A page of those who are found, hold something today, and want to be seen; it may have fewer than `limit`."""
        rows = await self._store.find(program.id, search, after=after, limit=limit + 1)
        shown = rows[:limit]
        wanting = await self._sharing.listed([row["_id"] for row in shown])
        people = await self._people.several(wanting)
        ledgers = await self._store.held(people)
        today = program.day_of(self._clock.now())
        entries = []
        for key in (row["_id"] for row in shown if row["_id"] in ledgers):
            person = people[key]
            held = list(active_on(ledgers[key]["certifications"], today))
            if person.program == program.id and _suits(person, held, search):
                entries.append(Entry(person.shown(native=wanting[key].native_name), person.country, held))
        last = shown[-1] if len(rows) > limit else None
        return Found(entries, (last["order"], last["listing"]) if last else None)


def active_on(entries: Sequence[Mapping[str, Any]], today: date) -> Iterator[Active]:
    """Those of a stored ledger's certifications that count today: neither run out, nor suspended, nor revoked."""
    for entry in entries:
        last = entry["expires_on"]
        if entry.get("status", "active") == "active" and (last is None or last >= today.isoformat()):
            yield Active(entry["certification"], entry["title"], date.fromisoformat(entry["earned_on"]))


def _suits(person: Person, held: Sequence[Active], search: Search) -> bool:
    """Whether what is so now is what was looked for; the listing may be a moment behind."""
    if search.country is not None and person.country != search.country:
        return False
    return any(search.certification in (None, one.certification) for one in held)


def _row(person: Person, ledger: Document, before: Document | None) -> Document:
    native = person.native_name or ""
    return {
        "_id": person.candidate_id,
        "program": person.program,
        # Found in the order of names and by a word that says nothing of whose it is: a candidate's ID is for logins.
        "order": " ".join(name_keys([person.family_name, person.given_name])),
        "listing": before["listing"] if before else new_id(),
        "keys": name_keys([person.given_name, person.family_name, native, native.replace(" ", "")]),
        "country": person.country,
        "certifications": sorted(
            entry["certification"] for entry in ledger["certifications"] if entry["status"] == "active"
        ),
    }
