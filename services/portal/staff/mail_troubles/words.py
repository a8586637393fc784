"""Suppressed addresses in words. Pure."""

from typing import Final

from services.portal.languages import mark, say
from services.portal.languages.days import minute
from services.portal.staff.kit import Cell, Fact, Row
from services.portal.staff.mail_troubles.shapes import Suppression
from services.portal.web.chips import Chip

REASONS: Final = {
    "bounced": Chip("bad", mark("Came back")),
    "complained": Chip("warn", mark("Reported as unwanted")),
}
_WHY: Final = {
    "bounced": mark("Mails to this address came back for good, so nothing more is sent there."),
    "complained": mark("A mail to this address was reported as unwanted, so nothing more is sent there."),
}


def chip_of(one: Suppression) -> Chip:
    return REASONS.get(one.reason, Chip("off", one.reason))


def why(one: Suppression) -> str:
    return say(_WHY[one.reason]) if one.reason in _WHY else one.reason


def row_of(one: Suppression) -> Row:
    return Row(
        one.candidate_id,
        (
            Cell(one.address, link=True, own=True),
            Cell(one.candidate_id, own=True),
            Cell(chip=chip_of(one)),
            Cell(minute(one.since)),
        ),
    )


def facts_of(one: Suppression) -> list[Fact]:
    return [
        Fact(say("Candidate"), one.candidate_id),
        Fact(say("Since"), minute(one.since)),
        Fact(say("Over the mail"), one.number),
    ]


def follows(one: Suppression) -> list[str]:
    """What lifting does."""
    said = [say("Mails go to {address} again, from the next one on.", address=one.address)]
    if one.reason == "complained":
        return [*said, say("Somebody there reported our mail as unwanted. Lift it only where they ask for it.")]
    return [*said, say("Should they come back again, nothing more is sent there, as now.")]
