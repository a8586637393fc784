"""Looks in the database for what speaks for a candidate whose an unmatched result may be."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from libs.common.mongo.client import Document
from libs.common.mongo.links import OWN, link_id, own_link
from libs.common.privacy.pseudonyms import is_pseudonym
from libs.common.programs import Program
from services.exams.domain.suggestions import (
    AssignedBefore,
    Clue,
    OfRegistration,
    SameSitting,
    SimilarId,
    near_ids,
    near_own_ids,
)
from services.exams.places import place_day
from services.exams.store import ExamsStore, registration_key
from services.exams.watch.looking import arrivals

MOST_SITTINGS = 50
"""Appointments of one day that are looked at; more say nothing."""


class Clues:
    """Finds them for one result at a time, each kind by an index of its own."""

    def __init__(self, store: ExamsStore) -> None:
        self._store = store

    async def about(self, row: Document, program: Program) -> list[Clue]:
        """Clues for accounts that go on; what stood for a merged one stands for the other."""
        found: list[Clue] = [
            *await self._by_registration(row),
            *await self._by_similar_id(row, program),
            *await self._by_sitting(row, program),
            *await self._by_assignments(row),
        ]
        living = [clue for clue in found if not is_pseudonym(clue.candidate_id)]
        survivors = await self._store.merges.survivors(None, {clue.candidate_id for clue in living})
        return [replace(clue, candidate_id=survivors.get(clue.candidate_id, clue.candidate_id)) for clue in living]

    async def _by_registration(self, row: Document) -> Iterable[Clue]:
        if row["registration_id"] is None:
            return []
        key = registration_key(row["program"], row["vendor"], row["registration_id"])
        found = await self._store.registrations(None, [key])
        return [
            OfRegistration(each["candidate_id"], each["registration_id"])
            for each in found.values()
            if each["candidate_id"] is not None
        ]

    async def _by_similar_id(self, row: Document, program: Program) -> Iterable[Clue]:
        wrote: str = row["vendor_candidate_id"]
        theirs = {link_id(program.id, row["vendor"], each): each for each in near_ids(wrote)}
        near = near_own_ids(wrote, program.candidate_id_prefix, program.candidate_id_digits)
        ours = {own_link(program.id, each): each for each in near | near_ids(wrote)}
        owners = await self._store.unmatched_results.owners([*theirs, *ours])
        meant = theirs | ours
        return [
            SimilarId(owner, wrote, meant[link], own=link.startswith(own_link(program.id, "")))
            for link, owner in owners.items()
        ]

    async def _by_sitting(self, row: Document, program: Program) -> Iterable[Clue]:
        day = date.fromisoformat(row["taken_on"])
        exam = program.find_exam(row["exam_code"])
        codes = {row["exam_code"], *((exam.code, *exam.aliases) if exam else ())}
        noon = datetime.combine(day, time(12), UTC)
        # The day of a place begins and ends up to fourteen hours before and after Greenwich's.
        rows = await self._store.watches.sittings(
            program.id,
            row["vendor"],
            codes,
            since=noon - timedelta(hours=26),
            until=noon + timedelta(hours=26),
            limit=MOST_SITTINGS,
        )
        come = await arrivals(self._store, rows)
        return [
            SameSitting(each["candidate_id"], each["registration_id"], each["exam_code"], day)
            for each in rows
            if place_day(each) == day and each["_id"] not in come
        ]

    async def _by_assignments(self, row: Document) -> Iterable[Clue]:
        others = await self._store.unmatched_results.assigned_of(row["link"])
        return [
            AssignedBefore(
                each["assigned"]["to"], each["result_id"] or each["registration_id"], row["vendor_candidate_id"]
            )
            for each in others
            if each["_id"] != row["_id"]
        ]


def is_own(row: Document) -> bool:
    """Whether a result came under an id that stands for our own."""
    return bool(row["link"].split(":", 2)[1] == OWN)
