"""Two accounts beside each other, and what changes when they become one. Pure."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import quote, urlencode

from markupsafe import Markup

from services.portal.languages import mark, say
from services.portal.languages.days import minute, short_day
from services.portal.staff.candidates.words import alike, likeness
from services.portal.staff.kit import NONE, Cell, Fact, Row
from services.portal.staff.merges.shapes import Account, Change, Held, Pair, Preview
from services.portal.web.vendor_names import vendor_name

APART: Final = "/staff/merges/apart"
"""Where staff say that two accounts are two people's."""
_STATES: Final = {
    "active": mark("active"),
    "expired": mark("expired"),
    "revoked": mark("revoked"),
    "suspended": mark("suspended"),
    "pending_agreement": mark("waiting for the agreement"),
    "emeritus": mark("emeritus"),
    "lifetime_emeritus": mark("for life"),
    "inactive": mark("not active"),
}


def preview_address(ending: str, going_on: str) -> str:
    return f"/staff/merges/preview?{urlencode({'from': ending, 'into': going_on})}"


def apart_address(one: str, other: str) -> str:
    return f"{APART}?{urlencode({'from': one, 'into': other})}"


def row_of(pair: Pair) -> Row:
    """A pair in the queue. The account that was there first goes on, unless staff turn it round."""
    first, second = sorted((pair.one, pair.other), key=lambda side: (side.created_at, side.candidate_id))
    return Row(
        f"{first.candidate_id}-{second.candidate_id}",
        (
            Cell(chip=likeness(pair.score)),
            Cell(first.candidate_id, second=first.name, href=preview_address(second.candidate_id, first.candidate_id)),
            Cell(second.candidate_id, second=second.name, own=True),
            Cell(alike(pair.reasons)),
            Cell(minute(second.created_at)),
        ),
    )


def facts_of(preview: Preview) -> list[Fact]:
    """Both accounts, fact by fact."""
    ends, goes_on = preview.merged.profile, preview.survivor.profile
    return [
        Fact(say("Name"), ends.name, goes_on.name, "name" in preview.reasons),
        _compared(say("E-mail"), ends.email, goes_on.email),
        _compared(say("Country"), ends.country, goes_on.country),
        Fact(say("Account since"), minute(ends.created_at), minute(goes_on.created_at)),
        Fact(say("First sign-in"), _activated(ends), _activated(goes_on)),
        Fact(say("IDs at partners"), _ids(ends), _ids(goes_on)),
    ]


def _compared(name: str, one: str, other: str) -> Fact:
    return Fact(name, one, other, one.casefold() == other.casefold())


def _activated(account: Account) -> str | Markup:
    return minute(account.activated_at) if account.activated_at else say("not yet")


def _ids(account: Account) -> str:
    return say(", ").join(f"{vendor_name(one.system)} {one.external_id}" for one in account.external_ids) or NONE


def change_rows(changes: Sequence[Change]) -> list[Row]:
    """What certifications look like before and after."""
    return [
        Row(
            change.certification,
            (Cell(change.certification), Cell(_held(change.before)), Cell(_held(change.after)), Cell(change.text)),
        )
        for change in changes
    ]


def _held(held: Held | None) -> str:
    if held is None:
        return NONE
    state = say(_STATES[held.status]) if held.status in _STATES else held.status
    if held.expires_on is None:
        return state
    return say("{state}, until {day}", state=state, day=short_day(held.expires_on).striptags())


def follows(preview: Preview) -> list[str]:
    """What a merge does, as identity carries it out."""
    ends, goes_on = preview.merged.profile, preview.survivor.profile
    return [
        say("Everything earned under {ends} moves to {goes_on}.", ends=ends.candidate_id, goes_on=goes_on.candidate_id),
        say("Both IDs still work to sign in. Partners' IDs of both belong to {goes_on}.", goes_on=goes_on.candidate_id),
        say("It is done within a minute, and can be undone at any time: then everything goes back."),
    ]


def view_of(candidate_id: str) -> str:
    return f"/staff/candidates/{quote(candidate_id, safe='')}/ids"
