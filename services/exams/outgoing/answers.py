"""What vendors' answers mean: for what they know of a candidate, and for a right to sit an exam."""

from collections.abc import Sequence

from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction
from libs.common.vendor_files.tables import Answer
from services.exams.outgoing.authorizations import standing_of, write_standing
from services.exams.outgoing.standings import Type, answered, is_known, profile_state
from services.exams.outgoing.store import OutgoingStore, profile_key


class Answers:
    """Settles the records of lines that were answered."""

    def __init__(self, store: OutgoingStore) -> None:
        self._store = store

    async def settle(self, transaction: Transaction, kind: str, news: Sequence[tuple[Answer, Document]]) -> None:
        """Settle what the lines of a kind of file are about."""
        await (self._settle_people if kind == "demographics" else self._settle_rights)(transaction, news)

    async def _settle_people(self, transaction: Transaction, news: Sequence[tuple[Answer, Document]]) -> None:
        session = transaction.session
        keys = [profile_key(line["vendor"], line["record"]) for _, line in news]
        rows = await self._store.profiles(session, keys)
        changed: list[Document] = []
        for one, line in news:
            row = rows.get(profile_key(line["vendor"], line["record"]))
            if row is None or row["sent"] is None or row["sent"]["file_id"] != line["file_id"]:
                continue  # another line of the person was sent since
            row["answer"] = {"accepted": one.accepted, "text": one.text or None, "at": transaction.now}
            row["state"] = profile_state(row).value
            changed.append(row)
        await self._store.save_profiles(session, changed)
        for vendor in {row["vendor"] for row in changed}:
            stopped = [row["candidate_id"] for row in changed if row["vendor"] == vendor and not is_known(row)]
            if stopped:
                await self._store.let_follow(session, vendor, stopped, waits=True)

    async def _settle_rights(self, transaction: Transaction, news: Sequence[tuple[Answer, Document]]) -> None:
        rows = await self._store.authorizations(transaction.session, (line["record"] for _, line in news))
        changed: list[Document] = []
        for one, line in news:
            row = rows.get(line["record"])
            if row is None:
                continue
            after = answered(
                standing_of(row),
                line["ordinal"],
                Type(line["type"]),
                accepted=one.accepted,
                text=one.text or None,
            )
            note = f"{line['type']}: {line['state']}" + (f": {one.text}" if one.text else "")
            write_standing(row, after, transaction.now, "answered", row["vendor"], note=note)
            changed.append(row)
        await self._store.save_authorizations(transaction.session, changed)
