"""Compares what vendors should see of candidates with what they were sent, and tells candidates what is in the way."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import ClassVar, NamedTuple

from libs.common.events import exams
from libs.common.http.problems import CONFLICT, NOT_FOUND, Problem
from libs.common.ids import derived_id
from libs.common.mongo.client import Document
from libs.common.mongo.jobs import Job
from libs.common.mongo.merges import Merges
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.versions import next_version
from services.exams.outgoing.definition import DemographicsShape
from services.exams.outgoing.people_lines import Line, line_of
from services.exams.outgoing.standings import ProfileState, is_known, profile_state
from services.exams.outgoing.store import OutgoingStore, profile_key
from services.exams.vendors.definition import Vendor


class Taker(NamedTuple):
    """A vendor that takes demographics."""

    id: str
    name: str
    rules: DemographicsShape


class Profiles:
    """Keeps, for each vendor that takes demographics, what it should see of each candidate."""

    EVERY: ClassVar = timedelta(seconds=2)
    SLICE: ClassVar = 200
    """People in one transaction."""
    SECONDS: ClassVar = 20.0
    """For one run, well below a job's lease."""

    def __init__(
        self, store: OutgoingStore, merges: Merges, unit_of_work: UnitOfWork, vendors: Mapping[str, Vendor]
    ) -> None:
        self._store = store
        self._merges = merges
        self._unit_of_work = unit_of_work
        self._takers = _takers(vendors)

    def job(self) -> Job:
        return Job("vendor-profiles", self.EVERY, self.run)

    async def run(self) -> None:
        """Look at everybody who has changed, and at all where a vendor's rules have."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self.SECONDS
        for program, takers in self._takers.items():
            rules = _digest(takers)
            while loop.time() < until:
                work = partial(self._slice, program=program, takers=takers, rules=rules)
                if await self._unit_of_work.run(work) < self.SLICE:
                    break

    async def _slice(self, transaction: Transaction, *, program: str, takers: Sequence[Taker], rules: str) -> int:
        session = transaction.session
        people = await self._store.unlooked(session, program, rules, self.SLICE)
        if not people:
            return 0
        merged = await self._merges.survivors(session, (person["_id"] for person in people))
        keys = [profile_key(taker.id, person["_id"]) for taker in takers for person in people]
        known = await self._store.profiles(session, keys)
        changed: list[Document] = []
        for person in people:
            for taker in takers:
                before = known.get(profile_key(taker.id, person["_id"])) or new_profile(
                    program, taker.id, person["_id"]
                )
                line = (
                    None if person["_id"] in merged else line_of({**person, "candidate_id": person["_id"]}, taker.rules)
                )
                after = _looked(before, line, person, taker)
                if after != before:
                    self._tell(transaction, before, after, taker)
                    changed.append(after)
        await self._store.save_profiles(session, changed)
        for account, goes_on in merged.items():
            for taker in takers:
                profile = await self._store.note_profile(session, new_profile(program, taker.id, goes_on))
                await self._store.hand_over(session, taker.id, account, goes_on, waits=not is_known(profile))
        await self._store.looked(session, [person["_id"] for person in people], rules)
        return len(people)

    def _tell(self, transaction: Transaction, before: Document, after: Document, taker: Taker) -> None:
        """Tell the candidate what is in the way whenever that is something else, and when nothing is any more."""
        if after["problems"] == before["problems"] or after["wanted"] is None:
            return
        about = {"candidate_id": after["candidate_id"], "vendor": taker.id, "vendor_name": taker.name}
        event: exams.VendorProfileProblemFound | exams.VendorProfileProblemSolved
        if after["problems"]:
            problems = tuple(exams.ProfileProblem(**problem) for problem in after["problems"])
            event = exams.VendorProfileProblemFound(**about, problems=problems, found_at=transaction.now)
        else:
            event = exams.VendorProfileProblemSolved(**about, solved_at=transaction.now)
        after["version"] = next_version(after["version"], transaction.now)
        transaction.emit(event, program=after["program"], subject=after["candidate_id"], version=after["version"])

    async def send_again(self, program: str, candidate_id: str, vendor: str) -> None:
        """Send a line that the vendor has refused once more. Raises the problems `not-found` and `conflict`."""

        async def work(transaction: Transaction) -> None:
            key = profile_key(vendor, candidate_id)
            row = (await self._store.profiles(transaction.session, [key])).get(key)
            if row is None or row["program"] != program or row["wanted"] is None:
                raise Problem(NOT_FOUND)
            if row["state"] != ProfileState.REFUSED:
                raise Problem(CONFLICT, f"the vendor has refused nothing: it is {row['state']}")
            row |= {"sent": None, "answer": None}
            row["state"] = profile_state(row).value
            await self._store.save_profiles(transaction.session, [row])

        await self._unit_of_work.run(work)


def new_profile(program: str, vendor: str, candidate_id: str) -> Document:
    """A row of which nothing is known yet."""
    return {
        "_id": profile_key(vendor, candidate_id),
        "program": program,
        "vendor": vendor,
        "candidate_id": candidate_id,
        "state": ProfileState.NONE.value,
        "rules": None,
        "values": {},
        "wanted": None,
        "problems": [],
        "sent": None,
        "answer": None,
        "changed_at": None,
        "version": None,
    }


def _looked(row: Document, line: Line | None, person: Document, taker: Taker) -> Document:
    """A row as it is now; `line` is None where the account was merged into another."""
    after = row | {"rules": taker.rules.digest}
    if line is None:
        after |= {"wanted": None, "values": {}, "problems": []}
    else:
        problems = [
            {
                "field": one.field,
                "code": one.code,
                "reason": one.reason(taker.name),
            }
            for one in line.problems
        ]
        wanted = derived_id(*(part for pair in sorted(line.values.items()) for part in pair))
        if wanted != row["wanted"]:
            after["changed_at"] = person["changed_at"]
        after |= {"wanted": wanted, "values": dict(line.values), "problems": problems}
    after["state"] = profile_state(after).value
    return after


def _takers(vendors: Mapping[str, Vendor]) -> dict[str, list[Taker]]:
    """By program, in the order of their names."""
    found: dict[str, list[Taker]] = {}
    for vendor in sorted(vendors.values(), key=lambda one: one.id):
        if vendor.demographics is not None:
            for program in vendor.programs:
                found.setdefault(program, []).append(Taker(vendor.id, vendor.name, vendor.demographics))
    return found


def _digest(takers: Sequence[Taker]) -> str:
    """The same for the same rules of the same vendors."""
    return derived_id(*(part for taker in takers for part in (taker.id, taker.name, taker.rules.digest)))
