"""What a stored case carries along: messages both ways, and who took which step."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Literal

from libs.common.casework.progress import Closed, SecondOpinionNeeded
from libs.common.http.problems import CONFLICT, Problem, ProblemType
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction

SECOND_OPINION = ProblemType("second-opinion-needed", "Somebody else has to decide this too", 409)

MOST_MESSAGES = 200
"""Of one case, both ways."""

Side = Literal["candidate", "staff"]
"""Whose words a message is."""

Step = Callable[[Transaction, Document], Awaitable[None]]


async def taken(step: Step, transaction: Transaction, case: Document) -> None:
    """Take a step, and say as a problem why it cannot be taken."""
    try:
        await step(transaction, case)
    except Closed as error:
        raise Problem(CONFLICT, str(error)) from error
    except SecondOpinionNeeded as error:
        raise Problem(SECOND_OPINION, "the first opinion is yours") from error


def note(  # noqa: PLR0917 as they are read
    case: Document, what: str, by: str, now: datetime, text: str | None = None, decision_id: str | None = None
) -> None:
    """Keep who took a step and when, with a reason or the like."""
    entry: Document = {"what": what, "by": by, "at": now, "note": text}
    case["history"].append(entry if decision_id is None else {**entry, "decision_id": decision_id})


def assign(case: Document, to: str | None, *, by: str, now: datetime) -> None:
    """Give it to somebody, by the subject of their tokens, or to nobody; to whom has it already is no step."""
    if case["assignee"] != to:
        case["assignee"] = to
        note(case, "assigned" if to else "unassigned", by, now, to)


def was_decided_by(case: Document, decision_id: str) -> bool:
    """Whether an opinion that comes again has been noted."""
    return any(each.get("decision_id") == decision_id for each in case["history"])


def written(case: Document, message_id: str) -> bool:
    return any(each["message_id"] == message_id for each in case["messages"])


def write(case: Document, message_id: str, *, by: Side, text: str, now: datetime) -> None:
    """Add a message. Raises the problem `conflict` where there are too many."""
    if len(case["messages"]) >= MOST_MESSAGES:
        raise Problem(CONFLICT, f"a case has {MOST_MESSAGES} messages at most")
    case["messages"].append({"message_id": message_id, "by": by, "at": now, "text": text})
