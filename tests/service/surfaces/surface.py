"""A service's API with one of everything behind it, and requests as its OpenAPI document describes them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import aiohttp
from joserfc.jwk import OKPKey

from libs.common.audit.api import with_audit
from libs.common.audit.trail import AuditTrail
from libs.common.bus import topology
from libs.common.http.auth import TokenVerifier
from libs.common.http.jwks import StaticKeys
from libs.common.http.openapi import openapi
from libs.common.http.principal import Kind, Principal
from libs.common.http.scopes import CANDIDATE, KEYS_MANAGE, OPERATOR, VENDORS_MANAGE
from libs.common.http.server import build_app, serve
from libs.common.http.tokens import sign
from libs.common.parked.api import with_parked
from libs.common.parked.desk import ParkedDesk
from libs.common.service import Parts
from tests.service.rig import Base, eventually, kept_answers

KEY = OKPKey.generate_key("Ed25519", parameters={"kid": "sweep"})
PROGRAM, OTHER_PROGRAM = "cisco", "juniper"

Answer = tuple[int, str]
Values = Mapping[str, str]


@dataclass(frozen=True)
class Request:
    """What an operation needs beside its path. Functions are of the values that the seed has found."""

    body: Callable[[Values], Any] | None = None
    query: Callable[[Values], dict[str, str]] = lambda _: {}
    media_type: str = "application/json"


@dataclass(frozen=True)
class Operation:
    """One operation of an OpenAPI document."""

    id: str
    method: str
    path: str
    scopes: frozenset[str] | None
    """None where no access token is asked for."""
    takes_body: bool

    @property
    def is_for_candidates(self) -> bool:
        return self.scopes is not None and self.scopes <= CANDIDATE


@dataclass
class Seed:
    """What lies in a service's database, and how its operations are asked about it."""

    values: dict[str, str]
    """Of path parameters, by their names."""
    requests: Mapping[str, Request]
    """By operation id; one without body and query needs none."""
    marks: frozenset[str]
    """Texts that only the owner's program may ever be shown."""
    session_id: str | None = None
    """The owner's session."""


@dataclass
class Surface:
    """A service that answers."""

    parts: Parts
    base: Base
    seed: Seed = field(default_factory=lambda: Seed({}, {}, frozenset()))
    client: Any = None
    origin: str = ""
    amqp_url: str = ""
    """Of the service's account; only what is parked is looked for there."""

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["Surface"]:
        database, clock = self.base.database, self.base.clock
        trail = AuditTrail(database, self.base.service, {PROGRAM, OTHER_PROGRAM}, clock)
        desk = ParkedDesk(self.base.service, self.amqp_url)
        api = with_parked(with_audit(self.parts.api, trail), desk, trail.programs)
        self.parts = replace(self.parts, api=api)
        verifier = TokenVerifier(StaticKeys(KEY), "certrail", clock)
        app = build_app(self.parts.api, verifier, idempotency=kept_answers(database, clock), trail=trail)
        async with serve(app, "127.0.0.1", 0) as port:
            self.origin = f"http://127.0.0.1:{port}"
            async with aiohttp.ClientSession(self.origin) as self.client:
                yield self

    def document(self) -> dict[str, Any]:
        api = self.parts.api
        return openapi(api.title, api.description, api.version, api.base, api.routes)

    def operations(self) -> Iterator[Operation]:
        for path, methods in self.document()["paths"].items():
            for method, described in methods.items():
                scopes = described["security"]
                yield Operation(
                    id=described["operationId"],
                    method=method.upper(),
                    path=path,
                    scopes=frozenset(scopes[0]["bearer"]) if scopes and "bearer" in scopes[0] else None,
                    takes_body="requestBody" in described,
                )

    def owner(self) -> Principal:
        return candidate(self.seed.values["candidate_id"], self.base, session_id=self.seed.session_id)

    async def events(self, *items: Any) -> None:
        """Let the service take in what other services say."""
        await self._take(topology.events_queue(self.base.service), items)

    async def vendors(self, *items: Any) -> None:
        """Let the service take in what vendors say."""
        await self._take(topology.vendors_queue(self.base.service), items)

    async def _take(self, queue: str, items: tuple[Any, ...]) -> None:
        work = next(each.work for each in self.parts.subscriptions if each.queue == queue)
        await self.base.handle(work, *items)

    async def run(self, job: str) -> None:
        await next(each.run for each in self.parts.jobs if each.name == job)()

    async def in_background(self, look: Callable[[], Awaitable[Any]]) -> None:
        """Let the service's own loops work until there is something to see."""
        stopping = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            for loop in self.parts.background:
                tasks.create_task(loop(stopping))
            await eventually(look, bool)
            stopping.set()

    async def ask(self, operation: Operation, caller: Principal | str | None, **other_values: str) -> Answer:
        """Ask an operation about what the seed has put there; `caller` may be a token."""
        values = {**self.seed.values, **other_values}
        request = self.seed.requests.get(operation.id, Request())
        if operation.takes_body and request.body is None:
            raise LookupError(f"say in the seed what {operation.id} is asked with")
        content: dict[str, Any] = {}
        if request.body is not None:
            made = request.body(values)
            content = {"json": made} if request.media_type == "application/json" else {"data": made}
        return await self.send(
            operation.method,
            operation.path.format_map(values),
            caller,
            media_type=request.media_type if request.body else None,
            params=request.query(values),
            **content,
        )

    async def send(
        self, method: str, path: str, caller: Principal | str | None, *, media_type: str | None = None, **content: Any
    ) -> Answer:
        headers = {"Content-Type": media_type} if media_type else {}
        if caller is not None:
            token = self.token(caller) if isinstance(caller, Principal) else caller
            headers["Authorization"] = f"Bearer {token}"
        response = await self.client.request(method, path, headers=headers, **content)
        assert_guarded(response.headers, told_to_a_caller=caller is not None)
        return response.status, (await response.read()).decode("utf-8", "replace")

    def token(self, principal: Principal) -> str:
        now = self.base.clock.now()
        return sign(principal, KEY, issuer="certrail", token_id="t", now=now, lifetime=timedelta(minutes=15))


def assert_guarded(headers: Mapping[str, str], *, told_to_a_caller: bool) -> None:
    """Whether an answer has the headers that every one of them must have."""
    assert headers["X-Content-Type-Options"] == "nosniff"
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors" in policy
    # The preview of a mail has a mail's own styles; nothing runs in it.
    assert "unsafe" not in policy.replace("style-src 'unsafe-inline'", "")
    assert "script-src" not in policy
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Server"] == "certrail"
    open_to_all = headers.get("Access-Control-Allow-Origin") == "*"
    assert headers["Cross-Origin-Resource-Policy"] == ("cross-origin" if open_to_all else "same-origin")
    if told_to_a_caller:
        assert headers["Cache-Control"] in {"no-store", "private, no-cache"}
        assert not open_to_all


def candidate(candidate_id: str, base: Base, *, program: str = PROGRAM, session_id: str | None = None) -> Principal:
    """A candidate who has just proved who they are."""
    return Principal(
        f"candidate:{candidate_id}",
        Kind.CANDIDATE,
        frozenset({program}),
        CANDIDATE,
        candidate_id,
        session_id=session_id,
        authenticated_at=base.clock.now(),
        acr="second-factor",
    )


def staff(program: str = PROGRAM) -> Principal:
    """Staff of a program who may do everything there."""
    return Principal("staff:ada", Kind.STAFF, frozenset({program}), OPERATOR - KEYS_MANAGE - VENDORS_MANAGE)


def operator() -> Principal:
    """Whoever runs the platform."""
    return Principal("client:operator", Kind.SYSTEM, frozenset({PROGRAM, OTHER_PROGRAM}), OPERATOR)


def without_scopes(principal: Principal) -> Principal:
    return replace(principal, scopes=frozenset())
