"""Which mail an event calls for, and the few facts that it states; one module for each service that tells.

A mail says less than the event knows: a mailbox is no safe place, so scores stay behind the login.
"""

from collections.abc import Callable, Mapping
from typing import Any

from libs.common.events import EventData
from libs.common.programs import Program
from services.notify.domain.causes import certs, exams, fulfillment, identity
from services.notify.domain.mails import Mail

_WRITERS: Mapping[type[EventData], Callable[[Any, Program], Mail | None]] = {
    **identity.WRITERS,
    **exams.WRITERS,
    **certs.WRITERS,
    **fulfillment.WRITERS,
}

MAIL_EVENTS = tuple(_WRITERS)
"""The events that call for a mail."""


def mail_for(data: EventData, program: Program) -> Mail | None:
    """The mail that an event calls for; None where another event of the same cause calls for it.

    Raises:
        TypeError: for a kind of event that never calls for one.
    """
    write = _WRITERS.get(type(data))
    if write is None:
        raise TypeError(f"no mail is sent for {type(data).__name__}")
    return write(data, program)
