"""Compares everything that a provider has with what we hold, a little at a time, whichever process goes on with it.

A walk takes in every credential, looks at every chain, reads every page of the provider's, and then knows what neither
side knows of the other. It writes down where it is after each part, so that a crash costs one part.
"""

from collections.abc import Mapping
from functools import partial
from typing import ClassVar

from prometheus_client import Counter

from libs.common.clock import Clock
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.programs import Program
from services.certs.provider.chains import STANDING, Seen, observed, plan
from services.certs.provider.circuit import LEASE
from services.certs.provider.credly import Credly, Silent
from services.certs.provider.following import Following
from services.certs.provider.observing import Observing
from services.certs.provider.rows import chain_of, fields_of
from services.certs.provider.sending import Sending
from services.certs.provider.store import ProviderStore

UNREAD = Counter("certrail_badges_unread_total", "Badges in a provider's lists that cannot be read", ["program"])


class Comparing:
    """Walks for one program."""

    SLICE: ClassVar = 100

    def __init__(  # noqa: PLR0917 parts
        self,
        program: str,
        store: ProviderStore,
        following: Following,
        sending: Sending,
        observing: Observing,
        programs: Mapping[str, Program],
        unit_of_work: UnitOfWork,
        clock: Clock,
    ) -> None:
        self._program = program
        self._store = store
        self._following = following
        self._sending = sending
        self._observing = observing
        self._programs = programs
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def part(self, credly: Credly) -> bool:
        """Do the next part, if it is time. Returns whether there is more. Raises what asking the provider raises."""
        state = await self._store.state(self._program)
        walk = state["walk"]
        if walk is None:
            if not self._is_time(state):
                return False
            number = state["walks"] + 1
            now = self._clock.now()
            walk = {"number": number, "began_at": now, "try_at": now, "stage": "credentials", "after": "", "page": 1}
            await self._store.change_state(self._program, walk=walk, walks=number)
        if walk["try_at"] > self._clock.now():
            return False
        try:
            after = await self._do(credly, walk)
        except Silent:
            await self._store.change_state(self._program, walk=walk | {"try_at": self._clock.now() + LEASE})
            raise
        if after is None:
            await self._store.change_state(self._program, walk=None, walked_at=walk["began_at"])
            return False
        await self._store.change_state(self._program, walk=after)
        return True

    def _is_time(self, state: Document) -> bool:
        provider = self._programs[self._program].badge_provider
        last = state["walked_at"]
        return provider is not None and (last is None or last + provider.poll <= self._clock.now())

    async def _do(self, credly: Credly, walk: Document) -> Document | None:
        """Where the walk is after its next part; None at its end."""
        match walk["stage"]:
            case "credentials":
                last = await self._following.take_all(self._program, walk["after"])
                return _next(walk, last, "chains")
            case "chains":
                return _next(walk, await self._look(walk["after"]), "pages")
            case "pages":
                more = await self._read(credly, walk)
                return walk | {"page": walk["page"] + 1} if more else _next(walk, None, "missing")
            case _:
                last = await self._miss(walk)
                return _next(walk, last, "missing") if last is not None else None

    async def _look(self, after: str) -> str | None:
        """Let those chains be worked on that something is to be done for: names change, and definitions."""
        rows = await self._store.chains_after(self._program, after, self.SLICE)
        today = self._programs[self._program].day_of(self._clock.now())
        due = []
        for row in rows:
            order = await self._sending.order(row)
            step = plan(chain_of(row), order.said if order else None, today)
            trouble = row["trouble"] or {}
            parked = trouble.get("kind") == "refused" and step is not None and trouble["said"] == step.said
            if step is not None and not parked:
                due.append(row["_id"])
        await self._store.look_at(self._program, due, self._clock.now())
        return rows[-1]["_id"] if len(rows) == self.SLICE else None

    async def _read(self, credly: Credly, walk: Document) -> bool:
        """Read the next page. Returns whether there are more."""
        listing = await credly.page(walk["page"])
        UNREAD.labels(self._program).inc(listing.unread)
        strays = await self._observing.take(self._program, listing.found)
        rows = [{"badge_id": one.badge_id, "key": one.key, "state": one.state, "seen_at": one.at} for one in strays]
        await self._store.add_strays(self._program, rows, walk["number"])
        await self._store.seen(self._program, [one.badge_id for one in listing.found], walk["number"])
        return int(walk["page"]) < listing.pages

    async def _miss(self, walk: Document) -> str | None:
        """Note which badges the provider has no more."""
        number, began_at = walk["number"], walk["began_at"]
        rows = await self._store.unseen(self._program, number, began_at, walk["after"], self.SLICE)
        for row in rows:
            await self._unit_of_work.run(partial(self._missing, key=row["_id"], walk=walk))
        if len(rows) == self.SLICE:
            return str(rows[-1]["_id"])
        await self._store.drop_strays(self._program, number)
        return None

    async def _missing(self, transaction: Transaction, *, key: str, walk: Document) -> None:
        row = await self._store.chain(transaction.session, key)
        if row is None or row["hand"] is not None or row["walk"] == walk["number"]:
            return
        chain = chain_of(row)
        for link in chain.links:
            badge = link.badge
            if badge is not None and badge.state in STANDING and badge.at < walk["began_at"]:
                chain = observed(chain, Seen(badge.badge_id, badge.key, "missing", walk["began_at"]))
        row |= fields_of(chain) | {"due_at": transaction.now}
        await self._store.save(transaction.session, row)


def _next(walk: Document, last: str | None, stage: str) -> Document:
    """The walk further on in its stage, or at the beginning of the next one."""
    return walk | ({"after": last} if last is not None else {"stage": stage, "after": ""})
