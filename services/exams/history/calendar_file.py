"""Appointments as a calendar file (RFC 5545), published as RFC 5546 has it: one event an appointment."""

from collections.abc import Iterable
from datetime import timedelta

from icalendar import Alarm, Calendar, Event, vCalAddress, vText

from libs.common.programs import Program
from services.exams.history.bookings import Booking
from services.exams.history.entries import local_time

ALARM = timedelta(days=-1)
"""Before the appointment, time enough to find the papers one must show."""


def calendar_file(program: Program, bookings: Iterable[Booking]) -> bytes:
    """The file with these appointments. Times are in UTC, which is right on both sides of any clock change."""
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", "-//Certrail//Exams//EN")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", f"{program.name} exams")
    for booking in bookings:
        calendar.add_component(_event(program, booking))
    content: bytes = calendar.to_ical()
    return content


def _event(program: Program, booking: Booking) -> Event:
    event = Event()
    event.add("uid", f"{booking.key}@{program.id}.certrail")
    event.add("dtstamp", booking.changed_at)
    event.add("last-modified", booking.changed_at)
    event.add("sequence", booking.changes)
    event.add("status", "CANCELLED" if booking.cancelled else "CONFIRMED")
    event.add("dtstart", booking.scheduled_at)
    event.add("summary", f"{program.name} exam {booking.exam_code}" + (f": {booking.title}" if booking.title else ""))
    event.add("description", _description(booking))
    event.add("location", booking.place or ("Online" if booking.delivery == "online" else "Test center"))
    event.add("organizer", _organizer(program))
    if booking.url:
        event.add("url", booking.url)
    if not booking.cancelled:
        event.add_component(_alarm(booking))
    return event


def _description(booking: Booking) -> str:
    lines = [f"Registration {booking.registration_id} at {booking.vendor}."]
    if booking.utc_offset is not None and booking.delivery == "test_center":
        there = local_time(booking.scheduled_at, booking.utc_offset)
        lines.append(f"{there:%H:%M} at the test center ({_zone(booking.utc_offset)}).")
    if booking.cancelled:
        lines.append("This appointment is cancelled.")
    return "\n".join(lines)


def _zone(utc_offset: int) -> str:
    hours, minutes = divmod(abs(utc_offset), 60)
    return f"UTC{'-' if utc_offset < 0 else '+'}{hours:02}:{minutes:02}"


def _organizer(program: Program) -> vCalAddress:
    """Who publishes the event: RFC 5546, 3.2.1 demands it."""
    organizer = vCalAddress(f"mailto:{program.branding.sender_email}")
    organizer.params["CN"] = vText(program.branding.sender_name)
    return organizer


def _alarm(booking: Booking) -> Alarm:
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", f"Exam {booking.exam_code}")
    alarm.add("trigger", ALARM)
    return alarm
