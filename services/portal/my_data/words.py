"""Copies of everything that is held, in words. Pure."""

from dataclasses import dataclass
from typing import Final

from services.portal.languages import mark, say, say_many
from services.portal.languages.days import clock_time, day_there, spoken
from services.portal.my_data.shapes import Export
from services.portal.web.chips import Chip

_READY: Final = Chip("ok", mark("Ready"))
_UNDER_WAY: Final = Chip("wait", mark("Being prepared"))
_DELAYED: Final = Chip("warn", mark("Delayed"))


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy in the list.

    Attributes:
        link: where it is downloaded; None while it is prepared.
        have: parts that are there, of `of`; both 0 once it is ready.
    """

    title: str
    chip: Chip
    text: str
    link: str | None
    have: int = 0
    of: int = 0


def export_line(export: Export) -> Copy:
    day = spoken(day_there(export.requested_at))
    title = say("Copy of {day}, {time}", day=day, time=clock_time(export.requested_at))
    if export.state == "ready":
        until = spoken(day_there(export.expires_at)) if export.expires_at else ""
        text = say("One file with a folder for each part. It is deleted on {day}.", day=until)
        return Copy(title, _READY, text, f"/my-data/copy/{export.export_id}")
    have = sum(one.state == "answered" for one in export.services)
    late = sum(one.state == "overdue" for one in export.services)
    if late:
        text = say_many(
            "{count} part isn't answering. We ask again each day and write to you.",
            "{count} parts aren't answering. We ask again each day and write to you.",
            late,
        )
        return Copy(title, _DELAYED, text, None, have, len(export.services))
    text = say("Takes a few seconds, seldom longer. We'll mail you; you can leave this page.")
    return Copy(title, _UNDER_WAY, text, None, have, len(export.services))
