"""Which mails are gathered into one, when that one is written, and what is still true by then."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Literal
from zoneinfo import ZoneInfo

from libs.common.programs import Program
from services.notify.domain.mails import Template

Rhythm = Literal["daily", "weekly"]
"""How often a candidate wants one mail for all that can wait."""


class Bundle(StrEnum):
    """What becomes one mail."""

    REMINDERS = "reminders"
    """Certifications that expire, as their reminder days fall together."""
    DIGEST = "digest"
    """What can wait, for those who have asked for a summary."""


CAN_WAIT = frozenset({Template.CREDITS_RECORDED, Template.SUBMISSION_ACCEPTED})
"""Good news of low urgency. Results, awards, refusals, cases and everything about the account come at once."""

GATHERABLE = CAN_WAIT | {Template.CERTIFICATION_EXPIRING}
"""What may become part of another mail."""

DIGEST_HOUR = 8
"""Of the program's clock, at which summaries are written: before most people look into their mail."""


def bundle_of(template: Template, rhythm: Rhythm | None) -> Bundle | None:
    """What a mail becomes part of; None for a mail of its own."""
    if template is Template.CERTIFICATION_EXPIRING:
        return Bundle.REMINDERS
    return Bundle.DIGEST if rhythm is not None and template in CAN_WAIT else None


def next_digest(rhythm: Rhythm, program: Program, now: datetime) -> datetime:
    """The next moment at which summaries of this rhythm are written: each morning, or on Mondays."""
    today = program.day_of(now)
    zone = ZoneInfo(program.time_zone)
    days = (today + timedelta(ahead) for ahead in range(9))
    mornings = (
        datetime.combine(day, time(DIGEST_HOUR), zone) for day in days if rhythm == "daily" or not day.weekday()
    )
    return next(morning for morning in mornings if morning > now)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a certification of a candidate stands, by the latest that certs said of it."""

    active: bool
    expires_on: date | None


Standings = Mapping[tuple[str, str], Standing]
"""By candidate and certification."""


@dataclass(frozen=True, slots=True)
class Expiry:
    """One certification that a reminder is about."""

    candidate_id: str
    """Whom certs said it of; another account of the person may go on."""
    certification: str
    title: str
    earned_on: str
    expires_on: str
    because: str

    def row(self, today: date) -> dict[str, Any]:
        """As a mail states it on a day."""
        return {
            "candidate_id": self.candidate_id,
            "certification": self.certification,
            "title": self.title,
            "earned_on": self.earned_on,
            "expires_on": self.expires_on,
            "because": self.because,
            "days_left": (date.fromisoformat(self.expires_on) - today).days,
        }


def expiry_of(row: Mapping[str, Any]) -> Expiry:
    """From what is stored of it, or from a row of a mail that was written before."""
    return Expiry(**{name: row[name] for name in Expiry.__dataclass_fields__})


def still_true(expiries: Iterable[Expiry], standings: Standings, goes_on: str, today: date) -> list[dict[str, Any]]:
    """The rows of a reminder: only what still expires on the day that was said, the earliest first.

    Args:
        expiries: what certs has reminded of.
        standings: of everything that is reminded of, for each account of the person.
        goes_on: the person's account that goes on; what is said of it counts more than what was said of another.
        today: in the program's calendar.
    """
    found: dict[str, Expiry] = {}
    for expiry in expiries:
        keys = ((goes_on, expiry.certification), (expiry.candidate_id, expiry.certification))
        known = next((standings[key] for key in keys if key in standings), None)
        day = date.fromisoformat(expiry.expires_on)
        if known is not None and known.active and known.expires_on == day and day >= today:
            found[expiry.certification] = expiry
    ordered = sorted(found.values(), key=lambda one: (one.expires_on, one.certification))
    return [expiry.row(today) for expiry in ordered]


def reminder_facts(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What a reminder states: how many rows it has, the rows, and beside them what the first one says."""
    return {**rows[0], "count": len(rows), "rows": list(rows)}


def digest_facts(entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What a summary states, in the same way."""
    return {**entries[0], "count": len(entries), "entries": list(entries)}


def entries_of(words: Sequence[tuple[datetime, str]], program: Program) -> list[dict[str, Any]]:
    """The lines of a summary, the latest first."""
    latest_first = sorted(words, key=lambda one: one[0], reverse=True)
    return [{"on": program.day_of(at).isoformat(), "words": said} for at, said in latest_first]
