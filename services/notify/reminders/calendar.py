"""The calendar file of a reminder (RFC 5545, published as RFC 5546 has it): the last active days, a whole day each.

An entry keeps its UID for as long as the certification is held by the same person, and a later mail's file has a
higher SEQUENCE, so in calendars the entry moves where the day has moved.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from libs.common.ids import derived_id
from libs.common.programs import Program

FILENAME = "expiry.ics"
MEDIA_TYPE = "text/calendar; charset=utf-8; method=PUBLISH"
ALARMS = (timedelta(days=-14), timedelta(days=-1))
"""Before the last active day. The program's own reminders come by mail, and these beside them."""
_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
"""SEQUENCE counts minutes since then: it grows from mail to mail, and stays within 31 bits for four thousand years."""


class _Words(NamedTuple):
    """What an entry says, where `{title}` is the certification's."""

    summary: str
    description: str


_WORDS: Mapping[str, _Words] = {
    "en": _Words(
        "Last active day of {title}",
        "If you renew {title} before this day is over, it goes on without a gap. Your account shows what it takes.",
    ),
    "es": _Words(
        "Último día de vigencia de {title}",
        "Si renuevas {title} antes de que acabe este día, seguirá sin interrupción. En tu cuenta verás qué hace falta.",
    ),
    "ar": _Words(
        "آخر يوم تسري فيه شهادة {title}",
        "إذا جدّدت شهادة {title} قبل نهاية هذا اليوم فستستمر دون انقطاع. يوضح حسابك ما يلزم لذلك.",
    ),
}


def calendar_file(
    program: Program,
    candidate_id: str,
    rows: Iterable[Mapping[str, Any]],
    language: str,
    *,
    written_at: datetime,
    url: str,
) -> bytes:
    """The file with the rows of a reminder, the same bytes for the same rows.

    Args:
        program: the tenant.
        candidate_id: whose mail it is.
        rows: as in the mail, each with `certification` and `expires_on`.
        language: of the mail, by its ISO 639 code.
        written_at: when the mail was made.
        url: where the candidate sees what to do.
    """
    from icalendar import Calendar  # noqa: PLC0415 some megabytes, for the processes that send mails

    words = _WORDS.get(language, _WORDS["en"])
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", "-//Certrail//Notify//EN")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    for row in rows:
        calendar.add_component(_event(program, candidate_id, row, words, written_at, url))
    content: bytes = calendar.to_ical()
    return content


def _event(  # noqa: PLR0917
    program: Program, candidate_id: str, row: Mapping[str, Any], words: _Words, written_at: datetime, url: str
) -> Any:
    from icalendar import Alarm, Event, vCalAddress, vText  # noqa: PLC0415 as above

    day = date.fromisoformat(row["expires_on"])
    moment = written_at.astimezone(UTC).replace(microsecond=0)
    organizer = vCalAddress(f"mailto:{program.branding.sender_email}")
    summary, description = (form.replace("{title}", row["title"]) for form in words)
    organizer.params["CN"] = vText(program.branding.sender_name)
    event = Event()
    event.add("uid", f"{derived_id('expiry', candidate_id, row['certification'])}@{program.id}.certrail")
    event.add("sequence", int((moment - _EPOCH) / timedelta(minutes=1)))
    event.add("dtstamp", moment)
    event.add("dtstart", day)
    event.add("dtend", day + timedelta(days=1))
    event.add("transp", "TRANSPARENT")
    event.add("summary", summary)
    event.add("description", description)
    event.add("url", url)
    event.add("organizer", organizer)
    for before in ALARMS:
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", summary)
        alarm.add("trigger", before)
        event.add_component(alarm)
    return event
