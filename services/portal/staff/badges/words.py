"""The exchange with a badge provider in words, and what trying again does. Pure."""

from typing import Final

from services.portal.languages import mark, say
from services.portal.languages.days import minute
from services.portal.staff.badges.shapes import Provider, Trouble
from services.portal.staff.kit import NONE, Cell, Fact, Number, Row
from services.portal.web.chips import Chip

KINDS: Final = {
    "refused": Chip("bad", mark("Refused there")),
    "revoked_there": Chip("warn", mark("Revoked there")),
    "missing_there": Chip("warn", mark("Missing there")),
}
_MEANS: Final = {
    "refused": mark(
        "The provider refuses what we sent, and says why. Nothing more is sent for this badge until you act."
    ),
    "revoked_there": mark("The provider has revoked the badge, although the credential is valid."),
    "missing_there": mark("The provider doesn't have the badge any more, although the credential is valid."),
}
STATES: Final = {
    "pending": mark("Not accepted by its person yet"),
    "accepted": mark("Accepted by its person"),
    "rejected": mark("Rejected by its person"),
    "revoked": mark("Revoked"),
    "missing": mark("Not there"),
}


def chip_of(one: Trouble) -> Chip:
    return KINDS.get(one.kind, Chip("off", one.kind))


def means(one: Trouble) -> str:
    return say(_MEANS.get(one.kind, _MEANS["refused"]))


def provider_chip(found: Provider) -> Chip:
    if not found.on:
        return Chip("off", mark("Not used"))
    return Chip("bad", mark("Failing")) if found.failures else Chip("ok", mark("Works"))


def standing(found: Provider) -> list[str]:
    """How the exchange goes, in sentences."""
    if not found.on:
        return [say("This program has its badges kept by no provider. They are the platform's alone.")]
    said = []
    if found.failures and found.failing_since is not None:
        since = minute(found.failing_since)
        said.append(say("It has failed since {time}: {reason}", time=since, reason=found.error or NONE))
    if found.silent_until is not None:
        said.append(say("It is left alone until {time}; then one request tries.", time=minute(found.silent_until)))
    if found.compared_at is not None:
        said.append(say("All badges were last compared on {time}.", time=minute(found.compared_at)))
    else:
        said.append(say("The badges have not been compared as a whole yet."))
    return said


def numbers_of(found: Provider) -> list[Number]:
    return [
        Number(found.waiting, say("to be sent or asked")),
        Number(found.trouble, say("waiting for a person")),
    ]


def row_of(one: Trouble) -> Row:
    return Row(
        one.trouble_id,
        (
            Cell(minute(one.since)),
            Cell(one.certification, link=True, own=True),
            Cell(one.candidate_id, own=True),
            Cell(one.text or NONE),
            Cell(chip=chip_of(one)),
        ),
    )


def facts_of(one: Trouble) -> list[Fact]:
    return [
        Fact(say("Certification"), one.certification),
        Fact(say("Credential"), one.credential_id or NONE),
        Fact(say("Badge there"), one.badge_id or NONE),
        Fact(say("Its state"), say(STATES[one.state]) if one.state in STATES else NONE),
        Fact(say("Since"), minute(one.since)),
    ]


def follows(one: Trouble) -> list[str]:
    """What trying it again does."""
    if one.kind == "refused":
        return [
            say("The same step is sent once more, as the credential and the candidate's name are now."),
            say("Mend first what the provider says is wrong: else it comes back here."),
            say("The provider is asked before anything is sent twice, so no second badge comes of it."),
        ]
    return [
        say("A new badge is issued for the credential, in place of the one that is gone."),
        say("The provider may write to the candidate about it."),
        say("If it was revoked there on purpose, talk to the provider first."),
    ]
