"""When a candidate is reminded that a certification is about to expire, and of which.

A reminder belongs to one expiry. What has just been awarded, renewed or shortened is told with its new expiry by that
very event, so nothing is reminded of at the moment it moves; from then on the days of the new expiry count.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from services.certs.domain.standing import CertificationStanding, Standing


@dataclass(frozen=True, slots=True)
class Reminder:
    """A certification that expires soon."""

    certification: CertificationStanding
    days_left: int
    """Whole days from the day of the reminder to the last active day."""


def due_reminders(days: Sequence[int], before: Standing, after: Standing) -> list[Reminder]:
    """The reminders whose day has come between two standings, at most one a certification.

    Args:
        days: the program's reminder days, counted back from the last active day.
        before: the standing as it was last told.
        after: the standing now. Where several of a certification's days went by since, one reminder stands for all.
    """
    reminders = []
    for name, entry in after.certifications.items():
        earlier = before.certifications.get(name)
        if entry.expires_on is None or not _same(earlier, entry):
            continue
        if any(before.as_of < day <= after.as_of for day in _reminder_days(days, entry.expires_on)):
            reminders.append(Reminder(entry, (entry.expires_on - after.as_of).days))
    return reminders


def next_reminder(days: Sequence[int], standing: Standing) -> date | None:
    """The first reminder day after `standing.as_of`; None where there is none."""
    today = standing.as_of.toordinal()
    coming = [
        last - each
        for entry in standing.certifications.values()
        if entry.status == "active" and entry.expires_on is not None
        for last in (entry.expires_on.toordinal(),)
        for each in days
        if last - each > today
    ]
    return date.fromordinal(min(coming)) if coming else None


def _same(before: CertificationStanding | None, after: CertificationStanding) -> bool:
    """Whether it is active still, and until the same day."""
    if before is None or before.status != "active" or after.status != "active":
        return False
    return (before.earned_on, before.expires_on) == (after.earned_on, after.expires_on)


def _reminder_days(days: Sequence[int], expires_on: date) -> list[date]:
    ordinal = expires_on.toordinal()
    return [expires_on - timedelta(days=each) for each in days if ordinal > each]
