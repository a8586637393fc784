"""Hands candidates over to a payment page, and takes in what the page says of the money."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import ClassVar, Literal, NamedTuple

from prometheus_client import Counter

from libs.common.clock import Clock, as_stored
from libs.common.errors import Unavailable
from libs.common.events import fulfillment
from libs.common.http.problems import CONFLICT, NOT_FOUND, Problem
from libs.common.mongo.merges import Merges
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.programs import Program
from libs.common.secret_files import Secrets
from libs.common.signed_forms import PAYMENT, Keys, read_keys, signed
from libs.common.versions import next_version
from services.fulfillment.domain.orders import RECALLABLE, Order
from services.fulfillment.domain.payments import Fact, Payment, Trouble, heard, settling, trouble
from services.fulfillment.offers.claiming import Claims
from services.fulfillment.orders.ordering import Ordering
from services.fulfillment.payments.pages import PaymentPage
from services.fulfillment.payments.store import PaymentStore

HEARD = Counter("certrail_payment_notices_total", "What payment pages have said", ["page", "kind", "verdict"])

Verdict = Literal["taken", "known", "flagged"]
"""What became of a notice: new, known before, or new and for somebody to look after."""


@dataclass(frozen=True, slots=True)
class PaymentForm:
    """What the browser takes to the page."""

    action: str
    fields: Mapping[str, str]


class Seen(NamedTuple):
    """A payment, and what somebody has to look after."""

    payment: Payment
    trouble: Trouble | None


class PaymentDesk:
    """Makes ways to payment pages, and settles orders.

    Args:
        pages: by their ids.
        secrets: holds the keys that forms and notices are signed with.
        public_url: how people reach us.
    """

    MOST_IN_A_DAY: ClassVar = 50
    """For one person."""
    SHOWN: ClassVar = 100

    def __init__(
        self,
        store: PaymentStore,
        ordering: Ordering,
        claims: Claims,
        merges: Merges,
        pages: Mapping[str, PaymentPage],
        *,
        programs: Mapping[str, Program],
        secrets: Secrets,
        unit_of_work: UnitOfWork,
        public_url: str,
        clock: Clock,
    ) -> None:
        self._store = store
        self._ordering = ordering
        self._claims = claims
        self._merges = merges
        self._programs = programs
        self._pages = pages
        self._secrets = secrets
        self._unit_of_work = unit_of_work
        self._public_url = public_url.rstrip("/")
        self._clock = clock

    def keys(self, page: PaymentPage) -> Keys:
        """The keys that we share with a page. Raises `Unavailable`."""
        try:
            return read_keys(self._secrets.get(page.secret).get_secret_value())
        except ValueError as error:
            raise Unavailable(f"the secret {page.secret}: {error}") from error

    async def hand_over(
        self, program: Program, candidate_id: str, order_id: str, return_to: str, payment_id: str
    ) -> tuple[Payment, PaymentForm]:
        """The way to the payment page for an order.

        Raises the problems `not-found`, and `conflict` for an order that waits for no payment; `Unavailable` where the
        program has no page, or the key to sign with is missing.
        """
        page = next((one for one in self._pages.values() if program.id in one.programs), None)
        if page is None:
            raise Unavailable(f"no payment page is set up for {program.id}")
        keys = self.keys(page)

        async def work(transaction: Transaction) -> Payment:
            session, now = transaction.session, transaction.now
            accounts = await self._merges.family(session, candidate_id)
            order = await self._ordering.store.get(order_id, session)
            if order is None or order.program != program.id or order.candidate_id not in accounts:
                raise Problem(NOT_FOUND)
            benefit = program.benefits.get(order.benefit)
            if not order.awaits_payment or order.state != "pending" or benefit is None or benefit.price is None:
                raise Problem(CONFLICT, "this order waits for no payment")
            if await self._store.count(session, accounts, as_stored(now - timedelta(days=1))) >= self.MOST_IN_A_DAY:
                raise Problem(CONFLICT, f"a person goes to the payment page {self.MOST_IN_A_DAY} times a day at most")
            issued_at = now.replace(microsecond=0)
            payment = Payment(
                id=payment_id,
                program=program.id,
                page=page.id,
                order_id=order.id,
                candidate_id=order.candidate_id,
                title=order.title,
                asked=benefit.price,
                made_at=issued_at,
                expires_at=issued_at + page.lifetime,
            )
            await self._store.add(session, payment)
            return payment

        payment = await self._unit_of_work.run(work)
        fields = _fields(payment, page) | {"return_url": f"{self._public_url}{return_to}"}
        return payment, PaymentForm(page.url, signed(PAYMENT, fields, keys))

    async def take(self, page: str, payment_id: str, fact: Fact) -> Verdict:
        """What a page says. Known facts change nothing. Raises the problem `not-found` for a payment not made there."""
        fact = replace(fact, at=as_stored(fact.at))

        async def work(transaction: Transaction) -> Verdict:
            before = await self._store.get(transaction.session, payment_id)
            if before is None or before.page != page:
                raise Problem(NOT_FOUND)
            payment = heard(before, fact)
            if payment is None:
                return self._noted(transaction, page, fact, "known")
            order = await self._ordering.store.get(payment.order_id, transaction.session)
            if fact.kind == "confirmed":
                payment = await self._confirmed(transaction, payment, order)
            else:
                payment = await self._refunded(transaction, payment, order, fact)
            await self._store.save(transaction.session, payment)
            order = await self._ordering.store.get(payment.order_id, transaction.session)
            return self._noted(transaction, page, fact, "flagged" if trouble(payment, order) else "taken")

        return await self._unit_of_work.run(work)

    async def of_person(self, program: str, candidate_id: str) -> list[Payment]:
        """A person's payments, the latest first."""
        accounts = await self._merges.family(None, candidate_id)
        return await self._store.of_accounts(program, accounts, self.SHOWN)

    async def heard_of(self, program: str, *, after: str | None, limit: int) -> list[Seen]:
        """Payments of which a page has said anything, the oldest first, with what somebody has to look after."""
        payments = await self._store.heard_of(program, after=after, limit=limit)
        orders = await self._ordering.store.several(one.order_id for one in payments)
        return [Seen(one, trouble(one, orders.get(one.order_id))) for one in payments]

    def now(self) -> datetime:
        return self._clock.now()

    async def _confirmed(self, transaction: Transaction, payment: Payment, order: Order | None) -> Payment:
        program = self._programs.get(payment.program)
        if order is None or program is None or payment.settles or not settling(payment, order):
            return payment
        await self._ordering.release(transaction, program, order)
        event = fulfillment.PaymentConfirmed(
            **_about(payment),
            amount=str(payment.asked.amount),
            currency=payment.asked.currency,
            paid_at=max(one.at for one in payment.facts if one.kind == "confirmed"),
        )
        return _told(transaction, replace(payment, settles=True), event)

    async def _refunded(self, transaction: Transaction, payment: Payment, order: Order | None, fact: Fact) -> Payment:
        """What is paid back in full is not sent, where it can still be stopped."""
        all_back = payment.settles and payment.refunded >= payment.paid
        if order is not None and all_back and order.state in RECALLABLE:
            await self._claims.call_off(transaction, order, "system", "The payment was paid back.")
        event = fulfillment.PaymentRefunded(
            **_about(payment),
            refund_id=fact.reference,
            amount=str(fact.amount),
            currency=fact.currency,
            refunded_at=fact.at,
        )
        return _told(transaction, payment, event)

    def _noted(self, transaction: Transaction, page: str, fact: Fact, verdict: Verdict) -> Verdict:
        transaction.on_commit(HEARD.labels(page, fact.kind, verdict).inc)
        return verdict


def _fields(payment: Payment, page: PaymentPage) -> dict[str, str]:
    return {
        "version": "1",
        "client": page.client,
        "program": payment.program,
        "payment_id": payment.id,
        "title": payment.title,
        "amount": str(payment.asked.amount),
        "currency": payment.asked.currency,
        "issued_at": _moment(payment.made_at),
        "expires_at": _moment(payment.expires_at),
    }


def _moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _about(payment: Payment) -> dict[str, str]:
    return {
        "candidate_id": payment.candidate_id,
        "order_id": payment.order_id,
        "payment_id": payment.id,
        "title": payment.title,
    }


def _told(
    transaction: Transaction,
    payment: Payment,
    event: fulfillment.PaymentConfirmed | fulfillment.PaymentRefunded,
) -> Payment:
    version = next_version(payment.version or None, transaction.now)
    transaction.emit(event, program=payment.program, subject=payment.candidate_id, version=version)
    return replace(payment, version=version)
