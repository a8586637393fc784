"""Hooks and their messages in words. Pure."""

from typing import Final
from urllib.parse import quote

from markupsafe import Markup

from services.portal.languages import mark, say, say_many
from services.portal.languages.days import minute
from services.portal.staff.hooks.shapes import Delivery, Hook
from services.portal.staff.kit import Cell, Row
from services.portal.staff.people import Names
from services.portal.web.chips import Chip

STATES: Final = {
    "active": Chip("ok", mark("Active")),
    "paused": Chip("wait", mark("Paused")),
    "off": Chip("bad", mark("Switched off")),
}
DELIVERIES: Final = {
    "waiting": Chip("wait", mark("Waiting")),
    "sending": Chip("wait", mark("Being sent")),
    "delivered": Chip("ok", mark("Taken")),
    "dead": Chip("bad", mark("Never taken")),
}
_OFF: Final = {
    "failing": mark("It was switched off because nothing was taken for days."),
    "gone": mark("It was switched off because the receiver said that it wants no more."),
}


def address_of(hook_id: str) -> str:
    return f"/staff/hooks/{quote(hook_id, safe='')}"


def chip_of(hook: Hook) -> Chip:
    if hook.state == "active" and hook.failures:
        return Chip("warn", mark("Failing"))
    return STATES.get(hook.state, Chip("off", hook.state))


def standing(hook: Hook) -> str:
    """How it does, in a sentence."""
    if hook.state == "off":
        return say(_OFF.get(hook.off_because or "", _OFF["failing"]))
    if hook.state == "paused":
        return say("Nothing is sent while it is paused; it is kept, and sent later.")
    if hook.failures:
        return say_many("The last try failed.", "The last {count} tries failed.", hook.failures)
    return say("What was sent last was taken.")


def row_of(hook: Hook) -> Row:
    return Row(
        hook.hook_id,
        (
            Cell(hook.description, second=hook.url, href=address_of(hook.hook_id)),
            Cell(chip=chip_of(hook), second=standing(hook)),
            Cell(say_many("{count} kind of event", "{count} kinds of events", len(hook.events))),
        ),
    )


def facts_of(hook: Hook, names: Names) -> list[tuple[str, str | Markup]]:
    """What the page says of a hook, beside its state."""
    found: list[tuple[str, str | Markup]] = [
        (say("Address"), hook.url),
        (say("Events"), say(", ").join(hook.events)),
        (
            say("Personal data"),
            say("Names, addresses and reasons are told too") if hook.personal_data else say("Left out"),
        ),
        (say("Made on"), minute(hook.created_at)),
        (say("Made by"), names.of(hook.created_by)),
    ]
    if hook.failing_since:
        found.append((say("Failing since"), minute(hook.failing_since)))
    if hook.last_error:
        found.append((say("Last error"), hook.last_error))
    old = next((one.valid_until for one in hook.secrets if one.valid_until), None)
    if old:
        found.append((say("The secret of before signs until"), minute(old)))
    return found


def delivery_chip(one: Delivery) -> Chip:
    return DELIVERIES.get(one.state, Chip("off", one.state))


def answer_of(one: Delivery) -> str:
    """What the last try came to."""
    last = one.tries[-1] if one.tries else None
    if last is None:
        return say("Not tried yet")
    return last.error or (say("Answer {status}", status=last.status) if last.status is not None else say("No answer"))
