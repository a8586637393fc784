"""All that goes on with the provider of one program, in one process at a time.

Where it fails several times in a row nothing is sent for a while, then one request more: a circuit that opens and is
tried. What waits goes on waiting; nothing is lost by it.
"""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar

import aiohttp
import structlog
from prometheus_client import Gauge
from pydantic import SecretStr

from libs.common.clock import Clock
from libs.common.errors import Unavailable
from libs.common.mongo.client import Document
from libs.common.mongo.jobs import Job
from libs.common.programs import Program
from libs.common.programs.badges import BadgeProvider
from libs.common.secret_files import Secrets
from services.certs.provider.chains import credential_of
from services.certs.provider.circuit import LEASE, pause
from services.certs.provider.comparing import Comparing
from services.certs.provider.credly import Credly, Denied, Silent
from services.certs.provider.following import Following
from services.certs.provider.observing import Observing
from services.certs.provider.pace import Pace
from services.certs.provider.sending import Sending
from services.certs.provider.store import ProviderStore

OPEN = Gauge("certrail_badge_provider_open", "1 while nothing is sent to a program's badge provider", ["program"])

log = structlog.get_logger(__name__)

_MOST_TEXT = 300


class Exchange:
    """Sends, listens and compares."""

    EVERY: ClassVar = timedelta(seconds=1)
    SECONDS: ClassVar = 25.0
    """After so long a run begins nothing more, so that it ends before its job's lease. Were that to lapse all the same,
    the leases of what is in hand keep two processes apart."""

    def __init__(  # noqa: PLR0917 parts
        self,
        program: str,
        store: ProviderStore,
        following: Following,
        sending: Sending,
        observing: Observing,
        comparing: Comparing,
        programs: Mapping[str, Program],
        secrets: Secrets,
        clock: Clock,
    ) -> None:
        self._program = program
        self._store = store
        self._following = following
        self._sending = sending
        self._observing = observing
        self._comparing = comparing
        self._programs = programs
        self._secrets = secrets
        self._clock = clock
        self._pace = Pace(1)

    def job(self) -> Job:
        return Job(f"badges-{self._program}", self.EVERY, self.run)

    async def run(self) -> None:
        """Do what is due, as far as a run goes. A program without provider has nothing to do."""
        provider = self._programs[self._program].badge_provider
        if provider is None:
            return
        await self._following.take_in(self._program)
        state = await self._store.state(self._program)
        if state["try_at"] is not None and self._clock.now() < state["try_at"]:
            return
        try:
            await self._talk(provider, state)
        except Silent as silence:
            await self._failed(str(silence), silence.wait)
        except Denied as denied:
            await self._failed(str(denied), shut_out=True)

    async def _talk(self, provider: BadgeProvider, state: Document) -> None:
        token = self._token(provider)
        if self._pace.a_minute != provider.rate:
            self._pace = Pace(provider.rate)
        deadline = asyncio.get_running_loop().time() + self.SECONDS
        async with aiohttp.ClientSession() as session:
            credly = Credly(session, provider, token, self._pace, self._clock)
            more, failing = True, state["failures"] > 0
            while more and asyncio.get_running_loop().time() < deadline:
                # By turns, so that neither a backlog nor a long list holds up the other.
                more = await self._listen(credly)
                more |= await self._comparing.part(credly)
                more |= await self._sending.turn(credly)
                if failing and credly.answers:
                    await self._mended()
                    failing = False

    def _token(self, provider: BadgeProvider) -> SecretStr:
        try:
            return self._secrets.get(provider.secret)
        except Unavailable as error:
            raise Denied(str(error)) from error

    async def _listen(self, credly: Credly) -> bool:
        """Ask about what the provider has told of. Returns whether there is more.

        What it says in the hook itself is not believed, and neither is the order in which hooks come: the badge is read
        as it is now.
        """
        row = await self._store.next_hook(self._program, self._clock.now())
        if row is None:
            return False
        try:
            named = await credly.badge_of_event(row["event"])
            if named is not None and credential_of(named.key) is not None:
                await self._observing.take(self._program, await credly.find(named.key or ""))
        except Silent:
            await self._store.put_hook_off(row["_id"], self._clock.now() + LEASE)
            raise
        await self._store.hook_done(row["_id"])
        return True

    async def _failed(self, error: str, asked: float | None = None, *, shut_out: bool = False) -> None:
        now = self._clock.now()
        state = await self._store.state(self._program)
        failures = state["failures"] + 1
        wait = pause(failures, asked, shut_out=shut_out)
        since = state["failing_since"] if state["failures"] else now
        await self._store.change_state(
            self._program, failures=failures, failing_since=since, try_at=now + wait, error=error[:_MOST_TEXT]
        )
        OPEN.labels(self._program).set(1 if wait else 0)
        log.warning("badge_provider_fails", program=self._program, count=failures)

    async def _mended(self) -> None:
        await self._store.change_state(self._program, failures=0, failing_since=None, try_at=None, error=None)
        OPEN.labels(self._program).set(0)
        log.info("badge_provider_answers", program=self._program)
