"""The signing keys as every replica sees them, and how one follows another."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from joserfc.jwk import Key, OKPKey
from prometheus_client import Gauge

from libs.common.clock import Clock, as_stored
from libs.common.errors import Unavailable
from libs.common.http.problems import CONFLICT, NOT_FOUND, Problem
from libs.common.ids import new_id
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from services.identity.domain.key_schedule import LEAD, KeyTimes, is_published, retires_at, signing, state
from services.identity.signing.sealing import Sealing
from services.identity.signing.store import SigningKeyStore

REREAD = timedelta(seconds=10)
"""How old what a replica knows of the keys may be; far below `LEAD`."""

REREAD_UNKNOWN = timedelta(seconds=1)
"""The same where a token names a key that is not known: after a leak another replica may have made it just now."""

EVERY = timedelta(minutes=1)

SIGNS_SINCE = Gauge("certrail_signing_key_since_timestamp_seconds", "When the key that signs access tokens began to")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class KeyStatus:
    """A published key and where in its life it is."""

    times: KeyTimes
    state: str
    retires_at: datetime | None


@dataclass(frozen=True, slots=True)
class _View:
    read_at: datetime
    keys: dict[str, Key]
    times: list[KeyTimes]


class SigningKeys:
    """Signs with the key whose time it is, publishes those that verify, and is where identity verifies with.

    Args:
        store: where the keys lie.
        unit_of_work: runs changes.
        sealing: encrypts what lies there.
        first: the keys to begin with where there are none yet; the first of them signs.
        clock: tells whose time it is.
    """

    def __init__(
        self,
        store: SigningKeyStore,
        unit_of_work: UnitOfWork,
        sealing: Sealing,
        first: Callable[[], Sequence[Key]],
        clock: Clock,
    ) -> None:
        self._store = store
        self._unit_of_work = unit_of_work
        self._sealing = sealing
        self._first = first
        self._clock = clock
        self._known: _View | None = None
        self._reading = asyncio.Lock()

    async def signing(self) -> Key:
        """The key that signs now."""
        view, now = await self._view(), self._clock.now()
        times = signing(view.times, now)
        if times is None:
            raise Unavailable("no signing key is due yet")
        return view.keys[times.kid]

    async def find(self, kid: str) -> Key | None:
        """The published key of this id; see `KeySource`."""
        view = await self._view()
        if kid not in view.keys:
            view = await self._view(REREAD_UNKNOWN)
        return view.keys[kid] if any(times.kid == kid for times in self._published(view)) else None

    async def published(self) -> list[dict[str, Any]]:
        """The keys that verify our tokens, as members of a JWK set (RFC 7517)."""
        view = await self._view()
        return [_public(view.keys[times.kid]) for times in self._published(view)]

    async def statuses(self) -> list[KeyStatus]:
        """The published keys, the first to sign first."""
        view, now = await self._view(timedelta(0)), self._clock.now()
        return [
            KeyStatus(times, state(times, view.times, now), retires_at(times, view.times))
            for times in self._published(view)
        ]

    async def rotate(self) -> None:
        """Publish a new key, which signs after `LEAD`. Raises the problem `conflict` while another is to follow."""
        key = _new_key()

        async def work(transaction: Transaction) -> None:
            now = as_stored(transaction.now)
            times = [_times(row) for row in await self._store.all(transaction.session)]
            current = signing(times, now)
            if current is None or any(one.signs_from > now for one in times):
                raise Problem(CONFLICT, "a new key is published already and does not sign yet")
            await self._store.touch(transaction.session, current.kid)
            await self._store.add(transaction.session, [self._row(key, now, now + LEAD)])

        await self._change(work)
        log.info("signing_key_published", kid=key.kid)

    async def withdraw(self, kid: str) -> None:
        """Take a key away at once, as one that has leaked; another one signs. Raises the problem `not-found`."""

        async def work(transaction: Transaction) -> None:
            now = as_stored(transaction.now)
            times = [_times(row) for row in await self._store.all(transaction.session)]
            if kid not in {one.kid for one in times}:
                raise Problem(NOT_FOUND)
            was_signing = signing(times, now)
            await self._store.remove([kid], transaction.session)
            if was_signing is None or was_signing.kid == kid:
                await self._follow_at_once(transaction, [one for one in times if one.signs_from > now], now)

        await self._change(work)
        log.warning("signing_key_withdrawn", kid=kid)

    async def _follow_at_once(self, transaction: Transaction, following: Sequence[KeyTimes], now: datetime) -> None:
        if following:
            await self._store.sign_from(transaction.session, following[0].kid, now)
        else:
            await self._store.add(transaction.session, [self._row(_new_key(), now, now)])

    async def sweep(self) -> None:
        """Remove the keys that verify nothing any more, private parts and all, and tell how old the current one is."""
        view = await self._view(timedelta(0))
        over = view.keys.keys() - {times.kid for times in self._published(view)}
        if over:
            await self._store.remove(sorted(over))
            await self._forget()
        current = signing(view.times, self._clock.now())
        if current is not None:
            SIGNS_SINCE.set(current.signs_from.timestamp())

    async def _change(self, work: Callable[[Transaction], Any]) -> None:
        await self._view()
        await self._unit_of_work.run(work)
        await self._forget()

    async def _forget(self) -> None:
        async with self._reading:  # what began to be read before must not outlast it
            self._known = None

    def _published(self, view: _View) -> list[KeyTimes]:
        now = self._clock.now()
        return [times for times in view.times if is_published(times, view.times, now)]

    async def _view(self, oldest: timedelta = REREAD) -> _View:
        known = self._known
        if known is None or self._clock.now() - known.read_at >= oldest:
            async with self._reading:  # whoever waits finds what the first has read
                known, now = self._known, self._clock.now()
                if known is None or now - known.read_at >= oldest:
                    known = self._known = await self._read(now)
        return known

    async def _read(self, now: datetime) -> _View:
        rows = await self._store.all() or await self._begin()
        try:
            keys = {row["_id"]: self._sealing.open(row["sealed"]) for row in rows}
        except ValueError as error:
            raise Unavailable("the signing keys cannot be read: is CERTRAIL_SIGNING_KEYS_SECRET right?") from error
        return _View(now, keys, [_times(row) for row in rows])

    async def _begin(self) -> list[Document]:
        """Take over the keys of the file. Those that only verify count as followed by the first from now on."""

        async def work(transaction: Transaction) -> list[Document]:
            if rows := await self._store.all(transaction.session):
                return rows
            now = as_stored(transaction.now)
            current, *others = self._first()
            earlier = now - timedelta(milliseconds=1)
            rows = [self._row(current, now, now), *(self._row(key, earlier, earlier) for key in others)]
            await self._store.add(transaction.session, rows)
            return rows

        return await self._unit_of_work.run(work)

    def _row(self, key: Key, published_at: datetime, signs_from: datetime) -> Document:
        times = {"published_at": published_at, "signs_from": signs_from}
        return {"_id": key.kid, "sealed": self._sealing.seal(key), **times}


def _new_key() -> Key:
    return OKPKey.generate_key("Ed25519", {"kid": new_id()})


def _public(key: Key) -> dict[str, Any]:
    # Without `alg`: libraries do not agree on the name of Ed25519, and each knows what a key of this kind signs with.
    return {**{name: value for name, value in key.as_dict(private=False).items() if name != "alg"}, "use": "sig"}


def _times(row: Document) -> KeyTimes:
    return KeyTimes(row["_id"], row["published_at"], row["signs_from"])
