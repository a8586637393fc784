"""What a check has found, and what to do about it."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it must be.

    Attributes:
        check: which invariant is broken; a fixed name.
        service: whose database or queue it shows in.
        what: in words, without personal data.
        subject: the candidate or thing that it is about.
        ids: further ids to look at.
        mend: what to do, as a rule a command.
        severity: `error` where something is lost or stands still, `warning` where somebody should look.
    """

    check: str
    service: str
    what: str
    subject: str
    ids: tuple[str, ...] = ()
    mend: str = ""
    severity: Severity = "error"
