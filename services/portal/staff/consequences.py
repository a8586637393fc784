"""What a decision would change about certifications, as sentences. Pure."""

from datetime import date
from typing import Final

from pydantic import BaseModel

from services.portal.languages import mark, say
from services.portal.languages.days import spoken


class Side(BaseModel):
    """A certification before or after."""

    status: str
    earned_on: date
    expires_on: date | None = None


class Change(BaseModel):
    certification: str
    kind: str
    before: Side | None = None
    after: Side | None = None
    text: str = ""


class Following(BaseModel):
    """What certs says would follow."""

    as_of: date
    changes: list[Change]


STATES: Final = {
    "active": mark("active"),
    "expired": mark("expired"),
    "emeritus": mark("emeritus"),
    "lifetime_emeritus": mark("emeritus for life"),
    "pending_agreement": mark("waiting for the agreement"),
    "inactive": mark("not active"),
    "suspended": mark("suspended"),
    "revoked": mark("revoked"),
}


_WITHOUT_END: Final = frozenset({"pending_agreement", "inactive", "revoked"})
"""States whose last day says nothing to people."""


def state_of(side: Side | None) -> str:
    """A certification's state and end, for a table of before and after."""
    if side is None:
        return say("not held")
    state = say(STATES.get(side.status, side.status))
    if side.expires_on is None or side.status in _WITHOUT_END:
        return state
    if side.status == "expired":
        return say("expired on {day}", day=spoken(side.expires_on))
    return say("{state}, until {day}", state=state, day=spoken(side.expires_on))


def sentence_of(change: Change) -> str:
    """One change."""
    name, before, after = change.certification, change.before, change.after
    if after is None:
        return say("{certification} is no longer held.", certification=name)
    if before is not None and before.status == after.status and before.expires_on and after.expires_on:
        if before.expires_on != after.expires_on:
            return say(
                "{certification} is {state} until {after} instead of {before}.",
                certification=name,
                state=say(STATES.get(after.status, after.status)),
                after=spoken(after.expires_on),
                before=spoken(before.expires_on),
            )
        return say("{certification} counts from {day}.", certification=name, day=spoken(after.earned_on))
    return say("{certification} becomes {state}.", certification=name, state=state_of(after))


def sentences_of(following: Following) -> list[str]:
    """All changes; one sentence that says so where there are none."""
    if not following.changes:
        return [say("No certification changes.")]
    return [sentence_of(change) for change in following.changes]
