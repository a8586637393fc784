"""Which calls go to the audit log, and what is said of each: who, what, about whom, when, with which outcome.

A call is recorded before its answer leaves: without a record there is no answer. A change is recorded twice, when it is
asked for and with its outcome, so that none is without a record whenever a process dies. What candidates read of their
own is not recorded. A record holds ids and no personal data: of the query it names the fields and none of the values.
"""

import re
from collections.abc import Awaitable, Callable, Collection, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, Literal, Protocol

import orjson
from aiohttp import hdrs, web

from libs.common.http.files import SHOWN
from libs.common.http.principal import Kind, Principal
from libs.common.http.problems import Problem
from libs.common.http.responses import TRACEPARENT
from libs.common.http.routes import PUBLIC, Route
from libs.common.tracing import trace_id

WITHHELD: Final = "withheld"
"""Stands for what a caller wrote in the place of an id and that looks like none: it may be an address for mail."""

_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,100}")
_NAMES_CANDIDATES: Final = ("candidate_id", "merged_id", "held_by")
"""Fields of answers that say whose data they show."""
_MOST_FIELDS: Final = 20

Step = Literal["asked", "answered"]


@dataclass(frozen=True, slots=True)
class Access:
    """What one call did, as one program's log tells it.

    Attributes:
        actor: the subject of the token.
        about: the path parameters, but for the program.
        candidates: whose data it was about, by the path and by the answer.
        query: names of the query parameters given.
        step: `asked` for a change that is about to be tried, `answered` for anything with its outcome.
        status: of the answer; 0 where there is none yet.
    """

    actor: str
    kind: str
    operation: str
    method: str
    about: dict[str, str]
    candidates: list[str]
    query: list[str]
    step: Step
    status: int
    trace: str


class Trail(Protocol):
    """Keeps records."""

    @property
    def programs(self) -> Collection[str]:
        """The programs that have a log of their own."""
        ...

    async def write(self, program: str, access: Access) -> None:
        """Return once the record is kept. Raises `Unavailable`."""
        ...


class RouteAudit:
    """Records the calls of one route."""

    def __init__(self, trail: Trail, route: Route[Any, Any, Any, Any]) -> None:
        self._trail = trail
        self._route = route

    def concerns(self, principal: Principal, request: web.Request) -> bool:
        """Whether a call is recorded: all of others, and of candidates the changes and tries at what is not theirs."""
        if not self._route.audited or self._route.scopes is PUBLIC:
            return False
        if principal.kind is not Kind.CANDIDATE or self._route.changes:
            return True
        return request.match_info.get("candidate_id", principal.candidate_id) != principal.candidate_id

    async def answered(
        self, request: web.Request, principal: Principal, answer: Callable[[], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """The answer, recorded. What fails on our side is not: it tells nobody anything."""
        if self._route.changes:
            await self._write(request, principal, "asked", 0, None)
        try:
            response = await answer()
        except Problem as problem:
            if problem.kind.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                await self._write(request, principal, "answered", problem.kind.status, None)
            raise
        await self._write(request, principal, "answered", response.status, _content(response))
        return response

    async def _write(self, request: web.Request, principal: Principal, step: Step, status: int, content: Any) -> None:
        path = {name: value for name, value in request.match_info.items() if name != "program"}
        shown = set(_shown(content, None))
        for program in self._programs(request, principal, {program for program, _ in shown}):
            candidates = {candidate for where, candidate in shown if where in {None, program}}
            candidates |= {path[name] for name in _NAMES_CANDIDATES if name in path}
            if principal.candidate_id is not None:
                candidates.add(principal.candidate_id)
            access = Access(
                actor=principal.subject,
                kind=principal.kind.value,
                operation=self._route.operation_id,
                method=self._route.method,
                about={name: _plain(value) for name, value in path.items()},
                candidates=sorted(set(map(_plain, candidates))),
                query=sorted(set(map(_plain, request.query)))[:_MOST_FIELDS],
                step=step,
                status=status,
                trace=trace_id(request[TRACEPARENT]) or "",
            )
            await self._trail.write(program, access)

    def _programs(self, request: web.Request, principal: Principal, shown: Collection[str | None]) -> list[str]:
        """Whose log a call belongs to: the program that is named, else those of the answer, else all of the token."""
        named = request.match_info.get("program") or request.query.get("program")
        if named in self._trail.programs:
            return [str(named)]
        own = [program for program in sorted(principal.programs) if program in self._trail.programs]
        return [program for program in own if program in shown] or own


def _plain(text: str) -> str:
    return text if _ID.fullmatch(text) else WITHHELD


def _content(response: web.StreamResponse) -> Any:
    """The JSON of an answer, also of one that is given again; of a file, whose data it shows."""
    if SHOWN in response:
        return {"candidate_id": response[SHOWN]}
    if not isinstance(response, web.Response) or not isinstance(response.body, bytes):
        return None
    return orjson.loads(response.body) if "json" in response.headers.get(hdrs.CONTENT_TYPE, "") else None


def _shown(content: Any, program: str | None) -> Iterator[tuple[str | None, str]]:
    """The candidates that an answer names, each with the program that stands nearest to it."""
    if isinstance(content, list):
        for item in content:
            yield from _shown(item, program)
    elif isinstance(content, dict):
        own = content.get("program")
        program = own if isinstance(own, str) else program
        for name, value in content.items():
            if name in _NAMES_CANDIDATES and isinstance(value, str):
                yield program, value
            else:
                yield from _shown(value, program)
