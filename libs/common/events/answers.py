"""What vendors are answered on their queues of rejections. Plain JSON, no CloudEvents: nothing has happened."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

PREFIX = "rejections"
"""Of the names of these messages in the bus's document."""


class Fault(BaseModel):
    """One thing that is wrong."""

    path: Annotated[str, Field(description="Where in the event, dotted; empty for the message as a whole")]
    code: str
    message: str


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: Annotated[str, Field(description="The same for the same message")]
    vendor: str
    routing_key: str
    message_id: str | None
    content_type: str | None
    reasons: list[Fault]
    original: Annotated[str, Field(description="The message, its first 65,536 characters")]
    truncated: bool


class MessageRejected(_Answer):
    """A message was refused and has changed nothing."""

    rejected_at: datetime


class DryRunJudged(_Answer):
    """What a message would have done that was sent with `dryrun`."""

    dryrun: Literal[True]
    judged_at: datetime
    verdict: Literal["accepted", "refused"]
    would: Annotated[
        Literal["new", "revised", "changed", "duplicate", "stale", "kept"] | None,
        Field(description="What it would be of a result or an appointment; `kept` of a course. Null where refused"),
    ]
    candidate_known: Annotated[bool | None, Field(description="Whether it would have its candidate at once")]


ANSWERS = (MessageRejected, DryRunJudged)
