"""Events of the certs service: what a candidate holds."""

from datetime import date
from typing import Annotated

from pydantic import Field

from libs.common.events.registry import EventData
from libs.common.events.types import Code, Identifier, Line


class _Certification(EventData):
    candidate_id: Identifier
    certification: Code
    title: Line
    earned_on: date
    expires_on: date | None = None
    """Last active day; None where it never expires."""
    because: Annotated[str, Field(max_length=2000)]
    """The reason as one plain sentence."""


class CertificationAwarded(_Certification, publisher="certs"):
    """A candidate holds a certification they did not hold the moment before."""


class CertificationRenewed(_Certification, publisher="certs"):
    """A certification that is held now lasts longer."""


class CertificationExpiring(_Certification, publisher="certs"):
    """A reminder day of the program has come for a certification that was not renewed meanwhile."""

    days_left: Annotated[int, Field(ge=0, le=36_525)]
    """Whole days from the publisher's day to the last active day."""


class CertificationExpired(_Certification, publisher="certs"):
    """The last active day of a certification is over."""


class CertificationRevoked(_Certification, publisher="certs"):
    """What a certification rested on is void; it counts as never earned, or shorter than before."""
