"""What every service says of its audit log, each as an event of its own."""

from typing import Annotated

from pydantic import Field

from libs.common.events.registry import EventData
from libs.common.events.types import Moment


class Seal(EventData):
    """The last record of a program's audit log in a service, so that others know what its hash was.

    Fields stand in the events derived from it: `<service>.AuditSealed.v1`.
    """

    n: Annotated[int, Field(ge=1)]
    """The record's number; the log has as many records."""
    hash: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    """SHA-256 of the record, which holds the hash of the one before."""
    sealed_at: Moment
