"""The routes by which programs say what their systems are to be told, and where."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from libs.common.events.subscribers import personal_fields, subscribable
from libs.common.events.types import Code, Identifier, Line, Moment
from libs.common.http.models import Body, Nothing, Parameters, View
from libs.common.http.paging import Cursor, Page, PageQuery
from libs.common.http.problems import CONFLICT, NOT_FOUND
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import HOOKS_MANAGE
from libs.common.mongo.client import Document
from services.notify.hooks.registry import Registry, between, ids_of
from services.notify.hooks.sending import message_id

State = Literal["active", "paused", "off"]
DeliveryState = Literal["waiting", "sending", "delivered", "dead"]


def _known(key: str) -> str:
    if key not in subscribable():
        raise ValueError("is no event that hooks can be told of")
    return key


TargetUrl = Annotated[str, StringConstraints(max_length=2000, pattern=r"^https?://[^\s\"<>\\^`{|}]+$")]
EventKey = Annotated[Code, AfterValidator(_known), Field(examples=["certs.CertificationAwarded.v1"])]
Events = Annotated[list[EventKey], Field(min_length=1, max_length=200)]
Aware = Annotated[Moment, Field(strict=False)]


class ProgramPath(Parameters):
    program: Identifier


class HookPath(ProgramPath):
    hook_id: Identifier


class HookBody(Body):
    url: Annotated[TargetUrl, Field(description="Where messages go: https, on a server that everybody can reach")]
    events: Events
    description: Annotated[Line, Field(description="Whose it is and what for")]
    personal_data: Annotated[
        bool, Field(description="Whether names, addresses and reasons are told too, or left out of every message")
    ] = False


class HookChange(Body):
    """What is to change; what is not said stays."""

    url: TargetUrl | None = None
    events: Events | None = None
    description: Line | None = None
    personal_data: bool | None = None
    state: Annotated[
        Literal["active", "paused"] | None, Field(description="A paused hook is sent nothing; it gets it later")
    ] = None


class Rotation(Body):
    old_works_hours: Annotated[
        int, Field(ge=0, le=24 * 7, description="Hours for which the secret of before signs too; 0 where it has leaked")
    ] = 24


class Replay(Body):
    """Which messages are sent again: those named, or those of a time."""

    delivery_ids: Annotated[list[Identifier] | None, Field(min_length=1, max_length=200)] = None
    first: Annotated[Aware | None, Field(description="Those that came to be sent from this moment on")] = None
    last: Annotated[Aware | None, Field(description="And before this one")] = None
    only_dead: Annotated[bool, Field(description="Of a time: only those that were never taken")] = True

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.delivery_ids is None) == (self.first is None):
            raise ValueError("say either delivery_ids or first")
        if self.last is not None and self.first is None:
            raise ValueError("last needs first")
        return self


class LogQuery(PageQuery):
    state: Annotated[DeliveryState | None, Field(description="Only those in this state")] = None


class EventView(View):
    event: str
    summary: str
    personal_data: list[str]
    """Fields that are only told where the hook asks for personal data."""


class SecretView(View):
    """A secret, by when it signs. What it is has been shown once."""

    made_at: datetime
    valid_until: datetime | None
    """Null until another follows it."""


class HookView(View):
    hook_id: str
    program: str
    url: str
    events: list[str]
    description: str
    personal_data: bool
    state: State
    off_because: Literal["failing", "gone"] | None
    """Why it was switched off: nothing was taken for days, or the receiver said that it wants no more (410)."""
    secrets: list[SecretView]
    created_at: datetime
    created_by: str
    failures: int
    """In a row, up to now."""
    failing_since: datetime | None
    last_error: str | None


class HookSecretView(HookView):
    """A hook with its new secret, which is shown this once."""

    secret: str


class TryView(View):
    at: datetime
    status: int | None
    """Of the answer; null where there was none."""
    error: str | None
    milliseconds: int


class DeliveryView(View):
    """A message to a hook."""

    delivery_id: str
    message_id: str
    """The `webhook-id` that it carries at every try."""
    event: str
    event_id: str
    state: DeliveryState
    created_at: datetime
    delivered_at: datetime | None
    due_at: datetime | None
    """When it is sent next; null where that is over."""
    attempts: int
    """Since it came to be sent, or was last asked for again."""
    tries: list[TryView]
    """The last ones."""


class ReplayView(View):
    count: int


_LOG = Cursor("notify-hook-log", tuple[datetime, str])


class HooksApi:
    """Handlers of the routes below."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        hooks = "/programs/{program}/hooks"
        return (
            Route(
                method="GET",
                path="/programs/{program}/hook-events",
                handler=self.list_hook_events,
                summary="The events that hooks can be told of",
                parameters=ProgramPath,
                response=Page[EventView],
                scopes=HOOKS_MANAGE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path=hooks,
                handler=self.list_hooks,
                summary="A program's hooks",
                parameters=ProgramPath,
                response=Page[HookView],
                scopes=HOOKS_MANAGE,
                errors=(NOT_FOUND,),
            ),
            # Not idempotent by key: the answer would be kept, and the secret with it.
            Route(
                method="POST",
                path=hooks,
                handler=self.add_hook,
                summary="Make a hook; shows its secret, this once",
                parameters=ProgramPath,
                body=HookBody,
                response=HookSecretView,
                status=201,
                scopes=HOOKS_MANAGE,
                errors=(NOT_FOUND, CONFLICT),
            ),
            Route(
                method="GET",
                path=hooks + "/{hook_id}",
                handler=self.show_hook,
                summary="One hook, and how it does",
                parameters=HookPath,
                response=HookView,
                scopes=HOOKS_MANAGE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="PATCH",
                path=hooks + "/{hook_id}",
                handler=self.change_hook,
                summary="Change a hook, pause it, or switch it on again",
                parameters=HookPath,
                body=HookChange,
                response=HookView,
                scopes=HOOKS_MANAGE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="DELETE",
                path=hooks + "/{hook_id}",
                handler=self.remove_hook,
                summary="Remove a hook, with every message kept for it",
                parameters=HookPath,
                response=None,
                status=204,
                scopes=HOOKS_MANAGE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="POST",
                path=hooks + "/{hook_id}/secrets",
                handler=self.rotate_hook_secret,
                summary="Give a hook a new secret; shows it, this once",
                parameters=HookPath,
                body=Rotation,
                response=HookSecretView,
                status=201,
                scopes=HOOKS_MANAGE,
                errors=(NOT_FOUND, CONFLICT),
            ),
            Route(
                method="POST",
                path=hooks + "/{hook_id}/pings",
                handler=self.ping_hook,
                summary="Send a message that says nothing; the log shows what becomes of it",
                parameters=HookPath,
                response=DeliveryView,
                status=202,
                scopes=HOOKS_MANAGE,
                errors=(NOT_FOUND, CONFLICT),
            ),
            Route(
                method="GET",
                path=hooks + "/{hook_id}/deliveries",
                handler=self.list_deliveries,
                summary="The messages to a hook, latest first",
                parameters=HookPath,
                query=LogQuery,
                response=Page[DeliveryView],
                scopes=HOOKS_MANAGE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="POST",
                path=hooks + "/{hook_id}/replays",
                handler=self.replay_deliveries,
                summary="Send messages again, under the ids that they had",
                parameters=HookPath,
                body=Replay,
                response=ReplayView,
                status=202,
                scopes=HOOKS_MANAGE,
                errors=(NOT_FOUND,),
            ),
        )

    async def list_hook_events(self, call: Call[ProgramPath]) -> Page[EventView]:
        _entered(call)
        return Page[EventView](
            items=[
                EventView(event=key, summary=_summary(model), personal_data=personal_fields(key))
                for key, model in sorted(subscribable().items())
            ]
        )

    async def list_hooks(self, call: Call[ProgramPath]) -> Page[HookView]:
        rows = await self._registry.of_program(_entered(call))
        return Page[HookView](items=[HookView.model_validate(_shown(row)) for row in rows])

    async def add_hook(self, call: Call[ProgramPath, Nothing, HookBody]) -> HookSecretView:
        wanted = call.body.model_dump() | {"events": sorted(set(call.body.events))}
        return _with_secret(*await self._registry.add(_entered(call), wanted, by=call.principal.subject))

    async def show_hook(self, call: Call[HookPath]) -> HookView:
        return HookView.model_validate(_shown(await self._registry.get(_entered(call), call.path.hook_id)))

    async def change_hook(self, call: Call[HookPath, Nothing, HookChange]) -> HookView:
        wanted = {name: value for name, value in call.body.model_dump().items() if value is not None}
        if "events" in wanted:
            wanted["events"] = sorted(set(wanted["events"]))
        return HookView.model_validate(_shown(await self._registry.change(_entered(call), call.path.hook_id, wanted)))

    async def remove_hook(self, call: Call[HookPath]) -> None:
        await self._registry.remove(_entered(call), call.path.hook_id)

    async def rotate_hook_secret(self, call: Call[HookPath, Nothing, Rotation]) -> HookSecretView:
        old_works_for = timedelta(hours=call.body.old_works_hours)
        return _with_secret(*await self._registry.rotate(_entered(call), call.path.hook_id, old_works_for))

    async def ping_hook(self, call: Call[HookPath]) -> DeliveryView:
        return _delivery(await self._registry.ping(_entered(call), call.path.hook_id))

    async def list_deliveries(self, call: Call[HookPath, LogQuery]) -> Page[DeliveryView]:
        query = call.query
        rows = await self._registry.log(
            _entered(call),
            call.path.hook_id,
            state=query.state,
            before=_LOG.decode(query.cursor),
            limit=query.limit + 1,
        )
        return _LOG.page(
            Page[DeliveryView], rows, query.limit, key=lambda row: (row["created_at"], row["_id"]), show=_delivery
        )

    async def replay_deliveries(self, call: Call[HookPath, Nothing, Replay]) -> ReplayView:
        body = call.body
        if body.delivery_ids is not None:
            among = ids_of(body.delivery_ids)
        else:
            # One of both is there: the body's own check.
            among = between(body.first, body.last, only_dead=body.only_dead) if body.first else {}
        return ReplayView(count=await self._registry.again(_entered(call), call.path.hook_id, among))


def _entered(call: Call[Any, Any, Any]) -> str:
    """The program of a path, which the caller may enter. Raises the problem `not-found`."""
    program: str = call.path.program
    call.principal.require_program(program)
    return program


def _summary(model: type) -> str:
    return (model.__doc__ or "").strip().splitlines()[0]


def _shown(row: Document) -> dict[str, Any]:
    secrets = [SecretView(made_at=one["made_at"], valid_until=one["valid_until"]) for one in row["secrets"]]
    return {**row, "hook_id": row["_id"], "secrets": secrets}


def _with_secret(row: Document, secret: str) -> HookSecretView:
    return HookSecretView.model_validate({**_shown(row), "secret": secret})


def _delivery(row: Document) -> DeliveryView:
    more = {
        "delivery_id": row["_id"],
        "message_id": message_id(row["_id"]),
        "due_at": row["due_at"] if row["state"] == "waiting" else None,
    }
    return DeliveryView.model_validate({**row, **more})
