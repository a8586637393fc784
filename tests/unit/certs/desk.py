"""Certs' handler on documents in memory, written and read as the database would, and what it has said."""

from collections import defaultdict
from collections.abc import Coroutine, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, cast

import bson
from bson.codec_options import CodecOptions

from libs.common.bus.messages import Received
from libs.common.events import EventData, certs, identity
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction
from libs.common.programs import Program
from services.certs.consumers import ServiceEvents
from services.certs.domain.facts import Fact
from services.certs.ledger import Ledger, facts_at
from services.certs.ledgers import Ledgers
from services.certs.policies import Policies
from services.certs.store import CertsStore
from tests.service.samples import received

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
_OPTIONS: CodecOptions[dict[str, Any]] = CodecOptions(tz_aware=True, tzinfo=UTC)

Dates = tuple[str, str | None]
"""Earned and last active day."""


class _Store:
    def __init__(self) -> None:
        self.rows: dict[str, bytes] = {}
        self.texts: dict[tuple[str, int], str] = {}

    async def ledgers(self, _session: object, ids: Iterable[str]) -> dict[str, Document]:
        return {one: bson.decode(self.rows[one], _OPTIONS) for one in ids if one in self.rows}

    async def save(self, _session: object, ledgers: Iterable[Ledger]) -> None:
        for ledger in ledgers:
            row = ledger.document()
            assert ledger.is_new != (row["_id"] in self.rows)
            self.rows[row["_id"]] = bson.encode(row)

    async def keep_policy(self, program: str, version: int, definition: str, _now: datetime) -> None:
        self.texts[program, version] = definition

    async def policy(self, program: str, version: int) -> str:
        return self.texts[program, version]


class _Clock:
    def now(self) -> datetime:
        return NOW


class _Saying:
    """What a transaction says."""

    session = None

    def __init__(self, desk: "Desk") -> None:
        self._desk = desk
        self.now = desk.now

    def emit(self, data: EventData, *, subject: str, version: int, **_: Any) -> None:
        about = self._desk.said[subject]
        assert version not in about
        about[version] = data


class Desk:
    def __init__(self, program: Program) -> None:
        self.programs = {program.id: program}
        self.program = program.id
        self.now = NOW
        self.store = _Store()
        self.said: dict[str, dict[int, Any]] = defaultdict(dict)
        """Events by subject and its version."""
        store = cast("CertsStore", self.store)
        self._policies = Policies(store, self.programs, _Clock())
        self.ledgers = Ledgers(store, self._policies)
        nothing: Any = None  # partners' ids and people are no business of this desk
        self._handler = ServiceEvents(store, self.ledgers, nothing, nothing)

    def take(self, *data: EventData) -> None:
        """Hand events over as one batch."""
        items: list[Received[Any]] = [received(each, program=self.program) for each in data]
        _run(self._handler.handle(self._transaction(), items))

    def learn(self, candidate_id: str, *facts: Fact) -> None:
        """Put facts into a ledger as any part of the service does."""

        async def work() -> None:
            transaction = self._transaction()
            opened = await self.ledgers.open(transaction, [(self.program, candidate_id)])
            for fact in facts:
                opened[self.program, candidate_id].add(fact, transaction, None)
            await self.ledgers.save(transaction, [opened[self.program, candidate_id]])

        _run(work())

    def adopt(self, policy: Program) -> None:
        """Put another version in force, and bring every ledger to it as the background work does."""
        self.programs[self.program] = policy
        for candidate_id in list(self.store.rows):
            if self.row(candidate_id).get("merged_into") is None:
                self.pass_time(candidate_id)

    def pass_time(self, candidate_id: str) -> None:
        async def work() -> None:
            transaction, row = self._transaction(), self.row(candidate_id)
            policy = await self._policies.current(self.program)
            ledger = Ledger(candidate_id, policy, row, told_under=await self._policies.told_under(row, policy))
            ledger.pass_time(transaction)
            await self.store.save(None, [ledger])

        _run(work())

    def row(self, candidate_id: str) -> Document:
        return bson.decode(self.store.rows[candidate_id], _OPTIONS)

    def facts(self, candidate_id: str, known_until: datetime) -> list[Fact]:
        return facts_at(self.row(candidate_id), known_until)

    def standing(self, candidate_id: str) -> list[Document]:
        """Everything that is stored of what a candidate holds, with every reason."""
        if candidate_id not in self.store.rows:
            return []
        return sorted(self.row(candidate_id)["certifications"], key=lambda entry: str(entry["certification"]))

    def active(self, candidate_id: str) -> dict[str, Dates]:
        return {
            entry["certification"]: (entry["earned_on"], entry["expires_on"])
            for entry in self.standing(candidate_id)
            if entry["status"] == "active"
        }

    def told(self, candidate_id: str) -> list[tuple[str, str]]:
        """Kind and certification of each event, in order."""
        return [
            (type(data).__name__, getattr(data, "certification", ""))
            for _, data in sorted(self.said[candidate_id].items())
        ]

    def folded(self, candidate_id: str) -> dict[str, Dates]:
        return fold(self.said[candidate_id])

    def _transaction(self) -> Transaction:
        return cast("Transaction", _Saying(self))


def fold(events: Mapping[int, Any]) -> dict[str, Dates]:
    """What a consumer holds to be active who keeps the last event of each certification, by the subject's version."""
    last = {data.certification: data for _, data in sorted(events.items()) if hasattr(data, "certification")}
    return {
        name: (str(data.earned_on), str(data.expires_on) if data.expires_on else None)
        for name, data in last.items()
        if isinstance(data, certs.CertificationAwarded | certs.CertificationRenewed | certs.CertificationExpiring)
        or (isinstance(data, certs.CertificationRevoked) and data.remains)
    }


def merged(source: str, into: str, moment: datetime) -> identity.CandidatesMerged:
    return identity.CandidatesMerged(merge_id=f"{source}-{into}", candidate_id=into, merged_id=source, merged_at=moment)


def separated(source: str, into: str, moment: datetime) -> identity.CandidatesSeparated:
    return identity.CandidatesSeparated(
        merge_id=f"{source}-{into}", candidate_id=into, merged_id=source, separated_at=moment
    )


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Run to the end what never waits."""
    try:
        work.send(None)
    except StopIteration:
        return
    raise AssertionError("nothing here waits")
