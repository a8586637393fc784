"""The HTTP API for following a chain of events to its mails: which there are, and how far each has come."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from libs.common.events.types import Identifier
from libs.common.http.models import Parameters, View
from libs.common.http.names import Names
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import MESSAGES_READ
from libs.common.mongo.client import Document
from services.notify.api import StateName
from services.notify.domain.mails import Template
from services.notify.rendering import Renderer
from services.notify.store import NotifyStore

MOST_MAILS = 100


class MailsQuery(Parameters):
    id: Annotated[Names, Field(description="A mail's, its Message-ID, its event's or its chain's")]
    candidate_id: Annotated[
        Identifier | None, Field(description="Whose; without it, only mails by their own ids are found")
    ] = None


class MailView(View):
    """A mail without its words."""

    message_id: str
    message_id_header: str
    program: str
    candidate_id: str
    template: Template
    state: StateName
    correlation_id: str
    cause_event_id: str
    created_at: datetime
    sent_at: datetime | None
    attempts: int
    error: str | None
    """What the mail server last said against it, or why it was withheld."""


class MailListView(View):
    items: list[MailView]
    """The earliest first."""


class ChainsApi:
    """Handlers of the route below."""

    def __init__(self, store: NotifyStore, renderer: Renderer) -> None:
        self._store = store
        self._renderer = renderer

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (
            Route(
                method="GET",
                path="/mails",
                handler=self.list_mails,
                summary="Mails by what led to them",
                query=MailsQuery,
                response=MailListView,
                scopes=MESSAGES_READ,
            ),
        )

    async def list_mails(self, call: Call[Parameters, MailsQuery]) -> MailListView:
        ids = [_own_id(name) for name in call.query.id]
        rows = await self._store.of_chain(ids, call.query.candidate_id, limit=MOST_MAILS)
        own = [row for row in rows if call.principal.may_see(row["program"], row["candidate_id"])]
        return MailListView(items=[self._view(row) for row in own])

    def _view(self, row: Document) -> MailView:
        heard = row.get("heard") or {"what": row["state"]}
        return MailView.model_validate(
            {
                **row,
                "message_id": row["_id"],
                "message_id_header": self._renderer.message_id(row["_id"], row["program"]),
                "state": heard["what"],
            }
        )


def _own_id(name: str) -> str:
    """A mail's id out of its Message-ID, as a header has it or without the angle brackets."""
    return name.removeprefix("<").removesuffix(">").partition("@")[0]
