"""The HTTP API of notify: every mail that was sent to a candidate, so that a surprising one can be checked."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from libs.common.events.types import Identifier
from libs.common.http.models import Parameters, View
from libs.common.http.paging import Cursor, Page, PageQuery
from libs.common.http.problems import NOT_FOUND, Problem
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import MESSAGES_READ, OPERATIONS_READ
from libs.common.http.server import Api
from libs.common.mongo.client import Document
from services.notify.domain.bounces import words_for
from services.notify.domain.mails import Template
from services.notify.domain.recipients import Recipient
from services.notify.editions.shelf import Shelf
from services.notify.letters import mail_number
from services.notify.rendering import Renderer
from services.notify.rows import known_recipient, wording_of
from services.notify.store import NotifyStore

StateName = Literal[
    "waiting", "queued", "sending", "sent", "refused", "withheld", "suppressed", "delivered", "bounced", "complained"
]
"""The last three are what was heard of a mail after it was sent."""


class CandidatePath(Parameters):
    program: Identifier
    candidate_id: Identifier


class MessagePath(Parameters):
    message_id: Identifier


class MessagesQuery(PageQuery):
    number: Annotated[
        str | None,
        Field(pattern=r"^[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}$", description="Only the mail with this number at its foot"),
    ] = None
    state: Annotated[StateName | None, Field(description="Only mails in this state")] = None
    template: Annotated[Template | None, Field(description="Only mails of this kind")] = None


class ReturnView(View):
    """What was heard of a mail that came back or was complained of."""

    at: datetime
    status: str | None
    """The enhanced status code of whoever sent it back (RFC 3463)."""
    text: str
    """What that means, and what to do."""


class MessageView(View):
    """A mail, as the log shows it."""

    message_id: str
    number: str
    """As it stands at the foot of the mail."""
    program: str
    template: Template
    subject: str
    state: StateName
    created_at: datetime
    sent_at: datetime | None
    """When the mail server accepted it."""
    attempts: int
    doubtful: int = 0
    """Tries of which nobody knows how they ended. The mail was sent again after each, under the same Message-ID."""
    error: str | None
    """What the mail server last said against it, or why it was withheld."""
    event: str | None
    """The event that it was sent for."""
    returned: ReturnView | None
    repeats: str | None
    """The mail that this one repeats, because staff had it sent again."""


class MessageTextView(MessageView):
    """A mail with its words, without the link that opens an account."""

    candidate_id: str
    message_id_header: str
    text: str


class CountView(View):
    template: Template
    state: StateName
    count: int


class TotalsView(View):
    messages: int
    counts: list[CountView]


_LOG = Cursor("notify-messages", tuple[datetime, str])


class NotifyApi:
    """Handlers of the routes below."""

    def __init__(self, store: NotifyStore, renderer: Renderer, shelf: Shelf) -> None:
        self._store = store
        self._renderer = renderer
        self._shelf = shelf

    def api(self, more: Iterable[Route[Any, Any, Any, Any]] = ()) -> Api:
        """The whole API; `more` are routes of other parts of the service."""
        return Api(
            service="notify",
            title="Certrail notify",
            description="The mails sent to candidates, and what became of them.",
            version="1.0.0",
            routes=(
                Route(
                    method="GET",
                    path="/programs/{program}/candidates/{candidate_id}/messages",
                    handler=self.list_messages,
                    summary="The mails sent to a candidate, latest first",
                    parameters=CandidatePath,
                    query=MessagesQuery,
                    response=Page[MessageView],
                    scopes=MESSAGES_READ,
                    errors=(NOT_FOUND,),
                ),
                Route(
                    method="GET",
                    path="/messages/{message_id}",
                    handler=self.show_message,
                    summary="A mail with its words",
                    parameters=MessagePath,
                    response=MessageTextView,
                    scopes=MESSAGES_READ,
                    errors=(NOT_FOUND,),
                ),
                Route(
                    method="GET",
                    path="/totals",
                    handler=self.show_totals,
                    summary="How many mails there are, by template and state",
                    response=TotalsView,
                    scopes=OPERATIONS_READ,
                    audited=False,
                ),
                *more,
            ),
        )

    async def list_messages(self, call: Call[CandidatePath, MessagesQuery]) -> Page[MessageView]:
        call.principal.require(call.path.program, call.path.candidate_id)
        query = call.query
        rows = await self._store.log_of(
            call.path.program,
            call.path.candidate_id,
            before=_LOG.decode(query.cursor),
            limit=query.limit + 1,
            filters=_filters(query),
        )
        await self._fetch(rows)
        return _LOG.page(
            Page[MessageView],
            rows,
            query.limit,
            key=lambda row: (row["created_at"], row["_id"]),
            show=self.view,
        )

    async def show_message(self, call: Call[MessagePath]) -> MessageTextView:
        row = await self._store.message(call.path.message_id)
        if row is None:
            raise Problem(NOT_FOUND)
        call.principal.require(row["program"], row["candidate_id"])
        found = known_recipient(await self._store.recipient(row["candidate_id"]))
        await self._fetch([row])
        words = self._renderer.words(
            Template(row["template"]), row["_id"], row["context"], found or _unknown_recipient(row), wording_of(row)
        )
        return MessageTextView.model_validate(
            {
                **self._fields(row),
                "candidate_id": row["candidate_id"],
                "message_id_header": self._renderer.message_id(row["_id"], row["program"]),
                "text": words.text,
            }
        )

    async def show_totals(self, call: Call) -> TotalsView:
        counts = [CountView.model_validate(row) for row in await self._store.totals(sorted(call.principal.programs))]
        return TotalsView(messages=sum(row.count for row in counts), counts=counts)

    async def _fetch(self, rows: Sequence[Document]) -> None:
        """Have the words at hand that these mails are written in."""
        worded = ((row, wording_of(row)) for row in rows)
        await self._shelf.fetch((row["program"], Template(row["template"]), words) for row, words in worded if words)

    def view(self, row: Document) -> MessageView:
        """A mail as the log shows it."""
        return MessageView.model_validate(self._fields(row))

    def _fields(self, row: Document) -> Document:
        template = Template(row["template"])
        heard = row.get("heard") or {"what": row["state"]}
        came_back = heard["what"] in {"bounced", "complained"}
        return {
            **row,
            "state": heard["what"],
            "event": row.get("cause_event"),
            "returned": {**heard, "text": words_for(heard["what"], heard["status"])} if came_back else None,
            "repeats": row.get("repeats"),
            "message_id": row["_id"],
            "number": mail_number(row["_id"]),
            "subject": self._renderer.subject(template, row["program"], row["_id"], row["context"], wording_of(row)),
        }


_HEARD = ("delivered", "bounced", "complained")


def _filters(query: MessagesQuery) -> Document:
    filters: Document = {}
    if query.number is not None:
        filters["_id"] = {"$regex": "^" + re.sub("-", "", query.number).lower()}
    if query.template is not None:
        filters["template"] = query.template
    if query.state is not None:
        heard = query.state in _HEARD
        filters |= {"heard.what": query.state} if heard else {"state": query.state, "heard.what": {"$nin": _HEARD}}
    return filters


def _unknown_recipient(row: Document) -> Recipient:
    """Stands in for the recipient of a mail that still waits for one: they are addressed by their ID."""
    return Recipient(row["candidate_id"], row["program"], "", row["candidate_id"], "", None, 0)
