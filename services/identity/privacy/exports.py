"""Exports: identity asks all services at once, takes their answers in whatever order they come, and makes one archive.

No service calls another. What is under way is in the database, so any process goes on where one has stopped.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import ClassVar

import structlog
from joserfc.errors import JoseError

from libs.common.bus.messages import Received
from libs.common.clock import Clock
from libs.common.events import SERVICES, certs, exams, fulfillment, identity, notify
from libs.common.field_keys import FieldKeys
from libs.common.http.problems import CONFLICT, Problem
from libs.common.ids import new_id
from libs.common.mongo.client import Database, Document
from libs.common.mongo.jobs import Job
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.privacy.sealing import joined, new_key, public_part, unseal
from libs.common.versions import next_version
from services.identity.privacy.archive import README, archived, readme
from services.identity.privacy.export_store import COLLECTING, READY, ExportStore
from services.identity.privacy.holdings import HOLDINGS
from services.identity.privacy.people import People

OTHERS = tuple(service for service in SERVICES if service != "identity")
"""Who is asked. A service that is added to the platform is added to exports with it."""

KEPT = timedelta(days=7)
"""How long an export can be downloaded."""
OVERDUE = timedelta(days=1)
"""A service that has not answered by then is asked again, and the export says so."""
MOST_KEPT = 3
"""Exports of one person at a time."""

log = structlog.get_logger(__name__)

PersonalDataPart = (
    exams.PersonalDataPart | certs.PersonalDataPart | fulfillment.PersonalDataPart | notify.PersonalDataPart
)


class Exports:
    """Asks for exports and makes their archives."""

    EVERY: ClassVar = timedelta(seconds=2)
    SLICE: ClassVar = 20

    def __init__(
        self,
        store: ExportStore,
        people: People,
        database: Database,
        unit_of_work: UnitOfWork,
        clock: Clock,
        *,
        fields: FieldKeys,
    ) -> None:
        self.store = store
        self._people = people
        self._database = database
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._fields = fields

    def job(self) -> Job:
        return Job("exports", self.EVERY, self.run)

    async def ask(self, export_id: str, program: str, candidate_id: str, *, by: str) -> Document:
        """Begin an export, or return the one that is being made.

        Raises:
            Problem: `not-found`, or `conflict` where several are kept already.
        """

        async def work(transaction: Transaction) -> Document:
            person = await self._people.of(program, candidate_id, transaction.session)
            first = person.accounts[0]
            known = await self.store.of(transaction.session, first)
            for one in known:
                if one["state"] == COLLECTING or one["_id"] == export_id:
                    return one
            if len(known) >= MOST_KEPT:
                raise Problem(CONFLICT, f"{MOST_KEPT} exports are kept already; each is deleted after {KEPT.days} days")
            key = new_key()
            row: Document = {
                "_id": export_id,
                "program": program,
                "candidate_id": first,
                "accounts": list(person.accounts),
                "state": COLLECTING,
                "by": by,
                "requested_at": transaction.now,
                "asked_at": transaction.now,
                "attempt": 1,
                "private_key": key,
                "ready_at": None,
                "expires_at": None,
            }
            await self.store.add(transaction.session, row)
            self._emit_question(transaction, row, OTHERS)
            return row

        return await self._unit_of_work.run(work)

    async def run(self) -> None:
        """Make the archives whose parts are all here, and ask again where that takes too long."""
        for export in await self.store.collecting(self.SLICE):
            whole = answered(await self.store.arrived(export["_id"]))
            missing = [service for service in OTHERS if service not in whole]
            if not missing:
                await self._make(export, whole)
            elif export["asked_at"] + OVERDUE <= self._clock.now():
                log.warning("export_overdue", count=len(missing), detail=" ".join(missing))
                await self._unit_of_work.run(partial(self._ask_again, export_id=export["_id"], missing=missing))

    async def _ask_again(self, transaction: Transaction, *, export_id: str, missing: Sequence[str]) -> None:
        row = await self.store.get(export_id, transaction.session)
        if row is None or row["asked_at"] + OVERDUE > transaction.now:
            return
        row |= {"attempt": row["attempt"] + 1, "asked_at": transaction.now}
        change = {"$set": {"attempt": row["attempt"], "asked_at": row["asked_at"]}}
        await self.store.change(transaction.session, export_id, change)
        self._emit_question(transaction, row, missing)

    def _emit_question(self, transaction: Transaction, row: Document, services: Sequence[str]) -> None:
        event = identity.PersonalDataRequested(
            export_id=row["_id"],
            attempt=row["attempt"],
            services=list(services),
            accounts=row["accounts"],
            public_key=public_part(row["private_key"]),
        )
        version = next_version(None, transaction.now)
        transaction.emit(event, program=row["program"], subject=row["candidate_id"], version=version)

    # The archive

    async def _make(self, export: Document, whole: Mapping[str, int]) -> None:
        now = self._clock.now()
        export = export | {"ready_at": now, "expires_at": now + KEPT}
        files = await self._files(export, whole)
        if files is None:
            return
        # Compressing a hundred megabytes takes seconds, in which others want answers.
        chunks = await asyncio.to_thread(lambda: list(archived(files, export["requested_at"])))
        archive_id = new_id()  # one that was left half-way is never mixed with the next
        for number, chunk in enumerate(chunks):
            await self.store.keep_chunk(export, archive_id, number, chunk)
        if not await self._unit_of_work.run(partial(self._finish, export=export, archive_id=archive_id)):
            await self.store.forget_archive(archive_id)

    async def _files(self, export: Document, whole: Mapping[str, int]) -> dict[str, bytes] | None:
        """All files by path; None where what a service has said cannot be read."""
        first = export["candidate_id"]
        person = await self._people.known(export["accounts"])
        files = {README: readme(first, export["requested_at"])}
        for path, content in (await HOLDINGS.records(self._database, person)).items():
            files[f"identity/{path}"] = content
        for collection, key, path in await HOLDINGS.files(self._database, person):
            file = await HOLDINGS.file(self._database, collection, key, self._fields.open)
            if file is not None:  # it may have ended meanwhile
                files[f"identity/{path}"] = file
        for service, attempt in whole.items():
            try:
                said = await self._said(export, service, attempt)
            except (JoseError, ValueError) as error:
                # As if it had said nothing: it is asked again, and other exports go on.
                log.error("export_unreadable", detail=service, cause=type(error).__name__)  # noqa: TRY400 it may quote
                await self.store.forget_answer(export["_id"], service, attempt)
                return None
            files |= {f"{service}/{path}": content for path, content in said.items()}
        return files

    async def _said(self, export: Document, service: str, attempt: int) -> dict[str, bytes]:
        sealed = self.store.sealed(export["_id"], service, attempt)
        return joined([unseal(one, export["private_key"]) async for one in sealed])

    async def _finish(self, transaction: Transaction, *, export: Document, archive_id: str) -> bool:
        """Let this archive be the export's. Returns False where another is, or the person was erased meanwhile."""
        row = await self.store.get(export["_id"], transaction.session)
        if row is None or row["state"] == READY:
            return False
        done = {"state": READY, "archive_id": archive_id}
        done |= {"ready_at": export["ready_at"], "expires_at": export["expires_at"]}
        # Without the key nobody can read the parts that the log still keeps.
        await self.store.change(transaction.session, row["_id"], {"$set": done, "$unset": {"private_key": ""}})
        await self.store.forget_parts(transaction.session, row["_id"])
        event = identity.DataExportReady(
            candidate_id=row["candidate_id"], export_id=row["_id"], expires_at=export["expires_at"]
        )
        version = next_version(None, transaction.now)
        transaction.emit(event, program=row["program"], subject=row["candidate_id"], version=version)
        return True


class ExportParts:
    """Takes in what services say about the person of an export."""

    def __init__(self, store: ExportStore) -> None:
        self._store = store

    async def handle(self, transaction: Transaction, items: Sequence[Received[PersonalDataPart]]) -> None:
        """Keep parts of exports that are being made; those of others come too late."""
        exports = await self._store.some(transaction.session, {item.data.export_id for item in items})
        rows: list[Document] = []
        for item in items:
            data, export = item.data, exports.get(item.data.export_id)
            if export is not None:
                service = data.publisher
                rows.append(
                    {
                        "_id": f"{data.export_id}:{service}:{data.attempt}:{data.number}",
                        "export_id": data.export_id,
                        "candidate_id": export["candidate_id"],
                        "service": service,
                        "attempt": data.attempt,
                        "number": data.number,
                        "total": data.total,
                        "sealed": data.sealed,
                        "expires_at": export["requested_at"] + timedelta(days=30),
                    }
                )
        await self._store.add_parts(transaction.session, rows)


def answered(parts: Sequence[Document]) -> dict[str, int]:
    """The services of which a whole answer is here, each with the attempt it belongs to, whatever order it came in."""
    numbers: dict[tuple[str, int], set[int]] = {}
    totals: dict[tuple[str, int], int] = {}
    for part in parts:
        answer = part["service"], part["attempt"]
        if part["total"] is None:
            numbers.setdefault(answer, set()).add(part["number"])
        else:
            totals[answer] = part["total"]
    whole = sorted(answer for answer, total in totals.items() if len(numbers.get(answer, ())) == total)
    return dict(whole)
