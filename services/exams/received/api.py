"""The HTTP API for following a vendor's message: when it came, what it turned out to be, whether it still waits."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from libs.common.events.types import Identifier
from libs.common.http.models import Parameters, View
from libs.common.http.names import Names
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import OPERATIONS_READ
from libs.common.mongo.client import Document
from libs.common.programs import Program
from services.exams.received.store import ReceivedStore


class ReceivedQuery(Parameters):
    id: Annotated[Names, Field(description="A message's, a chain's, a result's, a registration's")]
    candidate_id: Annotated[
        Identifier | None, Field(description="Whose; without it, what waits for its candidate or was refused")
    ] = None


class ReasonView(View):
    path: str
    code: str


class ReceivedView(View):
    """One word of a vendor's."""

    kind: Literal["result", "registration", "rejection"]
    state: Literal["taken", "waiting", "refused"]
    """`waiting` for its candidate."""
    program: str | None
    vendor: str
    channel: Literal["bus", "file", "notification", "staff"]
    message_id: str | None
    correlation_id: str | None
    """Where it is not the message's id."""
    key: str | None
    """What our events call the result."""
    registration_id: str | None
    candidate_id: str | None
    said_at: datetime | None
    received_at: datetime
    reasons: list[ReasonView]
    """Why it was refused."""


class ReceivedListView(View):
    items: list[ReceivedView]
    """The earliest first."""


class ReceivedApi:
    """Handlers of the route below."""

    def __init__(self, store: ReceivedStore, programs: Mapping[str, Program]) -> None:
        self._store = store
        self._programs = programs

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (
            Route(
                method="GET",
                path="/received",
                handler=self.list_received,
                summary="Vendors' messages by whatever id is known of them",
                query=ReceivedQuery,
                response=ReceivedListView,
                scopes=OPERATIONS_READ,
            ),
        )

    async def list_received(self, call: Call[Parameters, ReceivedQuery]) -> ReceivedListView:
        names, candidate_id = frozenset(call.query.id), call.query.candidate_id
        programs = sorted(call.principal.programs)
        found: list[ReceivedView] = []
        for row in await self._store.results(names, candidate_id, programs):
            found += _words(row, "result", row["revisions"], names)
        for row in await self._store.registrations(names, candidate_id, programs):
            found += _words(row, "registration", row["history"], names)
        if candidate_id is None:
            everything = call.principal.programs >= self._programs.keys()
            refused = await self._store.rejections(names, None if everything else programs)
            found += [_refused(row) for row in refused]
        return ReceivedListView(items=sorted(found, key=lambda one: one.received_at))


def _words(
    row: Document, kind: Literal["result", "registration"], words: list[Document], names: frozenset[str]
) -> Iterator[ReceivedView]:
    """The words that are meant: those of the message or chain that was named, or all of them."""
    meant = [word for word in words if names & {word["source"]["ref"], word.get("correlation_id")}]
    for word in meant or words:
        yield ReceivedView(
            kind=kind,
            # An appointment nobody has registered yet has no link; it waits for its registration all the same.
            state="waiting" if row["candidate_id"] is None else "taken",
            program=row["program"],
            vendor=row["vendor"],
            channel=word["source"]["kind"],
            message_id=word["source"]["ref"],
            correlation_id=word.get("correlation_id"),
            key=row["_id"] if kind == "result" else None,
            registration_id=row["registration_id"],
            candidate_id=row["candidate_id"],
            said_at=word["said_at"],
            received_at=word["known_at"],
            reasons=[],
        )


def _refused(row: Document) -> ReceivedView:
    return ReceivedView(
        kind="rejection",
        state="refused",
        program=row["program"] or None,
        vendor=row["vendor"],
        channel="bus",
        message_id=row["message_id"],
        correlation_id=None,
        key=None,
        registration_id=None,
        candidate_id=None,
        said_at=None,
        received_at=row["rejected_at"],
        reasons=[ReasonView(path=reason["path"], code=reason["code"]) for reason in row["reasons"]],
    )
