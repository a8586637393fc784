"""The address at which a badge provider says that something has happened.

The provider signs nothing, so the address itself holds a secret, and what is said is taken as a hint only: the badge is
asked for before anything changes.
"""

import hmac
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from libs.common.clock import Clock
from libs.common.errors import Unavailable
from libs.common.http.models import Nothing, View
from libs.common.http.principal import Kind, Principal
from libs.common.http.problems import TOO_MANY_REQUESTS, UNAUTHENTICATED, UNAVAILABLE, Problem
from libs.common.http.routes import PUBLIC, Call, Route
from libs.common.programs import Program
from libs.common.secret_files import Secrets
from services.certs.provider.store import ProviderStore
from services.certs.views import ProgramPath

_WAIT_SECONDS = 60


class HookPath(ProgramPath):
    token: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,200}$")]


class HookBody(BaseModel):
    """An event, as far as it is looked at."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,64}$")]
    event_type: Annotated[str, Field(max_length=100)]
    organization_id: Annotated[str | None, Field(max_length=100)] = None


class HookView(View):
    """What became of an event."""

    taken: bool
    """Whether it is looked into; other events than those of badges are not."""


class HookGuard:
    """Lets in whoever knows the secret in the address."""

    def __init__(self, programs: Mapping[str, Program], secrets: Secrets) -> None:
        self._programs = programs
        self._secrets = secrets

    @property
    def schemes(self) -> Mapping[str, Mapping[str, Any]]:
        text = "The secret that the program's definition names, as the last part of the path."
        return {"badgeProvider": {"type": "apiKey", "in": "query", "name": "token", "description": text}}

    async def admit(self, path: Mapping[str, str], _headers: Mapping[str, str], _body: bytes) -> Principal:
        """The program's provider. A program without one answers like a wrong secret.

        Raises the problems `unauthenticated` and `unavailable`.
        """
        program = self._programs.get(path["program"])
        provider = program.badge_provider if program is not None else None
        if program is None or provider is None or provider.webhook_secret is None:
            raise Problem(UNAUTHENTICATED)
        try:
            secret = self._secrets.get(provider.webhook_secret).get_secret_value()
        except Unavailable as error:
            raise Problem(UNAVAILABLE) from error
        if not hmac.compare_digest(secret.encode(), path["token"].encode()):
            raise Problem(UNAUTHENTICATED)
        return Principal(f"badges:{provider.vendor}", Kind.SYSTEM, programs=frozenset({program.id}))


class HooksApi:
    """The handler of the route below."""

    MOST: ClassVar = 1_000
    """Events that wait to be looked into."""

    def __init__(self, store: ProviderStore, programs: Mapping[str, Program], guard: HookGuard, clock: Clock) -> None:
        self._store = store
        self._programs = programs
        self._guard = guard
        self._clock = clock

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (
            Route(
                method="POST",
                path="/programs/{program}/badge-provider/hooks/{token}",
                handler=self.take_badge_event,
                summary="Something has happened to a badge at its provider",
                parameters=HookPath,
                body=HookBody,
                response=HookView,
                scopes=PUBLIC,
                guard=self._guard,
                errors=(TOO_MANY_REQUESTS, UNAVAILABLE),
            ),
        )

    async def take_badge_event(self, call: Call[HookPath, Nothing, HookBody]) -> HookView:
        """Answers 200 once the event is on disk; again, it changes nothing."""
        program, body = call.path.program, call.body
        provider = self._programs[program].badge_provider
        organization = provider.organization if provider is not None else None
        if not body.event_type.startswith("badge.") or body.organization_id not in {None, organization}:
            return HookView(taken=False)
        if await self._store.count_hooks(program, self.MOST) == self.MOST:
            raise Problem(TOO_MANY_REQUESTS, headers={"Retry-After": str(_WAIT_SECONDS)})
        await self._store.add_hook(program, body.id, self._clock.now())
        return HookView(taken=True)
