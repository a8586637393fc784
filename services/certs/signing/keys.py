"""The keys of programs as issuers, as every replica sees them, and how one follows another.

A key is published before it signs and stays published when it signs no more, so that whatever it signed goes on being
proved. Only one that others may have is taken away, and what it signed is signed anew.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from joserfc.jwk import RSAKey
from prometheus_client import Gauge

from libs.common.clock import Clock, as_stored
from libs.common.errors import Unavailable
from libs.common.http.problems import CONFLICT, NOT_FOUND, Problem
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.programs import Program
from services.certs.public.addresses import Addresses
from services.certs.signing.multikey import read_multikey
from services.certs.signing.pairs import Pair, Sealing, SigningPair, new_pair
from services.certs.signing.schedule import (
    LEAD,
    KeyTimes,
    State,
    active,
    following,
    is_old,
    signs_no_more,
    state,
)
from services.certs.signing.store import IssuerKeyStore

REREAD = timedelta(seconds=10)
"""How old what a replica knows of the keys may be; far below `LEAD`."""

EXPIRES = Gauge(
    "certrail_issuer_key_expiry_timestamp_seconds", "When another key is to follow the one that signs", ["program"]
)

log = structlog.get_logger(__name__)


class PublishedKey(NamedTuple):
    """A key that verifies what the program has signed."""

    kid: str
    state: State
    ed25519: Ed25519PublicKey
    rsa: RSAKey
    """Public."""
    verification_method: str
    """What proofs name: the program's DID and the `kid`."""
    address: str
    """What tokens name as their `kid`: where the RSA key is to be had."""


class KeyStatus(NamedTuple):
    """A key and where in its life it is."""

    times: KeyTimes
    state: State


@dataclass(frozen=True, slots=True)
class _View:
    read_at: datetime
    rows: Mapping[str, Sequence[Document]]


class IssuerKeys:
    """Makes, publishes and changes the keys of issuers.

    Args:
        store: where they lie.
        unit_of_work: runs changes.
        sealing: encrypts what lies there.
        programs: the issuers.
        addresses: where their keys are published.
        life: how long one signs before another follows.
        clock: tells whose time it is.
    """

    EVERY = timedelta(minutes=1)

    def __init__(
        self,
        store: IssuerKeyStore,
        unit_of_work: UnitOfWork,
        sealing: Sealing,
        *,
        programs: Mapping[str, Program],
        addresses: Addresses,
        life: timedelta,
        clock: Clock,
    ) -> None:
        self._store = store
        self._unit_of_work = unit_of_work
        self._sealing = sealing
        self._programs = programs
        self._addresses = addresses
        self._life = life
        self._clock = clock
        self._known: _View | None = None
        self._reading = asyncio.Lock()
        self._opened: dict[str, Pair] = {}

    async def signing(self, program: str) -> SigningPair:
        """What signs for a program now. Raises `Unavailable` where it cannot be read."""
        rows = await self._of(program)
        current = active(map(_times, rows), self._clock.now())
        if current is None:
            raise Unavailable(f"no key of {program} is due yet")
        row = next(row for row in rows if row["_id"] == current.kid)
        did = self._addresses.issuer_did(program)
        return SigningPair(
            current.kid, f"{did}#{current.kid}", self._addresses.issuer_key(program, current.kid), self._open(row)
        )

    async def published(self, program: str) -> list[PublishedKey]:
        """Every key that verifies, the first made first."""
        rows, now = await self._of(program), self._clock.now()
        times = [_times(row) for row in rows]
        did = self._addresses.issuer_did(program)
        return [
            PublishedKey(
                one.kid,
                state(one, times, now),
                read_multikey(one.kid),
                RSAKey.import_key(row["rsa"]),
                f"{did}#{one.kid}",
                self._addresses.issuer_key(program, one.kid),
            )
            for one, row in zip(times, rows, strict=True)
            if one.compromised_at is None
        ]

    async def statuses(self, program: str) -> list[KeyStatus]:
        """Every key there has been, the first made first, as they are at this very moment."""
        await self._forget()
        times, now = [_times(row) for row in await self._of(program)], self._clock.now()
        return [KeyStatus(one, state(one, times, now)) for one in times]

    async def compromised(self) -> dict[str, list[str]]:
        """The compromised keys of each program that has any: what names one of them must be signed anew.

        Ask again and again, as a replica goes on signing with a key for up to `REREAD` after it was marked.
        """
        view = await self._view()
        found = {
            program: [row["_id"] for row in rows if row["compromised_at"] is not None]
            for program, rows in view.rows.items()
        }
        return {program: kids for program, kids in found.items() if kids}

    async def rotate(self, program: str) -> None:
        """Publish a new key, which signs after `LEAD`. Raises the problem `conflict` while another is to follow."""
        await self._of(program)
        pair = await asyncio.to_thread(new_pair)

        async def work(transaction: Transaction) -> None:
            rows = await self._store.of(transaction.session, program)
            now = as_stored(transaction.now)
            if following(map(_times, rows), now) is not None:
                raise Problem(CONFLICT, "a new key is published already and does not sign yet")
            await self._store.add(transaction.session, self._row(program, rows, pair, now, now + LEAD))

        await self._change(work)
        log.info("issuer_key_published", program=program, kid=pair.kid)

    async def compromise(self, program: str, kid: str) -> None:
        """Take a key away at once, as one that others may have; another one signs. Raises the problem `not-found`."""
        pair = await asyncio.to_thread(new_pair)

        async def work(transaction: Transaction) -> None:
            rows = await self._store.of(transaction.session, program)
            now = as_stored(transaction.now)
            row = next((row for row in rows if row["_id"] == kid), None)
            if row is None:
                raise Problem(NOT_FOUND)
            if row["compromised_at"] is not None:
                return
            await self._store.mark_compromised(transaction.session, kid, now)
            others = [_times(other) for other in rows if other["_id"] != kid]
            signing, coming = active(map(_times, rows), now), following(others, now)
            if signing is not None and signing.kid != kid:
                return
            # The one before would be active again; it has had its time, and its private part may be gone.
            if coming is not None:
                await self._store.sign_from(transaction.session, coming.kid, now)
            else:
                await self._store.add(transaction.session, self._row(program, rows, pair, now, now))

        await self._change(work)
        log.warning("issuer_key_compromised", program=program, kid=kid)

    async def run(self) -> None:
        """Give programs their first key, follow up old ones, forget private parts that sign no more."""
        await self._forget()
        for program in self._programs:
            rows, now = await self._of(program), self._clock.now()
            times = [_times(row) for row in rows]
            current = active(times, now)
            if current is not None:
                EXPIRES.labels(program).set((current.signs_from + self._life).timestamp())
            if is_old(times, self._life, now):
                try:
                    await self.rotate(program)
                except Problem:  # somebody has done so just now
                    log.info("issuer_key_published_by_another", program=program)
            held = [row["_id"] for row in rows if row["sealed"] is not None]
            over = [one.kid for one in times if one.kid in held and signs_no_more(one, times, now)]
            if over:
                await self._store.forget_private(over)

    async def _change(self, work: Callable[[Transaction], Awaitable[None]]) -> None:
        await self._unit_of_work.run(work)
        await self._forget()

    async def _forget(self) -> None:
        async with self._reading:  # what began to be read before must not outlast it
            self._known = None

    async def _of(self, program: str) -> Sequence[Document]:
        """The rows of a program, with a first key where it has none."""
        rows = (await self._view()).rows.get(program, ())
        if not rows:
            await self._begin(program)
            rows = (await self._view()).rows[program]
        return rows

    async def _view(self) -> _View:
        known = self._known
        if known is None or self._clock.now() - known.read_at >= REREAD:
            async with self._reading:  # whoever waits finds what the first has read
                known, now = self._known, self._clock.now()
                if known is None or now - known.read_at >= REREAD:
                    known = self._known = await self._read(now)
        return known

    async def _read(self, now: datetime) -> _View:
        rows: dict[str, list[Document]] = {}
        for row in await self._store.all():
            rows.setdefault(row["program"], []).append(row)
            if row["sealed"] is None:
                self._opened.pop(row["_id"], None)
        return _View(now, rows)

    async def _begin(self, program: str) -> None:
        pair = await asyncio.to_thread(new_pair)

        async def work(transaction: Transaction) -> None:
            rows = await self._store.of(transaction.session, program)
            now = as_stored(transaction.now)
            if not rows:
                await self._store.add(transaction.session, self._row(program, rows, pair, now, now))

        await self._change(work)

    def _row(
        self, program: str, before: Sequence[Document], pair: Pair, published_at: datetime, signs_from: datetime
    ) -> Document:
        return {
            "_id": pair.kid,
            "program": program,
            "number": before[-1]["number"] + 1 if before else 1,
            "sealed": self._sealing.seal(pair),
            "rsa": pair.public_rsa(),
            "published_at": published_at,
            "signs_from": signs_from,
            "compromised_at": None,
        }

    def _open(self, row: Document) -> Pair:
        kid, sealed = row["_id"], row["sealed"]
        if sealed is None:  # by a clock that is far behind others
            raise Unavailable(f"the key {kid} signs no more")
        if kid not in self._opened:
            try:
                self._opened[kid] = self._sealing.open(sealed)
            except ValueError as error:
                raise Unavailable("the keys of issuers cannot be read: is CERTRAIL_CERTS_KEYS_SECRET right?") from error
        return self._opened[kid]


def _times(row: Document) -> KeyTimes:
    return KeyTimes(row["_id"], row["published_at"], row["signs_from"], row["compromised_at"])
