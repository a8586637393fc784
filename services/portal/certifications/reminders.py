"""Reminders by e-mail before a certification ends: when they are due, and which were sent. Pure."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final

from services.portal.certifications.board import SideRow
from services.portal.certifications.shapes import Reminder
from services.portal.languages import say, say_many
from services.portal.languages.days import day_there, spoken
from services.portal.timeline.lanes import days_lane
from services.portal.timeline.scale import Scale

_KIND: Final = "certification_expiring"
_SENT: Final = frozenset({"sent", "delivered"})
_NEAR: Final = timedelta(days=1)
"""A mail goes out on the day, or on the next where the queue is long or the zone another."""


def reminder_days(expires_on: date, before: Iterable[int], since: date) -> list[date]:
    """The days of reminders of the present end, none before `since`, on which it was set."""
    return sorted(day for days in before if (day := expires_on - timedelta(days=days)) > since)


def reminder_row(days: Iterable[date], mails: Iterable[Reminder], today: date, scale: Scale) -> SideRow | None:
    """The row of reminders: filled where a mail of that day was sent; None where there is nothing to show."""
    sent = {day_there(mail.created_at) for mail in mails if mail.template == _KIND and mail.state in _SENT}
    known = [(day, any(abs(day - other) <= _NEAR for other in sent)) for day in days]
    shown = [(day, was_sent) for day, was_sent in known if was_sent or day >= today]
    if not shown:
        return None
    gone = sum(was_sent for _, was_sent in shown)
    coming = [day for day, was_sent in shown if not was_sent]
    about = say_many("{count} sent.", "{count} sent.", gone) if gone else ""
    if coming:
        about = f"{about} {say('Next on {day}.', day=spoken(coming[0]))}".strip()
    lane = days_lane(((day, "reminded" if was_sent else "reminder") for day, was_sent in shown), scale)
    return SideRow(say("Reminders by e-mail"), about, lane)
