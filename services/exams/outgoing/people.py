"""What vendors must know of candidates, as identity says it; the latest version counts, whatever arrives first."""

from collections.abc import Sequence
from typing import Any

from libs.common.bus.messages import Received
from libs.common.clock import as_stored
from libs.common.events import identity
from libs.common.mongo.client import Document
from libs.common.mongo.merges import FAMILY_EVENTS
from libs.common.mongo.unit_of_work import Transaction
from libs.common.privacy.pseudonyms import is_pseudonym
from services.exams.outgoing.store import OutgoingStore

PEOPLE_EVENTS = (identity.CandidateRegistered, identity.CandidateProfileChanged)
"""A change of name is told with the whole profile too, so the profile alone is followed."""


class People:
    """Keeps candidates for the files to vendors."""

    def __init__(self, store: OutgoingStore) -> None:
        self._store = store

    async def take(self, transaction: Transaction, items: Sequence[Received[Any]]) -> None:
        """Record what a batch says; what it changes is looked at by the job that compares."""
        session = transaction.session
        said: dict[str, Document] = {}
        for item in items:
            if isinstance(item.data, PEOPLE_EVENTS) and not is_pseudonym(item.data.candidate_id):
                row = _person(item)
                known = said.get(row["_id"])
                if known is None or row["version"] > known["version"]:
                    said[row["_id"]] = row
        versions = await self._store.people_versions(session, said)
        later = [row for key, row in said.items() if row["version"] > versions.get(key, 0)]
        await self._store.save_people(session, later)
        joined = {
            account
            for item in items
            if isinstance(item.data, FAMILY_EVENTS)
            for account in (item.data.candidate_id, item.data.merged_id)
        }
        await self._store.look_again(session, joined)


def _person(item: Received[Any]) -> Document:
    data = item.data
    return {
        "_id": data.candidate_id,
        "program": item.event.program,
        "version": item.event.subjectversion or 1,
        "given_name": data.given_name,
        "family_name": data.family_name,
        "email": data.email,
        "country": data.country,
        "language": data.language,
        "address": data.address.model_dump() if data.address else None,
        "changed_at": as_stored(item.event.time),
        "looked": None,
    }
