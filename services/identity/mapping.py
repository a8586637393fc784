"""Whose a partner's id is: pointed to a candidate, moved or unlinked, with everything kept that was before."""

from datetime import datetime, timedelta

from libs.common.clock import as_stored
from libs.common.events import identity
from libs.common.http.problems import NOT_FOUND, Problem
from libs.common.mongo.client import Document
from libs.common.mongo.links import link_id
from libs.common.mongo.unit_of_work import Transaction
from services.identity.mapping_store import MappingStore
from services.identity.store import IdentityStore


class Mapping:
    """Changes whose an id is. Every method is part of its transaction, and tells what it changes."""

    def __init__(self, store: MappingStore, accounts: IdentityStore) -> None:
        self.store = store
        self._accounts = accounts

    async def point(
        self,
        transaction: Transaction,
        row: Document,
        candidate_id: str,
        *,
        verified_by: str,
        by: str,
        reason: str,
        merge_id: str | None = None,
    ) -> Document:
        """Let an id belong to a candidate from now on, verified in a way, by the decision of somebody or of a merge."""
        after = _changed(row, transaction.now, by=by, reason=reason)
        after |= {"candidate_id": candidate_id, "verified_by": verified_by, "by": by}
        await self.store.save(transaction.session, after)
        event = identity.ExternalIdLinked(
            candidate_id=candidate_id,
            system=row["system"],
            external_id=row["external_id"],
            verified_by=verified_by,
            linked_at=after["since"],
            merge_id=merge_id,
        )
        version = await self._accounts.next_version(transaction.session, candidate_id, transaction.now)
        transaction.emit(event, program=row["program"], subject=candidate_id, version=version)
        return after

    async def assign(  # noqa: PLR0917 every one of them says something
        self,
        transaction: Transaction,
        program: str,
        system: str,
        external_id: str,
        to: str,
        verified_by: str,
        by: str,
        reason: str,
    ) -> Document:
        """Let an id, known or not, belong to the account that goes on for a candidate. Raises `not-found`."""
        account = await self._accounts.standing(program, to, transaction.session)
        if account is None:
            raise Problem(NOT_FOUND)
        row = await self.store.get(transaction.session, link_id(program, system, external_id))
        if row is not None and row["candidate_id"] == account["_id"]:
            return row
        row = row or new_id(program, system, external_id)
        return await self.point(transaction, row, account["_id"], verified_by=verified_by, by=by, reason=reason)

    async def unlink(self, transaction: Transaction, row: Document, *, by: str, reason: str) -> Document:
        """Let an id belong to nobody from now on."""
        after = _changed(row, transaction.now, by=by, reason=reason)
        after |= {"candidate_id": None, "verified_by": None, "by": by}
        await self.store.save(transaction.session, after)
        former = row["candidate_id"]
        event = identity.ExternalIdUnlinked(
            candidate_id=former, system=row["system"], external_id=row["external_id"], unlinked_at=after["since"]
        )
        version = await self._accounts.next_version(transaction.session, former, transaction.now)
        transaction.emit(event, program=row["program"], subject=former, version=version)
        return after


def new_id(program: str, system: str, external_id: str) -> Document:
    """An id that nobody has had before."""
    return {
        "_id": link_id(program, system, external_id),
        "program": program,
        "system": system,
        "external_id": external_id,
        "candidate_id": None,
        "verified_by": None,
        "since": None,
    }


def _changed(row: Document, now: datetime, *, by: str, reason: str) -> Document:
    """The id with its present owner in its history.

    Its moments grow with every change, whatever the clocks of several replicas say: whoever hears of two changes in
    the wrong order tells by them which is the later.
    """
    since = as_stored(now)
    if row["since"] is not None:
        since = max(since, row["since"] + timedelta(milliseconds=1))
    history = list(row.get("history", []))
    if row["candidate_id"] is not None:
        was = {name: row.get(name) for name in ("candidate_id", "verified_by", "by", "since")}
        history.append({**was, "until": since, "ended_by": by, "reason": reason})
    return {**row, "since": since, "history": history}
