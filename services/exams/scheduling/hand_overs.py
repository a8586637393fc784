"""Hands candidates over to vendors: checks first, then makes what their browser takes along, once."""

import secrets as random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Literal, NamedTuple

from prometheus_client import Counter

from libs.common.clock import Clock, as_stored
from libs.common.errors import Unavailable
from libs.common.http.problems import CONFLICT, NOT_FOUND, Problem, invalid
from libs.common.ids import new_secret
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.privacy.tombstones import Tombstones
from libs.common.programs import Program
from libs.common.programs.model import Exam
from libs.common.secret_files import Secrets
from libs.common.signed_forms import HAND_OVER, RETURN, Keys, Unsigned, read_keys, signed, verify
from services.exams.history.retakes import judge
from services.exams.scheduling.sign_on import SignOn
from services.exams.scheduling.states import VISIT, HandOver, Purpose, State, Word, settle, state_of
from services.exams.scheduling.store import HandOverStore, ticket_key
from services.exams.store import ExamsStore, registration_key
from services.exams.vendors.definition import Vendor
from services.exams.vouchers.registry import Vouchers

MADE = Counter("certrail_hand_overs_total", "Candidates handed over to vendors", ["vendor", "purpose"])

RETURN_PATH = "/api/exams/v1/hand-overs/return"
PROVIDER_PATH = "/api/identity/v1/provider"
"""The issuer of ID tokens is at this path of the public address; identity answers there."""


class Asked(NamedTuple):
    """What a candidate wants to do at a vendor."""

    vendor: str
    exam_code: str
    purpose: Purpose
    registration_id: str | None
    voucher_id: str | None
    return_to: str


@dataclass(frozen=True, slots=True)
class Form:
    """What the browser takes to the vendor."""

    method: Literal["GET", "POST"]
    action: str
    fields: Mapping[str, str]
    ticket_for: str | None = None
    """The client that a ticket of identity's has to go along for."""


class Seen(NamedTuple):
    """A hand-over as it now stands."""

    row: Document
    state: State
    word: Word | None
    """What the vendor has said of the appointment since."""


class Way(NamedTuple):
    """A way to a vendor that is open to a program's candidates."""

    vendor: Vendor
    sign_on: SignOn


class _Order(NamedTuple):
    """What is asked for, as far as the definitions allow it."""

    program: Program
    way: Way
    exam: Exam
    asked: Asked


class HandOvers:
    """Makes hand-overs, takes their returns, and tells what became of them.

    Args:
        vendors: by their names.
        secrets: holds the keys that forms are signed with.
        public_url: how people and vendors reach us; without a slash at its end as an attribute.
    """

    MOST_IN_A_DAY: ClassVar = 50
    """For one person; each is a sign-on that could be kept for later."""
    SHOWN: ClassVar = 100

    def __init__(
        self,
        store: HandOverStore,
        exams: ExamsStore,
        vouchers: Vouchers,
        vendors: Mapping[str, Vendor],
        *,
        secrets: Secrets,
        tombstones: Tombstones,
        unit_of_work: UnitOfWork,
        public_url: str,
        clock: Clock,
    ) -> None:
        self._store = store
        self._exams = exams
        self._vouchers = vouchers
        self._vendors = vendors
        self._secrets = secrets
        self._tombstones = tombstones
        self._unit_of_work = unit_of_work
        self.public_url = public_url.rstrip("/")
        self._clock = clock

    def vendor_name(self, vendor: str) -> str:
        """As people know it."""
        found = self._vendors.get(vendor)
        return found.name if found else vendor

    async def make(self, program: Program, candidate_id: str, asked: Asked, hand_over_id: str) -> tuple[Seen, Form]:
        """Hand a candidate over.

        Raises the problems `not-found` for somebody erased, `invalid-request` for what does not fit together, and
        `conflict` for what is not possible now; `Unavailable` where the key to sign with is missing.
        """
        order = self._order(program, asked)
        way = order.way
        keys = self._keys(way.sign_on) if way.sign_on.kind == "digest" else None
        if await self._tombstones.find([candidate_id]):
            raise Problem(NOT_FOUND)
        ticket, nonce = new_secret(), random.token_urlsafe(24)
        return_url = f"{self.public_url}{RETURN_PATH}?ticket={ticket}"

        async def work(transaction: Transaction) -> tuple[Document, Form]:
            accounts = await self._exams.merges.family(transaction.session, candidate_id)
            await self._check(transaction, order, accounts)
            row = _new_row(order, transaction.now)
            row["not_before"] = await self._not_before(transaction, order, accounts)
            row |= {"_id": hand_over_id, "candidate_id": accounts[0], "ticket": ticket_key(ticket)}
            if keys is None:
                form = Form("GET", way.sign_on.url, self._start(return_url), way.sign_on.client)
            else:
                fields = await self._fields(transaction, order, accounts, row)
                said = fields | {"nonce": nonce, "return_url": return_url}
                form = Form("POST", way.sign_on.url, signed(HAND_OVER, said, keys))
            await self._store.add(transaction.session, row)
            transaction.on_commit(MADE.labels(way.vendor.id, asked.purpose).inc)
            return row, form

        row, form = await self._unit_of_work.run(work)
        return Seen(row, State.MADE, None), form

    async def leave(self, program: str, candidate_id: str, hand_over_id: str) -> None:
        """Note that the browser is on its way to the vendor. Raises the problem `not-found`."""
        accounts = await self._exams.merges.family(None, candidate_id)
        if not await self._store.note_gone(program, accounts, hand_over_id, as_stored(self._clock.now())):
            raise Problem(NOT_FOUND)

    async def come_back(self, ticket: str, said: Mapping[str, str]) -> str:
        """Note what a vendor says with the way back, the first time. Returns where the browser goes on.

        Nothing is believed of it: it is kept, and shown as what was said. Raises the problems `not-found`, and
        `invalid-request` where the vendor has to sign it and has not.
        """
        now = self._clock.now()
        row = await self._store.by_ticket(ticket, as_stored(now - VISIT))
        if row is None:
            raise Problem(NOT_FOUND)
        if row["kind"] == "digest":
            self._check_signed(row, {**said, "ticket": ticket}, now)
        kept = {"status": said["status"], "registration_id": said.get("registration_id")}
        await self._store.note_return(row["_id"], kept | {"signed": row["kind"] == "digest"}, as_stored(now))
        return f"{self.public_url}{row['return_to']}"

    async def of_person(self, program: Program, candidate_id: str) -> list[Seen]:
        """A person's hand-overs, the latest first, as far as the vendors have spoken."""
        accounts = await self._exams.merges.family(None, candidate_id)
        rows = await self._store.of_accounts(program.id, accounts, self.SHOWN)
        words = [
            word
            for registration in await self._store.registrations_of(program.id, accounts)
            for word in words_of(registration, program)
        ]
        known = {row["_id"]: _hand_over(row) for row in rows}
        settled = settle(list(known.values()), words)
        now = self._clock.now()
        return [
            Seen(row, state_of(known[row["_id"]], settled.get(row["_id"]), now), settled.get(row["_id"]))
            for row in rows
        ]

    # What must hold before

    def _order(self, program: Program, asked: Asked) -> _Order:
        vendor = self._vendors.get(asked.vendor)
        sign_on = self._sign_on(asked.vendor, program.id)
        if vendor is None or sign_on is None:
            raise invalid("body.vendor", "unknown", f"{program.name} hands nobody over to it")
        exam = program.find_exam(asked.exam_code)
        if exam is None or not sign_on.delivers(exam.code):
            raise invalid("body.exam_code", "unknown", f"{vendor.name} delivers no such exam of {program.name}")
        today = program.day_of(self._clock.now())
        if asked.purpose != "cancel" and exam.last_day is not None and exam.last_day < today:
            raise Problem(CONFLICT, f"the exam was offered until {exam.last_day}")
        if (asked.purpose == "schedule") != (asked.registration_id is None):
            raise invalid("body.registration_id", "purpose", "names what is moved or cancelled, and only that")
        if asked.voucher_id is not None and (asked.purpose != "schedule" or sign_on.kind != "digest"):
            raise invalid("body.voucher_id", "purpose", "is for a new appointment, at a vendor that takes it this way")
        return _Order(program, Way(vendor, sign_on), exam, asked)

    def _sign_on(self, vendor: str, program: str) -> SignOn | None:
        found = self._vendors.get(vendor)
        return found.sign_ons.find(program) if found and program in found.programs else None

    def _keys(self, sign_on: SignOn) -> Keys:
        name = sign_on.secret
        if name is None:
            raise ValueError("the definition demands a secret for this kind")
        try:
            return read_keys(self._secrets.get(name).get_secret_value())
        except ValueError as error:
            raise Unavailable(f"the secret {name}: {error}") from error

    async def _check(self, transaction: Transaction, order: _Order, accounts: Sequence[str]) -> None:
        session, asked = transaction.session, order.asked
        since = as_stored(transaction.now - timedelta(days=1))
        if await self._store.count(session, accounts, since) >= self.MOST_IN_A_DAY:
            raise Problem(CONFLICT, f"a person is handed over {self.MOST_IN_A_DAY} times a day at most")
        if asked.registration_id is None:
            return
        key = registration_key(order.program.id, asked.vendor, asked.registration_id)
        row = (await self._exams.registrations(session, [key])).get(key)
        if row is None or row["candidate_id"] not in accounts or _exam_of(row, order.program) != order.exam.code:
            raise invalid("body.registration_id", "unknown", "is no appointment of this candidate for this exam")
        if row["state"] not in {"scheduled", "rescheduled"}:
            raise Problem(CONFLICT, "the appointment does not stand any more")

    async def _not_before(self, transaction: Transaction, order: _Order, accounts: Sequence[str]) -> str | None:
        """The first day on which the program lets the person take the exam, where that is not today.

        Raises the problem `conflict` where the exam is not offered any more by then.
        """
        if order.asked.purpose == "cancel":
            return None
        program, exam, today = order.program, order.exam, order.program.day_of(transaction.now)
        rows = await self._store.results_of(transaction.session, program.id, accounts)
        waits = judge(program, rows, today).waits(exam.code, today)
        first = max((wait.allowed_from for wait in waits), default=None)
        if first is not None and exam.last_day is not None and exam.last_day < first:
            raise Problem(CONFLICT, f"the exam may be taken again from {first}, and is offered until {exam.last_day}")
        return first.isoformat() if first else None

    # What the browser takes along

    async def _fields(
        self, transaction: Transaction, order: _Order, accounts: Sequence[str], row: Document
    ) -> dict[str, str]:
        program, vendor, sign_on = order.program, order.way.vendor, order.way.sign_on
        found: dict[str, str | None] = {
            "version": "1",
            "client": sign_on.client,
            "program": sign_on.program_code or program.id,
            "candidate_id": row["candidate_id"],
            "exam_code": row["exam_code"],
            "purpose": row["purpose"],
            "registration_id": row["registration_id"],
            "not_before": row["not_before"],
            "issued_at": _moment(row["issued_at"]),
            "expires_at": _moment(row["expires_at"]),
        }
        if "vendor_candidate_id" in sign_on.candidate_fields:
            vendors_id = await self._store.vendors_id(transaction.session, program.id, vendor.id, accounts)
            found["vendor_candidate_id"] = vendors_id
        if row["voucher_id"] is not None:
            found["voucher"] = await self._vouchers.hand_over(
                transaction, program, row["voucher_id"], accounts, vendor=vendor.id, exam=row["exam_code"]
            )
        return {name: value for name, value in found.items() if value is not None}

    def _start(self, return_url: str) -> dict[str, str]:
        """The parameters of a login that somebody else than the vendor begins (OpenID Connect Core 1.0, 4)."""
        return {"iss": f"{self.public_url}{PROVIDER_PATH}", "target_link_uri": return_url}

    # The way back

    def _check_signed(self, row: Document, said: Mapping[str, str], now: datetime) -> None:
        sign_on = self._sign_on(row["vendor"], row["program"])
        if sign_on is None or sign_on.kind != "digest":
            raise invalid("query.digest", "digest", "nobody signs this any more")
        try:
            verify(RETURN, said, self._keys(sign_on))
        except Unsigned as error:
            raise invalid("query.digest", "digest", str(error)) from error
        issued_at = read_moment(said.get("issued_at", ""))
        soonest, latest = row["made_at"] - sign_on.tolerance, now + sign_on.tolerance
        if issued_at is None or not max(soonest, now - sign_on.lifetime - sign_on.tolerance) <= issued_at <= latest:
            raise invalid("query.issued_at", "time", "is not now, like 2026-11-22T09:00:00Z")


def words_of(registration: Document, program: Program) -> list[Word]:
    """What a vendor has said of an appointment, as far as it may have come of a hand-over."""
    exam = _exam_of(registration, program)
    return [
        Word(
            vendor=registration["vendor"],
            exam=exam,
            registration_id=registration["registration_id"],
            change=said["state"],
            scheduled_at=said["scheduled_at"],
            said_at=said["said_at"],
        )
        for said in registration["history"]
        if said["state"] in {"scheduled", "rescheduled", "cancelled"}
    ]


def _exam_of(registration: Document, program: Program) -> str:
    exam = program.find_exam(registration["exam_code"])
    return exam.code if exam else str(registration["exam_code"])


def _new_row(order: _Order, now: datetime) -> Document:
    asked, sign_on = order.asked, order.way.sign_on
    issued_at = now.replace(microsecond=0)
    return {
        "program": order.program.id,
        "vendor": order.way.vendor.id,
        "kind": sign_on.kind,
        "exam_code": order.exam.code,
        "purpose": asked.purpose,
        "registration_id": asked.registration_id,
        "voucher_id": asked.voucher_id,
        "return_to": asked.return_to,
        "made_at": as_stored(now),
        "issued_at": issued_at,
        "expires_at": issued_at + sign_on.lifetime,
        "tolerance_seconds": int(sign_on.tolerance.total_seconds()),
        "gone_at": None,
        "returned_at": None,
        "said": None,
    }


def _hand_over(row: Document) -> HandOver:
    return HandOver(
        hand_over_id=row["_id"],
        vendor=row["vendor"],
        exam=row["exam_code"],
        registration_id=row["registration_id"],
        made_at=row["made_at"],
        expires_at=row["expires_at"],
        tolerance=timedelta(seconds=row["tolerance_seconds"]),
        gone_at=row["gone_at"],
        returned_at=row["returned_at"],
    )


_MOMENT = "%Y-%m-%dT%H:%M:%SZ"


def _moment(moment: datetime) -> str:
    return moment.strftime(_MOMENT)


def read_moment(text: str) -> datetime | None:
    """A moment as a form writes it; None for anything else."""
    try:
        found = datetime.strptime(text, _MOMENT).replace(tzinfo=UTC)
    except ValueError:
        return None
    return found if _moment(found) == text else None
