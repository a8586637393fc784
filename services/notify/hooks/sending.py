"""Sends messages to hooks: each is claimed, sent and settled.

**What a crash leaves.** A message is claimed before it is sent and settled after the answer. Where the process dies in
between, the claim runs out and it is sent again under the same `webhook-id`: never lost, and a repetition can be
recognised.

Each hook has a lane of its own. A slow or broken receiver fills its lane and nobody else's; one that fails several
times in a row gets one message at a time and is left alone in between. When it answers again, all that waits is due at
once.
"""

import asyncio
import ssl
from datetime import datetime, timedelta
from typing import ClassVar

import aiohttp
import structlog
from prometheus_client import Counter, Histogram

from libs.common import signatures
from libs.common.bus.connection import wait_or_stop
from libs.common.clock import Clock, as_stored
from libs.common.mongo.client import Document
from libs.common.mongo.faults import database_faults
from libs.common.sealing import SecretBox
from services.notify.hooks.known import KnownHooks
from services.notify.hooks.retries import UNWELL, Answer, fault_of, next_try, rest, wish_of
from services.notify.hooks.store import Claim, Hook, HookStore
from services.notify.hooks.targets import NotPublicError, Targets

CONTENT_TYPE = "application/cloudevents+json"
AGENT = "Certrail-Hooks/1"
OUR_FAULT = "our secret cannot be read"
"""Of a try that came to nothing without any fault of the receiver's."""

SENT = Counter("certrail_hook_tries_total", "Messages sent to web hooks, by what became of them", ["outcome"])
OFF = Counter("certrail_hooks_switched_off_total", "Web hooks that were switched off", ["program", "because"])
SECONDS = Histogram(
    "certrail_hook_seconds",
    "From the event's arrival to the receiver's acceptance",
    buckets=(0.1, 0.25, 0.5, 1, 5, 30, 300, 3600, 86_400, 432_000),
)

log = structlog.get_logger(__name__)


class Sending:
    """The loop that sends."""

    TRY_SECONDS: ClassVar = 15.0
    """For one try, name look-up included."""
    LEASE: ClassVar = timedelta(seconds=60)
    """How long a claim lasts; well above a try, so that no two processes send the same."""
    POLL_SECONDS: ClassVar = 1.0
    AT_ONCE: ClassVar = 4
    """Messages under way to one hook."""
    CONNECTIONS: ClassVar = 200
    OUTAGE: ClassVar = timedelta(minutes=1)
    """After a longer one all that waits is sent without waiting for its turn."""

    def __init__(  # noqa: PLR0917 parts
        self,
        store: HookStore,
        known: KnownHooks,
        targets: Targets,
        box: SecretBox | None,
        clock: Clock,
        owner: str,
        *,
        off_after: timedelta,
    ) -> None:
        self._store = store
        self._known = known
        self._targets = targets
        self._box = box
        self._clock = clock
        self._owner = owner
        self._off_after = off_after
        self._lanes: set[str] = set()
        self._news = asyncio.Event()

    def wake(self) -> None:
        """There is something to send."""
        self._news.set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Send until `stopping` is set; what is under way then is finished and settled."""
        async with self._targets.session(self.CONNECTIONS) as session, asyncio.TaskGroup() as lanes:
            while not stopping.is_set():
                async with database_faults(log):
                    for hook_id in await self._in_want():
                        self._lanes.add(hook_id)
                        lanes.create_task(self._lane(session, hook_id, stopping))
                await wait_or_stop(self._news, self.POLL_SECONDS)
                self._news.clear()

    async def _in_want(self) -> list[str]:
        """Hooks without a lane that have something to be sent."""
        now = self._clock.now()
        idle = [
            hook.id for hook in (await self._known.all()).values() if self._room(hook) and hook.id not in self._lanes
        ]
        return await self._store.with_due(idle, now) if idle else []

    def _room(self, hook: Hook | None) -> int:
        """How many messages may be under way to a hook."""
        if hook is None or hook.state != "active":
            return 0
        if hook.rest_until is not None and self._clock.now() < hook.rest_until:
            return 0
        return self.AT_ONCE if hook.failures < UNWELL else 1

    async def _lane(self, session: aiohttp.ClientSession, hook_id: str, stopping: asyncio.Event) -> None:
        running: set[asyncio.Task[None]] = set()
        try:
            async with database_faults(log):
                while True:
                    hook = (await self._known.all()).get(hook_id)
                    room = 0 if stopping.is_set() else self._room(hook) - len(running)
                    if hook is not None and room > 0:
                        for row in await self._store.claim(hook_id, self._claim(), self._clock.now(), room):
                            running.add(asyncio.create_task(self._deliver(session, hook, row)))
                    if not running:
                        return
                    _, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            for task in running:
                task.cancel()
            raise
        finally:
            if running:
                await asyncio.wait(running)
            self._lanes.discard(hook_id)

    def _claim(self) -> Claim:
        return Claim(self._owner, as_stored(self._clock.now() + self.LEASE))

    async def _deliver(self, session: aiohttp.ClientSession, hook: Hook, row: Document) -> None:
        try:
            answer = await self._try(session, hook, row)
            async with database_faults(log):  # what is not settled is sent again, under the same id
                await self._settle(hook, row, answer)
        except Exception as error:  # noqa: BLE001 one message must not stop the others
            log.error("hook_message_stuck", message_id=row["_id"], program=hook.program, cause=type(error).__name__)  # noqa: TRY400 its text may hold what the message says

    # Sending

    async def _try(self, session: aiohttp.ClientSession, hook: Hook, row: Document) -> Answer:
        at, loop = self._clock.now(), asyncio.get_running_loop()
        began = loop.time()

        def answer(status: int | None, error: str | None, wish: timedelta | None = None) -> Answer:
            return Answer(at, status, error, round((loop.time() - began) * 1000), wish)

        try:
            secrets = self._secrets(hook, at)
        except ValueError:
            log.critical("hook_secret_unreadable", program=hook.program)
            return answer(None, OUR_FAULT)
        body = row["body"].encode()
        headers = signed(secrets, row["_id"], int(at.timestamp()), body)
        try:
            async with (
                asyncio.timeout(self.TRY_SECONDS),
                session.post(hook.url, data=body, headers=headers, allow_redirects=False) as response,
            ):
                # Nothing is read of what they say: the status is the answer.
                return answer(response.status, fault_of(response.status), wish_of(response.headers.get("Retry-After")))
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            return answer(None, _why(error))

    def _secrets(self, hook: Hook, now: datetime) -> list[bytes]:
        """Raises `ValueError` where they were encrypted with another key."""
        if self._box is None:
            raise ValueError("there is no key")
        valid = [secret for secret in hook.secrets if secret.until is None or now < secret.until]
        return [self._box.open(secret.sealed) for secret in valid]

    # Settling

    async def _settle(self, hook: Hook, row: Document, answer: Answer) -> None:
        now = self._clock.now()
        due_at = None if answer.taken else next_try(row["attempts"] + 1, row["since"], now, answer.wait)
        if not await self._store.settle(row, answer, due_at):
            return
        if answer.taken:
            SENT.labels("delivered").inc()
            SECONDS.observe(max((now - row["created_at"]).total_seconds(), 0.0))
            await self._answered(hook, now)
            return
        SENT.labels("dead" if due_at is None else "failed").inc()
        log.info("hook_message_not_taken", message_id=row["_id"], program=hook.program, cause=answer.error)
        if answer.error != OUR_FAULT:
            await self._failed(hook, answer, now)

    async def _answered(self, hook: Hook, now: datetime) -> None:
        known = (await self._known.all()).get(hook.id, hook)
        if not known.failures:
            return
        await self._store.answered(hook.id)
        self._known.forget()
        if known.failing_since is not None and now - known.failing_since >= self.OUTAGE:
            await self._store.hurry(hook.id, now)

    async def _failed(self, hook: Hook, answer: Answer, now: datetime) -> None:
        row = await self._store.failed(hook.id, now, answer.error or "")
        if row is None:
            return
        if answer.gone:
            await self._switch_off(hook, "gone", now)
        elif now - row["failing_since"] >= self._off_after:
            await self._switch_off(hook, "failing", now)
        elif row["failures"] >= UNWELL:
            row["rest_until"] = as_stored(now + rest(row["failures"]))
            await self._store.rest(hook.id, row["rest_until"])
        self._known.learn(row)

    async def _switch_off(self, hook: Hook, because: str, now: datetime) -> None:
        if await self._store.switch_off(hook.id, because, now):
            OFF.labels(hook.program, because).inc()
            log.warning("hook_switched_off", program=hook.program, reason=because)
        self._known.forget()


def message_id(delivery_id: str) -> str:
    """The `webhook-id`: the same at every try, and when a message is asked for again."""
    return f"msg_{delivery_id}"


def signed(secrets: list[bytes], delivery_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers of a message (Standard Webhooks 1.0.0): a signature for each secret that works, the newest first."""
    key = message_id(delivery_id)
    return {
        "Content-Type": CONTENT_TYPE,
        "User-Agent": AGENT,
        signatures.ID: key,
        signatures.TIMESTAMP: str(timestamp),
        signatures.SIGNATURE: " ".join(signatures.sign(secret, key, timestamp, body) for secret in reversed(secrets)),
    }


_WHY: tuple[tuple[type[BaseException], str], ...] = (
    (NotPublicError, "private address"),
    (TimeoutError, "no answer in time"),
    (ssl.SSLError, "no trusted TLS"),
    (aiohttp.ClientSSLError, "no trusted TLS"),
    (aiohttp.ClientConnectorDNSError, "name not found"),
    (aiohttp.ClientConnectorError, "no connection"),
    (aiohttp.ServerDisconnectedError, "connection lost"),
    (aiohttp.ClientOSError, "connection lost"),
)


def _why(error: BaseException) -> str:
    """A word for a failure; never the other side's text."""
    found: list[BaseException] = []
    each: BaseException | None = error
    while each is not None and each not in found:
        found.append(each)
        each = each.__cause__ or each.__context__
    return next((word for kind, word in _WHY for one in found if isinstance(one, kind)), "no answer to be read")
