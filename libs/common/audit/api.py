"""The HTTP API of the audit log, the same in every service; reading it is recorded in it."""

from dataclasses import replace
from typing import Annotated, Any, Literal

import structlog
from pydantic import ConfigDict, Field, ValidationError

from libs.common.audit.trail import AuditTrail
from libs.common.events.types import Identifier
from libs.common.http.models import Parameters, View
from libs.common.http.problems import NOT_FOUND
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import AUDIT_READ
from libs.common.http.server import Api

MOST_RECORDS = 1000

log = structlog.get_logger(__name__)


class AuditPath(Parameters):
    program: Identifier


class AuditQuery(Parameters):
    after: Annotated[int, Field(ge=0, lt=2**53, description="Only records behind this number")] = 0
    limit: Annotated[int, Field(ge=1, le=MOST_RECORDS, description="Records in an answer at most")] = 100
    candidate: Annotated[Identifier | None, Field(description="Only calls about this candidate")] = None
    actor: Annotated[Identifier | None, Field(description="Only calls by this subject of a token")] = None


class RecordView(View):
    """One record, whole: its hash is that of its canonical JSON (RFC 8785) without `hash`."""

    model_config = ConfigDict(extra="allow", strict=True)
    __pydantic_extra__: dict[str, int | str]
    """What was added to a record shows, so that its hash no longer fits."""

    service: str
    program: str
    n: int
    """Numbers of a program's log in a service leave no gap."""
    at: str
    actor: str
    """The subject of the token."""
    kind: str
    """`candidate`, `staff` or `system`."""
    operation: str
    """As in the service's OpenAPI document."""
    method: str
    about: dict[str, str]
    """The ids in the path."""
    candidates: list[str]
    """Whose data it was about, also those that a search has found."""
    query: list[str]
    """Names of the query parameters given; their values are not kept."""
    step: Literal["asked", "answered"]
    """`asked` stands before a change is tried, `answered` for the outcome of anything."""
    status: int
    """Of the answer; 0 before it."""
    trace: str
    prev: str
    """Hash of the record before."""
    hash: str


class RecordsView(View):
    """Records in their order."""

    items: list[RecordView]
    next: int | None
    """What to give as `after` for those that follow; null behind the last one."""


class AuditApi:
    """The handler of the route below."""

    def __init__(self, trail: AuditTrail) -> None:
        self._trail = trail

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (
            Route(
                method="GET",
                path="/programs/{program}/audit",
                handler=self.list_audit_records,
                summary="Who saw and changed what",
                parameters=AuditPath,
                query=AuditQuery,
                response=RecordsView,
                scopes=AUDIT_READ,
                errors=(NOT_FOUND,),
            ),
        )

    async def list_audit_records(self, call: Call[AuditPath, AuditQuery]) -> RecordsView:
        program, query = call.path.program, call.query
        call.principal.require_program(program)
        rows = await self._trail.read(
            program, after=query.after, limit=query.limit + 1, candidate=query.candidate, actor=query.actor
        )
        items = [record for row in rows[: query.limit] if (record := _record(row)) is not None]
        return RecordsView(items=items, next=int(rows[query.limit - 1]["n"]) if len(rows) > query.limit else None)


def with_audit(api: Api, trail: AuditTrail) -> Api:
    """A service's API with the routes of its audit log."""
    return replace(api, routes=(*api.routes, *AuditApi(trail).routes()))


def _record(row: dict[str, Any]) -> RecordView | None:
    """A record; None for what was changed so far that it is none any more, which leaves a gap for whoever verifies."""
    try:
        return RecordView.model_validate(row)
    except ValidationError:
        log.warning("audit_record_unreadable", number=int(row["n"]))
        return None
