"""Writes, publishes and withdraws announcements; every step stays in their history."""

from collections.abc import Mapping
from typing import Any

from libs.common.clock import as_stored
from libs.common.http.problems import CONFLICT, NOT_FOUND, Problem
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from services.notify.announcements.store import AnnouncementStore
from services.notify.domain.announcements import State


class Publishing:
    """What staff do with announcements."""

    def __init__(self, store: AnnouncementStore, unit_of_work: UnitOfWork) -> None:
        self._store = store
        self._unit_of_work = unit_of_work

    async def write(self, announcement_id: str, program: str, fields: Mapping[str, Any], *, by: str) -> Document:
        """Write a draft. With the same id again, nothing changes and the first is returned."""

        async def work(transaction: Transaction) -> Document:
            known = await self._store.get(program, announcement_id, transaction.session)
            if known is not None:
                return known
            row = {
                "_id": announcement_id,
                "program": program,
                "state": State.DRAFT,
                **fields,
                "created_at": as_stored(transaction.now),
                "history": [_step("written", transaction, by)],
            }
            await self._store.add(transaction.session, row)
            return row

        return await self._unit_of_work.run(work)

    async def change(self, announcement_id: str, program: str, fields: Mapping[str, Any], *, by: str) -> Document:
        """Change one that is not withdrawn. Whom it is for stays once its mails are on their way.

        Raises:
            Problem: `not-found`, or `conflict` with the reason.
        """

        async def work(transaction: Transaction) -> Document:
            row = await self._standing(transaction, program, announcement_id)
            if row.get("mailing") and row["audience"] != fields["audience"]:
                raise Problem(CONFLICT, "it is mailed, so it cannot be for others now; withdraw it and write another")
            row |= fields
            return await self._save(transaction, row, "changed", by)

        return await self._unit_of_work.run(work)

    async def publish(self, announcement_id: str, program: str, *, mail: bool, by: str) -> Document:
        """Let candidates see it within its days, and mail it from its first day on. Repeated, it changes nothing.

        Raises:
            Problem: `not-found`, or `conflict`: it is withdrawn.
        """

        async def work(transaction: Transaction) -> Document:
            row = await self._standing(transaction, program, announcement_id)
            to_mail = mail and "mailing" not in row
            if row["state"] == State.PUBLISHED and not to_mail:
                return row
            row["state"] = State.PUBLISHED
            if to_mail:
                row["mailing"] = {"due": True, "mails": 0, "done_at": None}
            return await self._save(transaction, row, "published", by)

        return await self._unit_of_work.run(work)

    async def withdraw(self, announcement_id: str, program: str, *, reason: str, by: str) -> Document:
        """Let nobody see it any more; mails of it that have not gone do not go. Repeated, it changes nothing.

        Raises:
            Problem: `not-found`.
        """

        async def work(transaction: Transaction) -> Document:
            row = await self._found(transaction, program, announcement_id)
            if row["state"] == State.WITHDRAWN:
                return row
            row["state"] = State.WITHDRAWN
            row.get("mailing", {}).pop("due", None)
            return await self._save(transaction, row, "withdrawn", by, reason)

        return await self._unit_of_work.run(work)

    async def _found(self, transaction: Transaction, program: str, announcement_id: str) -> Document:
        row = await self._store.get(program, announcement_id, transaction.session)
        if row is None:
            raise Problem(NOT_FOUND)
        return row

    async def _standing(self, transaction: Transaction, program: str, announcement_id: str) -> Document:
        row = await self._found(transaction, program, announcement_id)
        if row["state"] == State.WITHDRAWN:
            raise Problem(CONFLICT, "it is withdrawn")
        return row

    async def _save(
        self, transaction: Transaction, row: Document, what: str, by: str, reason: str | None = None
    ) -> Document:
        row["history"].append(_step(what, transaction, by, reason))
        await self._store.save(transaction.session, row)
        return row


def _step(what: str, transaction: Transaction, by: str, reason: str | None = None) -> Document:
    return {"what": what, "at": as_stored(transaction.now), "by": by, "reason": reason}
