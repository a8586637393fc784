"""The HTTP API of parked messages, the same in every service: which wait and why, one whole, again, and for good.

A message belongs to the programs that its events name. One that names none of ours, or cannot be read, is shown to
callers of all programs alone, under each. What a list shows is about the failure and nobody in particular; whoever
opens a message sees what may be personal data, and that is recorded with whose it was.
"""

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import Field, TypeAdapter, ValidationError

from libs.common.bus.failures import ERROR, FIRST_FAILURE, STACK, TRIES
from libs.common.events.types import Identifier
from libs.common.http.models import Parameters, View
from libs.common.http.paging import Cursor, Page, PageQuery
from libs.common.http.principal import Principal
from libs.common.http.problems import CONFLICT, NOT_FOUND, Problem
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import PARKED_MANAGE
from libs.common.http.server import Api
from libs.common.ids import derived_id
from libs.common.parked.desk import Act, ParkedDesk, order
from libs.common.parked.queue import Homeless, Parked, ParkedQueue, Wanted

LONGEST_BODY: Final = 65_536
"""Characters of a body that are shown; a person reads no more."""
_DEEPEST: Final = 12
"""Levels of an event in which candidates are looked for."""

Why = Literal["handled_otherwise", "repeated", "trial", "no_longer_needed"]
"""Why a message is dropped. It stands in the path, for the audit log keeps paths and no bodies."""

_CURSOR = Cursor("parked-messages", tuple[str, str])
_IDS: Final[TypeAdapter[str]] = TypeAdapter(Identifier)


class ProgramPath(Parameters):
    program: Identifier


class MessagePath(ProgramPath):
    parked_id: Identifier


class DropPath(MessagePath):
    reason: Annotated[Why, Field(description="It was handled otherwise, said again, a trial, or is not needed now")]


class ParkedView(View):
    """A message that the service could not handle."""

    parked_id: str
    """The event's id, which everything that follows from it names as its cause."""
    service: str
    event_type: str | None
    """Null where it cannot be read."""
    routing_key: str
    vendor: str | None
    """Who published it, where that was a vendor."""
    code: str
    """`delivery_limit` where it kept ending whoever had it in hand, so that the broker parked it."""
    cause: str | None
    """The kind of the last failure, without its text."""
    tries: int | None
    first_failure: datetime | None
    last_failure: datetime | None


class ParkedPage(Page[ParkedView]):
    """One page of them, the earliest last failure first."""

    count: int
    """Of all pages."""


class AboutView(View):
    """Whose data a message holds."""

    candidate_id: str


class ParkedDetail(ParkedView):
    """A parked message whole."""

    error: str | None
    """The last failure in its own words."""
    stack: str | None
    about: list[AboutView]
    content_type: str | None
    body: str
    """The first 65,536 characters."""
    truncated: bool


class SettledView(View):
    """What was done with a message."""

    parked_id: str
    done: Literal["replayed", "dropped"]


class ParkedApi:
    """Handlers of the routes below.

    Args:
        desk: where the service's parked messages are.
        programs: all that there are.
    """

    def __init__(self, desk: ParkedDesk, programs: Collection[str]) -> None:
        self._desk = desk
        self._programs = programs

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        messages = "/programs/{program}/parked-messages"
        return (
            Route(
                method="GET",
                path=messages,
                handler=self.list_parked_messages,
                summary="Messages that this service could not handle, the earliest failure first",
                parameters=ProgramPath,
                query=PageQuery,
                response=ParkedPage,
                scopes=PARKED_MANAGE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path=messages + "/{parked_id}",
                handler=self.show_parked_message,
                summary="One of them, with its body and the failure",
                parameters=MessagePath,
                response=ParkedDetail,
                scopes=PARKED_MANAGE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="POST",
                path=messages + "/{parked_id}/replay",
                handler=self.replay_parked_message,
                summary="Give it back to the queue that it failed in, as for its first try",
                parameters=MessagePath,
                response=SettledView,
                scopes=PARKED_MANAGE,
                errors=(NOT_FOUND, CONFLICT),
                idempotent=True,
            ),
            Route(
                method="POST",
                path=messages + "/{parked_id}/drop/{reason}",
                handler=self.drop_parked_message,
                summary="Drop it for good; the reason goes to the audit log",
                parameters=DropPath,
                response=SettledView,
                scopes=PARKED_MANAGE,
                errors=(NOT_FOUND,),
                idempotent=True,
            ),
        )

    async def list_parked_messages(self, call: Call[ProgramPath, PageQuery]) -> ParkedPage:
        after = _CURSOR.decode(call.query.cursor)
        found = await self._desk.read(self._seen(call.principal, call.path.program))
        rows = [each for each in found if after is None or order(each) > after]
        page = _CURSOR.page(Page[ParkedView], rows, call.query.limit, key=order, show=_view)
        return ParkedPage(items=page.items, next=page.next, count=len(found))

    async def show_parked_message(self, call: Call[MessagePath]) -> ParkedDetail:
        found = await self._desk.read(self._meant(call))
        if not found:
            raise Problem(NOT_FOUND)
        return _detail(found[0])

    async def replay_parked_message(self, call: Call[MessagePath]) -> SettledView:
        try:
            return await self._settle(call, ParkedQueue.replay, "replayed")
        except Homeless:
            raise Problem(CONFLICT, "it does not say which queue it failed in; it can only be dropped") from None

    async def drop_parked_message(self, call: Call[DropPath]) -> SettledView:
        return await self._settle(call, ParkedQueue.drop, "dropped")

    async def _settle(self, call: Call[Any], act: Act, done: Literal["replayed", "dropped"]) -> SettledView:
        parked = await self._desk.settle(self._meant(call), act)
        if parked is None:
            raise Problem(NOT_FOUND)
        return SettledView(parked_id=_name(parked), done=done)

    def _meant(self, call: Call[Any]) -> Wanted:
        seen = self._seen(call.principal, call.path.program)
        return lambda parked: _name(parked) == call.path.parked_id and seen(parked)

    def _seen(self, principal: Principal, program: str) -> Wanted:
        """Which messages a caller may see under a program. Raises `not-found` for a program that is not theirs."""
        principal.require_program(program)
        if program not in self._programs:
            raise Problem(NOT_FOUND)

        def seen(parked: Parked) -> bool:
            named = {each.get("program") for each in parked.events}
            if named and named <= set(self._programs):
                return program in named and named <= principal.programs
            return principal.programs >= set(self._programs)

        return seen


def with_parked(api: Api, desk: ParkedDesk, programs: Collection[str]) -> Api:
    """A service's API with the routes of its parked messages."""
    return replace(api, routes=(*api.routes, *ParkedApi(desk, programs).routes()))


def _name(parked: Parked) -> str:
    """The event's id; where its sender chose one that fits no address, one made from it."""
    try:
        return _IDS.validate_python(parked.id)
    except ValidationError:
        return derived_id("parked", parked.id)


def _view(parked: Parked) -> ParkedView:
    return ParkedView(**_shown(parked))


def _shown(parked: Parked) -> dict[str, Any]:
    types = [each["type"] for each in parked.events if isinstance(each.get("type"), str)]
    tries = parked.header(TRIES)
    return {
        "parked_id": _name(parked),
        "service": parked.service,
        "event_type": types[0] if types else None,
        "routing_key": parked.routing_key,
        "vendor": parked.vendor,
        "code": parked.code,
        "cause": (parked.header(ERROR) or "").partition(":")[0] or None,
        "tries": None if tries is None else int(tries),
        "first_failure": parked.header(FIRST_FAILURE),
        "last_failure": parked.last_failure,
    }


def _detail(parked: Parked) -> ParkedDetail:
    body = parked.message.body.decode("utf-8", errors="backslashreplace")
    whose = dict.fromkeys(_candidates(parked.events, _DEEPEST))
    return ParkedDetail(
        **_shown(parked),
        error=parked.header(ERROR),
        stack=parked.header(STACK),
        about=[AboutView(candidate_id=each) for each in whose],
        content_type=parked.message.content_type,
        body=body[:LONGEST_BODY],
        truncated=len(body) > LONGEST_BODY,
    )


def _candidates(content: Any, levels: int) -> Iterator[str]:
    """The candidates whom an event names, at whatever level."""
    if levels == 0:
        return
    if isinstance(content, list):
        for each in content:
            yield from _candidates(each, levels - 1)
    elif isinstance(content, dict):
        for name, value in content.items():
            if name == "candidate_id" and isinstance(value, str):
                yield value
            else:
                yield from _candidates(value, levels - 1)
