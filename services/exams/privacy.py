"""What exams holds about people, and what it keeps of somebody erased: results and attempts, under a pseudonym."""

import re
from datetime import timedelta
from typing import ClassVar

from libs.common.events import exams
from libs.common.field_keys import FieldKeys
from libs.common.mongo.client import Database, Document
from libs.common.mongo.jobs import Job
from libs.common.mongo.links import OWN
from libs.common.mongo.migrations import Migration, declare
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.privacy.holdings import Holding, Holdings, Person, by, renamed
from libs.common.privacy.keeper import APART, COLLECTIONS, Erasure, Keeper
from libs.common.privacy.pseudonyms import Names
from libs.common.privacy.retention import Period
from libs.common.privacy.tombstones import Erased, Tombstones
from services.exams.challenges import holdings as challenges
from services.exams.embargo import shown
from services.exams.feeds import store as feeds_store
from services.exams.history import achievements, retake_flags
from services.exams.notices.intake import PERIOD as NOTIFICATIONS_KEPT
from services.exams.outgoing.store import OutgoingStore
from services.exams.registrations import announce_appointment
from services.exams.results import NAMING
from services.exams.telling import announce
from services.exams.vouchers.erasure import nobodys_code
from services.exams.watch.notes import unwatched

MIGRATION = Migration(3, "exports and erasures", declare(COLLECTIONS))

PERIODS = (
    Period("rejections", "rejected_at", timedelta(days=90)),
    NOTIFICATIONS_KEPT,
    Period("hand_overs", "made_at", timedelta(days=90)),
    # Codes that were used and never came into the registry.
    Period("vouchers", "noted_at", timedelta(days=730), {"state": None}),
    *feeds_store.PERIODS,
    Period("confirmations", "read_at", timedelta(days=90)),
    Period("reconciliation_chunks", "added_at", timedelta(days=7)),
    Period("reconciliation_rows", "added_at", timedelta(days=7)),
    Period("reconciliation_findings", "found_at", timedelta(days=730)),
)
"""Refused messages, and answers that fit nothing, hold whatever a vendor wrote; by then it has been dealt with."""


STAFFS_OWN = ("assigned", "handling", "asked_vendor_at", "assignee", "assignee_since", "questions", "ask_again_on")
"""What staff wrote about an unmatched result, who of them was on it, and why they gave it to whom."""


def under_pseudonym(row: Document, names: Names) -> Document:
    """A result or an appointment without whom it was about.

    The vendor's numbers of the result and the appointment stay: by them a later correction finds what it corrects.
    """
    name = names[row["candidate_id"]]
    nameless = {"candidate_id": name, "link": name, "vendor_candidate_id": None}
    kept = row | nameless | {field: None for field in NAMING if field in row}
    if row.get("watch"):
        kept["watch"] = unwatched(row)
    for field in STAFFS_OWN:
        kept.pop(field, None)
    if "revisions" in row:
        kept["revisions"] = [_nameless(word) for word in row["revisions"]]
    return kept


def _nameless(word: Document) -> Document:
    without = word | {"raw": None}
    if "details" in word:
        without["details"] = word["details"] | dict.fromkeys(NAMING)
    return without


def authorization_under_pseudonym(row: Document, names: Names) -> Document:
    """An authorization without whom it was for; it goes to no vendor any more."""
    history = [step | {"note": None, "accommodations": None} for step in row["history"]]
    nameless = {"candidate_id": names[row["candidate_id"]], "accommodations": None, "text": None, "history": history}
    state = "withdrawn" if row["state"] == "pending" else row["state"]
    return row | nameless | {"state": state, "todo": None}


HOLDINGS = Holdings(
    items=(
        Holding(
            collection="registrations",
            find=by("candidate_id"),
            kind="appointments",
            withheld=frozenset({"link", "told", "version", "late_looked", "watch", *STAFFS_OWN}),
            keep=under_pseudonym,
        ),
        Holding(
            collection="results",
            find=by("candidate_id"),
            kind="results",
            say=lambda row, _person: shown(row),
            withheld=frozenset(
                {
                    "link",
                    "told",
                    "told_revision",
                    "version",
                    "reporter",
                    "named_later",
                    "unmatched_told",
                    "late_looked",
                    "ruling",
                    *STAFFS_OWN,
                }
            ),
            keep=under_pseudonym,
        ),
        Holding(collection="people", find=by("_id"), kind="person", withheld=frozenset({"looked"})),
        Holding(
            collection="vendor_profiles",
            find=by("candidate_id"),
            kind="vendor_profiles",
            withheld=frozenset({"version", "wanted", "noted"}),
        ),
        Holding(
            collection="authorizations",
            find=by("candidate_id"),
            kind="authorizations",
            withheld=frozenset({"waits", "todo", "known", "sent", "heard"}),
            keep=authorization_under_pseudonym,
        ),
        # Erased below: by them the files are found in which the person is.
        Holding(collection="outgoing_lines", find=by("candidate_id"), kind="vendor_lines", by_itself=True),
        Holding(
            collection="reconciliation_findings",
            find=by("candidate_id", "theirs.candidate_id"),
        ),
        Holding(
            collection=achievements.COLLECTION,
            find=by("candidate_id"),
            kind="achievements",
            withheld=frozenset({"link", "late_looked"}),
            keep=achievements.under_pseudonym,
        ),
        Holding(
            collection=retake_flags.COLLECTION,
            find=by("candidate_id"),
            kind="retake_flags",
            withheld=frozenset({"version"}),
            keep=retake_flags.under_pseudonym,
        ),
        Holding(collection="links", find=by("candidate_id"), kind="partner_ids", withheld=frozenset({"waiting"})),
        Holding(collection="hand_overs", find=by("candidate_id"), kind="hand_overs", withheld=frozenset({"ticket"})),
        Holding(
            collection="vouchers",
            find=by("candidate_id", "used.candidate_id"),
            mine=by("candidate_id"),
            kind="vouchers",
            withheld=frozenset({"sealed", "end", "operation", "version", "waits", "flags", "used", "uses", "history"}),
            keep=nobodys_code,
        ),
        Holding(collection="merges", find=by("candidate_id", "merged_id"), keep=renamed("candidate_id", "merged_id")),
        *challenges.HOLDINGS,
    ),
    apart=APART
    | feeds_store.APART
    | {
        "rejections": "messages as vendors wrote them, for 90 days; those with a partner's id of the person are erased",
        "retakes_due": "keys of results, until the rules of retakes have looked at their people: seconds",
        "outgoing_files": "files to vendors, for 30 days; of one with the person nothing is left once it is delivered",
        "reconciliations": "which lists of vendors were compared, and what was found in numbers",
        "reconciliation_chunks": "a vendor's list until it is read: seconds, 7 days at most",
        "reconciliation_rows": "a vendor's list until it is compared: seconds, 7 days at most",
        "exchanges": "numbers of files, and what keeps us from a vendor",
        "confirmations": "how vendors' answers were read, with IDs that they name wrongly, for 90 days",
        "notifications": "as vendors wrote them, for 90 days; nothing of what quotes a partner's id of a person erased",
        "vendors": "vendors' credentials: nobody's data",
        **dict.fromkeys(("verdict_tallies", "verdict_days", "verdict_samples"), "counts, and ids of messages"),
    },
)


def keeper_of(database: Database, tombstones: Tombstones, unit_of_work: UnitOfWork, fields: FieldKeys) -> Keeper:
    """The service's part in exports and erasures."""

    async def forget_ids(transaction: Transaction, _erasure: Erasure, person: Person) -> None:
        for link in person.links:
            _program, vendor, external_id = link.split(":", 2)
            quoted = {"$regex": re.escape(f'"{external_id}"')}
            query = {"vendor": vendor, "original": quoted}
            await database["rejections"].delete_many(query, session=transaction.session)
            # What staff gave to another under an id of the person's stays there, and no more under that id.
            assigned = {"link": link, "assigned": {"$exists": True}}
            own = {"$concat": ["$program", f":{OWN}:", "$assigned.to"]}
            words = {"$map": {"input": "$revisions", "in": {"$mergeObjects": ["$$this", {"raw": None}]}}}
            nameless = {"link": own, "vendor_candidate_id": "$assigned.to", "revisions": words}
            await database["results"].update_many(assigned, [{"$set": nameless}], session=transaction.session)
            written = {"vendor": vendor, "raw": quoted}
            await database["notifications"].update_many(written, {"$set": {"raw": None}}, session=transaction.session)

    async def forget_beside(transaction: Transaction, erasure: Erasure, person: Person) -> None:
        await forget_ids(transaction, erasure, person)
        await OutgoingStore(database).forget_people(transaction.session, person.accounts)

    return Keeper(
        exams.PersonalDataPart,
        HOLDINGS,
        tombstones,
        database,
        unit_of_work,
        links="links",
        facts_go_on=True,
        after=forget_beside,
        opening=fields.open,
    )


class LateReports:
    """Gives what vendors still report about somebody erased to the pseudonym, if it happened before the erasure.

    Such a report waits for its candidate like any other that matches nobody, for up to a minute. What happened after
    the erasure goes on waiting: it is of a new account, which its registration makes.
    """

    EVERY: ClassVar = timedelta(minutes=1)
    SLICE: ClassVar = 200

    def __init__(self, database: Database, tombstones: Tombstones, unit_of_work: UnitOfWork) -> None:
        self._results = database["results"]
        self._registrations = database["registrations"]
        self._achievements = database[achievements.COLLECTION]
        self._links = database["links"]
        self._tombstones = tombstones
        self._unit_of_work = unit_of_work

    def job(self) -> Job:
        return Job("late-reports", self.EVERY, self.run)

    async def run(self) -> None:
        while await self._unit_of_work.run(self._slice) == self.SLICE:
            pass

    async def _slice(self, transaction: Transaction) -> int:
        unseen = {"candidate_id": None, "link": {"$ne": None}, "late_looked": None}
        count = 0
        for rows, field in (
            (self._registrations, "scheduled_at"),
            (self._results, "taken_at"),
            (self._achievements, "achieved_at"),
        ):
            waiting = await rows.find(unseen, session=transaction.session).to_list(self.SLICE)
            erased = await self._tombstones.look_up(transaction.session, (row["link"] for row in waiting))
            for row in waiting:
                found = erased.get(row["link"])
                after = row | {"late_looked": True}
                if found is not None and _happened(row, field, found):
                    after = _given(transaction, after, found, field)
                await rows.replace_one({"_id": row["_id"]}, after, session=transaction.session)
            await self._forget_links(transaction, list(erased))
            count = max(count, len(waiting))
        return count

    async def _forget_links(self, transaction: Transaction, links: list[str]) -> None:
        """Forget that something waits for these ids, unless something still does."""
        waiting = {"candidate_id": None, "link": {"$in": links}}
        kept: set[str] = set()
        for rows in (self._registrations, self._results, self._achievements):
            kept |= set(await rows.distinct("link", waiting, session=transaction.session))
        nobodys = {"_id": {"$in": sorted(set(links) - kept)}, "candidate_id": None}
        await self._links.delete_many(nobodys, session=transaction.session)


def _happened(row: Document, field: str, erased: Erased) -> bool:
    """Whether it was before the erasure; an appointment counts by when it was spoken of, for it may lie ahead."""
    moment = row["said_at"] if field == "scheduled_at" else row[field]
    return bool(moment <= erased.at)


def _given(transaction: Transaction, row: Document, erased: Erased, field: str) -> Document:
    nobodys, names = row | {"candidate_id": ""}, {"": erased.pseudonym}
    if field == "achieved_at":
        return achievements.under_pseudonym(nobodys, names)
    after = under_pseudonym(nobodys, names)
    tell = announce_appointment if field == "scheduled_at" else announce
    tell(transaction, after, None)
    return after
