"""The HTTP API of what comes back: reports go in; what is suppressed is seen and lifted; a mail is sent again."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

from libs.common.events.types import Identifier
from libs.common.http.files import Upload
from libs.common.http.models import Parameters, View
from libs.common.http.paging import Cursor, Page, PageQuery
from libs.common.http.problems import CONFLICT, INVALID, NOT_FOUND, Problem, invalid
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import FEEDBACK_WRITE, MESSAGES_MANAGE, MESSAGES_READ, OPERATIONS_READ
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import UnitOfWork
from services.notify.api import CandidatePath, MessagePath, MessageView
from services.notify.feedback import reports
from services.notify.feedback.resending import MAIL_NOT_REPEATED, Resending
from services.notify.feedback.returns import Returns, counted
from services.notify.feedback.suppressions import Place, Reason, Suppressions
from services.notify.letters import mail_number
from services.notify.store import NotifyStore

_TEXTS = {
    Reason.BOUNCED: "Mails to this address came back, so nothing more is sent there. "
    "It goes on with another address, or when support says so.",
    Reason.COMPLAINED: "A mail to this address was reported as unwanted, so nothing more is sent there. "
    "It goes on with another address, or when support says so.",
}
_LIST = Cursor("suppressions", tuple[datetime, str])


class ProgramPath(Parameters):
    program: Identifier


class ReportUpload(Upload):
    """A mail that came back, as it arrived."""

    media_types = ("message/rfc822", "application/octet-stream")
    max_bytes = reports.MAX_BYTES


class ReportView(View):
    """What a report says, and of which mail."""

    kind: Literal["delivered", "delayed", "bounced", "complained", "unmatched", "unreadable"]
    """`unmatched` is about no mail of the program, `unreadable` is no report."""
    message_id: str | None


class SuppressionView(View):
    """Why nothing is sent to a candidate's address."""

    candidate_id: str
    address: str
    reason: Reason
    since: datetime
    message_id: str
    """The mail over which it came to that."""
    number: str
    """As it stands at the foot of that mail."""
    text: str


class AddressStateView(View):
    """Whether mails are sent to a candidate."""

    candidate_id: str
    suppression: SuppressionView | None


class FeedbackApi:
    """Handlers of the routes below.

    Args:
        show: a mail as the log shows it.
    """

    def __init__(
        self,
        store: NotifyStore,
        suppressions: Suppressions,
        returns: Returns,
        resending: Resending,
        *,
        unit_of_work: UnitOfWork,
        show: Callable[[Document], MessageView],
    ) -> None:
        self._store = store
        self._suppressions = suppressions
        self._returns = returns
        self._resending = resending
        self._unit_of_work = unit_of_work
        self._show = show

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        of_candidate = "/programs/{program}/candidates/{candidate_id}/suppression"
        return (
            Route(
                method="POST",
                path="/programs/{program}/mail-reports",
                handler=self.take_mail_report,
                summary="Give in a bounce or a complaint, as it arrived",
                parameters=ProgramPath,
                body=ReportUpload,
                response=ReportView,
                scopes=FEEDBACK_WRITE,
                errors=(NOT_FOUND, INVALID),
            ),
            Route(
                method="GET",
                path="/programs/{program}/suppressions",
                handler=self.list_suppressions,
                summary="The addresses that nothing is sent to, latest first",
                parameters=ProgramPath,
                query=PageQuery,
                response=Page[SuppressionView],
                scopes=OPERATIONS_READ | MESSAGES_READ,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path=of_candidate,
                handler=self.show_suppression,
                summary="Whether mails are sent to a candidate, and why not",
                parameters=CandidatePath,
                response=AddressStateView,
                scopes=MESSAGES_READ,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="DELETE",
                path=of_candidate,
                handler=self.lift_suppression,
                summary="Send to a candidate's address again",
                parameters=CandidatePath,
                response=None,
                status=204,
                scopes=MESSAGES_MANAGE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="POST",
                path="/messages/{message_id}/repetitions",
                handler=self.resend_message,
                summary="Send a mail once more",
                parameters=MessagePath,
                response=MessageView,
                status=201,
                scopes=MESSAGES_MANAGE,
                idempotent=True,
                errors=(NOT_FOUND, CONFLICT, MAIL_NOT_REPEATED),
            ),
        )

    async def take_mail_report(self, call: Call[ProgramPath, Any, ReportUpload]) -> ReportView:
        call.principal.require_program(call.path.program)
        if not call.body.content:
            raise invalid("body", "missing", "must be a mail")
        report = reports.read(call.body.content)
        if report is None:
            counted(None, None)
            return ReportView(kind="unreadable", message_id=None)
        mail = await self._unit_of_work.run(
            lambda transaction: self._returns.take(transaction, report, {call.path.program})
        )
        counted(report, mail)
        if mail is None:
            return ReportView(kind="unmatched", message_id=None)
        return ReportView(kind=report.kind.value, message_id=mail["_id"])

    async def list_suppressions(self, call: Call[ProgramPath, PageQuery]) -> Page[SuppressionView]:
        call.principal.require_program(call.path.program)
        before = _LIST.decode(call.query.cursor)
        rows = await self._suppressions.listed([call.path.program], before=before, limit=call.query.limit + 1)
        return _LIST.page(
            Page[SuppressionView], rows, call.query.limit, key=lambda row: (row["since"], row["_id"]), show=_view
        )

    async def show_suppression(self, call: Call[CandidatePath]) -> AddressStateView:
        recipient = await self._recipient(call)
        row = await self._suppressions.at(None, Place(recipient["_id"], recipient["email"]))
        return AddressStateView(candidate_id=recipient["_id"], suppression=_view(row) if row else None)

    async def lift_suppression(self, call: Call[CandidatePath]) -> None:
        recipient = await self._recipient(call)
        if not await self._unit_of_work.run(lambda transaction: self._returns.lift(transaction, recipient["_id"])):
            raise Problem(NOT_FOUND, "nothing stands against this address")

    async def resend_message(self, call: Call[MessagePath]) -> MessageView:
        row = await self._store.message(call.path.message_id)
        if row is None:
            raise Problem(NOT_FOUND)
        call.principal.require(row["program"], row["candidate_id"])
        return self._show(await self._resending.resend(row["_id"], call.operation_id))

    async def _recipient(self, call: Call[CandidatePath]) -> Document:
        """The recipient of a path: the account that goes on, where the one that is named was merged into it."""
        call.principal.require(call.path.program, call.path.candidate_id)
        named = call.path.candidate_id
        owner = (await self._store.merges.survivors(None, [named])).get(named, named)
        row = await self._store.recipient(owner)
        if row is None or "email" not in row or row["program"] != call.path.program:
            raise Problem(NOT_FOUND)
        return row


def _view(row: Document) -> SuppressionView:
    return SuppressionView.model_validate(
        {**row, "number": mail_number(row["message_id"]), "text": _TEXTS[Reason(row["reason"])]}
    )
