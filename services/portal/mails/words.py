"""What became of a mail, and what to do about it. Pure."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydantic import BaseModel

from services.portal.languages import mark, say
from services.portal.languages.days import day_there, spoken
from services.portal.web.chips import Chip

_NUMBER: Final = re.compile(r"M?([0-9A-F]{4})([0-9A-F]{4})")

_CHIPS: Final = {
    "sent": Chip("ok", mark("Sent")),
    "delivered": Chip("ok", mark("Delivered")),
    "bounced": Chip("bad", mark("Came back")),
    "refused": Chip("bad", mark("Came back")),
    "complained": Chip("warn", mark("Reported as unwanted")),
    "waiting": Chip("wait", mark("Waiting")),
    "queued": Chip("wait", mark("Waiting")),
    "sending": Chip("wait", mark("Waiting")),
    "withheld": Chip("off", mark("Not sent")),
    "suppressed": Chip("off", mark("Not sent")),
}
_TEXTS: Final = {
    "sent": mark("Your mail server took it. If you don't find it, look among unwanted mails."),
    "delivered": mark("It is in your mailbox. If you don't find it, look among unwanted mails."),
    "bounced": mark("Your mailbox didn't take it. Check the address, or give us another one."),
    "refused": mark("Your mail server refused it. Check the address, or give us another one."),
    "complained": mark("It was reported as unwanted, so we stopped writing to this address."),
    "waiting": mark("It goes out within a few minutes."),
    "queued": mark("It goes out within a few minutes."),
    "sending": mark("It goes out within a few minutes."),
    "withheld": mark("Not sent because you chose not to get mails of this kind, or because it was overtaken."),
    "suppressed": mark("Not sent because earlier mails to this address came back. Give us another one."),
}
_ADDRESS: Final = frozenset({"bounced", "refused", "complained", "suppressed"})
"""States that another address helps against."""


class Suppression(BaseModel):
    address: str
    reason: str
    since: datetime


class Address(BaseModel):
    """Whether mails are sent to the candidate."""

    suppression: Suppression | None


@dataclass(frozen=True, slots=True)
class State:
    """Attributes: `elsewhere`, whether another address would help."""

    chip: Chip
    text: str
    elsewhere: bool


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why nothing is sent any more, and what to do."""

    title: str
    text: str


def state_of(state: str) -> State:
    """What became of a mail."""
    chip = _CHIPS.get(state, Chip("off", mark("Not sent")))
    return State(chip, say(_TEXTS.get(state, _TEXTS["withheld"])), state in _ADDRESS)


def trouble_of(address: Address | None) -> Trouble | None:
    """What to tell where nothing is sent to the candidate's address; None where all is well, or not known."""
    if address is None or address.suppression is None:
        return None
    since = spoken(day_there(address.suppression.since))
    title = say("We can't reach you at {email}", email=address.suppression.address)
    if address.suppression.reason == "complained":
        text = say("A mail was reported as unwanted on {day}, so we send none. Give us another address.", day=since)
    else:
        text = say("A mail came back on {day}, so we send none. Give us another address.", day=since)
    return Trouble(title, text)


def mail_number(typed: str) -> str | None:
    """The number of a mail as somebody types it: any case, with or without its dash; None where it is none."""
    found = _NUMBER.fullmatch(re.sub(r"[\s\-\u2010-\u2015]", "", typed).upper())
    return f"{found[1]}-{found[2]}" if found else None
