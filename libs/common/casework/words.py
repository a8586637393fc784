"""What both sides of a case send and see: words, questions, documents."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from libs.common.events.types import Identifier
from libs.common.http.models import Body, View


def _lines(value: object) -> object:
    """Line breaks as they are kept: forms on the web send two characters for each."""
    return value.replace("\r\n", "\n").replace("\r", "\n") if isinstance(value, str) else value


Text = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=4000, pattern=r"^[^\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]*$"
    ),
    BeforeValidator(_lines),
]
"""What people write to each other: lines without control characters."""


class AnswerBody(Body):
    text: Text


class QuestionBody(Body):
    text: Text
    needs_answer: Annotated[bool, Field(description="Whether the case waits for the candidate")] = True


class AssigneeBody(Body):
    assignee: Annotated[Identifier | None, Field(description="The subject of their tokens; null for nobody")]


class MessageView(View):
    by: Literal["candidate", "staff"]
    at: datetime
    text: str


class EvidenceView(View):
    evidence_id: str
    media_type: str
    """Of the file as it is kept: images are drawn anew as JPEG."""
    bytes: int
    uploaded_at: datetime
    expires_at: datetime
    """It is deleted then at the latest, and when the case is decided or withdrawn."""
