"""What a mail server's words about a mail that it did not deliver say of the address (RFC 3463)."""

import re
from collections.abc import Collection
from datetime import date, timedelta
from enum import StrEnum

SOFT_DAYS = 5
"""On so many days mails to an address must have come back before nothing more is sent there."""
SOFT_WINDOW = timedelta(days=30)
"""Within this time. Days are counted and not mails, so that one bad evening counts once."""

_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_CODE = re.compile(r"(?<![\d.])([45]\d\d)(?![\d.])")


class Severity(StrEnum):
    """What follows for the address."""

    HARD = "hard"
    """There is no such mailbox, or it takes nothing."""
    SOFT = "soft"
    """It may take mails again. Where it goes on for days, it is as good as hard."""
    NONE = "none"
    """The fault is with this mail, with us, or with a server: nothing is said against the address."""


def status_in(*words: str) -> str | None:
    """The status that some words contain; where several do, the one that says most."""
    found = [match[0] for text in words for match in _STATUS.finditer(text)]
    return next((status for status in found if not status.endswith(".0.0")), found[0] if found else None)


def severity(status: str | None) -> Severity:
    """What an enhanced status code says of the address; None stands for a failure without one."""
    match = _STATUS.fullmatch(status or "5.0.0")
    if match is None:
        raise ValueError("this is no enhanced status code")
    kind, subject, detail = (int(part) for part in match.groups())
    found = _SUBJECTS.get(subject, Severity.NONE)
    found = _DETAILS.get((subject, detail), found)
    if found is Severity.HARD and kind != _PERMANENT:
        return Severity.SOFT
    return found


_PERMANENT = 5
_SUBJECTS = {
    0: Severity.HARD,  # a failure for good that its server has no better word for
    1: Severity.HARD,  # the address
    2: Severity.SOFT,  # the mailbox
    4: Severity.SOFT,  # the way there, or that there is no server any more
}
_DETAILS = {
    (1, 7): Severity.NONE,  # the sender's address, which is ours
    (1, 8): Severity.NONE,
    (1, 9): Severity.NONE,
    (2, 1): Severity.HARD,  # disabled
    (2, 3): Severity.NONE,  # this mail is too long
}


def severity_of_refusal(reason: str) -> Severity:
    """What our own mail server's refusal of a mail says of the address.

    Without an enhanced code it is not taken for final: a server that is set up wrongly refuses every mail so, and one
    bad hour must not suppress everybody.
    """
    status = status_in(reason)
    if status is not None:
        return Severity.SOFT if status.endswith(".0.0") else severity(status)
    code = _CODE.search(reason)
    return Severity.SOFT if code and code[1] in _ABOUT_MAILBOXES else Severity.NONE


_ABOUT_MAILBOXES = frozenset({"450", "452", "550", "551", "552", "553"})
"""RFC 5321, 4.2.3."""


def days_with(days: Collection[str], today: date) -> list[str]:
    """The days on which mails came back, with today and without those too long ago; in order, as ISO 8601 text."""
    first = (today - SOFT_WINDOW).isoformat()
    return sorted({day for day in days if day > first} | {today.isoformat()})


def words_for(what: str, status: str | None) -> str:
    """What a bounce or a complaint means, and what to do, in a sentence or two."""
    if what == "complained":
        return "The mail was reported as unwanted. If that was a mistake, ask support to go on writing."
    match = _STATUS.fullmatch(status or "")
    if match is None:
        return _OTHERWISE
    subject, detail = int(match[2]), int(match[3])
    return _WORDS.get((subject, detail), _SUBJECT_WORDS.get(subject, _OTHERWISE))


_OTHERWISE = "The mail could not be delivered. Check that the address in your profile is right."
_SUBJECT_WORDS = {
    1: "There is no mailbox at this address. Check that the address in your profile is right.",
    2: "The mailbox took no mails. Check that it is in use, or give another address.",
    4: "The mail server of this address could not be reached. If that goes on, give another address.",
    5: "The mail servers did not understand each other. You need do nothing.",
    6: "The mail server could not handle this mail. You need do nothing.",
    7: "The mail server of this address refused the mail. Ask whoever runs your mailbox to let our mails in.",
}
_WORDS = {
    (2, 1): "The mailbox is switched off. Give another address.",
    (2, 2): "The mailbox is full. Make room in it, or give another address.",
}
