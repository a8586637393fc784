"""The HTTP API of notifications."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from libs.common.bus import topology
from libs.common.http.models import Nothing, Parameters, View
from libs.common.http.problems import INVALID, MAX_ERRORS, TOO_MANY_REQUESTS, FieldError, Problem
from libs.common.http.routes import PUBLIC, Call, Route
from services.exams.notices.guard import VendorGuard
from services.exams.notices.intake import Answer, Notices
from services.exams.notices.shapes import Notifications

VendorName = Annotated[str, StringConstraints(pattern=f"^{topology.VENDOR_NAME.pattern}$")]


class NotifyingPath(Parameters):
    vendor: VendorName


class FaultView(View):
    path: str
    """Where in the notification, dotted."""
    code: str
    message: str


class NotificationView(View):
    """What became of one notification."""

    id: str | None
    """As it was sent; null where it has none that can be read."""
    verdict: Annotated[
        Literal["new", "revised", "stale", "duplicate", "kept", "refused"],
        Field(description="Of a result what it says of it; `kept` of all else that counts"),
    ]
    reasons: list[FaultView]
    """Why it was refused."""


class NotificationsView(View):
    """What became of each notification of a request, in their order."""

    items: list[NotificationView]


class NoticesApi:
    """Handlers of the routes below."""

    def __init__(self, notices: Notices, guard: VendorGuard) -> None:
        self._notices = notices
        self._guard = guard

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (
            Route(
                method="POST",
                path="/vendors/{vendor}/notifications",
                handler=self.take_notifications,
                summary="Say at once what happened to a result or an appointment",
                parameters=NotifyingPath,
                body=Notifications,
                response=NotificationsView,
                scopes=PUBLIC,
                guard=self._guard,
                errors=(TOO_MANY_REQUESTS,),
            ),
        )

    async def take_notifications(self, call: Call[NotifyingPath, Nothing, Notifications]) -> NotificationsView:
        """Answers 200 once everything is on disk.

        Where something is refused it answers 422: `errors` says what is wrong, `items` what became of each; the others
        are kept. The same `id` again gets the same answer and has no effect.
        """
        answers = await self._notices.take(call.path.vendor, call.principal.programs, call.body.read())
        views = [_view(answer) for answer in answers]
        if any(answer.reasons for answer in answers):
            errors = [fault for place, answer in enumerate(answers) for fault in _faults(place, answer, len(answers))]
            items = {"items": [view.model_dump() for view in views]}
            raise Problem(
                INVALID, "what is refused is listed; all else is kept", errors=errors[:MAX_ERRORS], more=items
            )
        return NotificationsView(items=views)


def _view(answer: Answer) -> NotificationView:
    reasons = [FaultView(**reason._asdict()) for reason in answer.reasons]
    return NotificationView.model_validate({"id": answer.id, "verdict": answer.verdict, "reasons": reasons})


def _faults(place: int, answer: Answer, count: int) -> list[FieldError]:
    """Where in the body; one that was sent alone is the body itself or the only one of a list."""
    begins = "body" if count == 1 else f"body.{place}"
    return [
        FieldError(path=f"{begins}.{reason.path}".rstrip("."), code=reason.code, message=reason.message)
        for reason in answer.reasons
    ]
