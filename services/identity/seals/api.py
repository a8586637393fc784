"""The HTTP API of seals: what the heads of all services' audit logs were, for whoever verifies them."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from libs.common.audit.api import AuditPath
from libs.common.events.types import Code
from libs.common.http.models import View
from libs.common.http.paging import Cursor, Page, PageQuery
from libs.common.http.problems import NOT_FOUND
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import AUDIT_READ
from services.identity.api import entered
from services.identity.seals.store import SealStore

_SEALS = Cursor("audit-seals", tuple[int, str])


class SealsQuery(PageQuery):
    of: Annotated[Code, Field(description="The service whose log was sealed")]
    limit: Annotated[int, Field(ge=1, le=1000, description="Items in a page at most")] = 100
    latest_first: Annotated[bool, Field(description="From the latest back; else from the first on")] = False
    up_to: Annotated[int | None, Field(ge=0, lt=2**53, description="Only of records up to this number")] = None


class SealView(View):
    """The hash that a record had when it was the last one."""

    n: int
    hash: str
    sealed_at: datetime


class SealApi:
    """The handler of the route below."""

    def __init__(self, store: SealStore) -> None:
        self._store = store

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (
            Route(
                method="GET",
                path="/programs/{program}/audit/seals",
                handler=self.list_audit_seals,
                summary="What the heads of a service's audit log were",
                parameters=AuditPath,
                query=SealsQuery,
                response=Page[SealView],
                scopes=AUDIT_READ,
                errors=(NOT_FOUND,),
            ),
        )

    async def list_audit_seals(self, call: Call[AuditPath, SealsQuery]) -> Page[SealView]:
        program, query = entered(call), call.query
        after = _SEALS.decode(query.cursor)
        rows = await self._store.of(
            program,
            query.of,
            after=after,
            limit=query.limit + 1,
            latest_first=query.latest_first,
            up_to=query.up_to,
        )
        return _SEALS.page(
            Page[SealView],
            rows,
            query.limit,
            key=lambda row: (row["n"], row["_id"]),
            show=SealView.model_validate,
        )
