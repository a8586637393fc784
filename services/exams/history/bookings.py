"""What a calendar is told of an appointment."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class Booking:
    """An appointment as a calendar shows it.

    Attributes:
        key: `appointment_id`, which names it for ever, whatever becomes of it.
        changes: how often it has changed; a calendar takes the higher number for the newer event.
        changed_at: when it was last known to have changed, in UTC.
        scheduled_at: in UTC.
        utc_offset: minutes that the place is ahead of UTC on that day, where the vendor said so.
        place: None where nothing is known of it.
        url: the vendor's page for changes.
    """

    key: str
    exam_code: str
    title: str | None
    scheduled_at: datetime
    utc_offset: int | None
    delivery: Literal["test_center", "online"]
    place: str | None
    registration_id: str
    vendor: str
    url: str | None
    changes: int
    changed_at: datetime
    cancelled: bool
