"""Systems in words. Pure."""

from typing import Final
from urllib.parse import quote

from markupsafe import Markup

from services.portal.languages import mark, say
from services.portal.languages.days import minute, short_day
from services.portal.staff.kit import Cell, Row
from services.portal.staff.people import Names
from services.portal.staff.systems.shapes import System
from services.portal.web.chips import Chip

SCOPES: Final = {
    "benefits:read": mark("Read kits and orders"),
    "certs:read": mark("Read certifications and credits"),
    "certs:review": mark("Decide about claims of credits"),
    "exams:manage": mark("Change exams and vouchers"),
    "exams:read": mark("Read exams and results"),
    "feedback:write": mark("Give in mails that came back"),
    "feeds:write": mark("Give in files of test vendors"),
    "hooks:manage": mark("Change web hooks"),
    "messages:read": mark("Read mails"),
    "operations:read": mark("Read queues and figures"),
    "profile:read": mark("Read profiles"),
    "programs:manage": mark("Change rules and try them"),
}
"""What a system may be given, as identity takes it."""


def address_of(client_id: str) -> str:
    return f"/staff/people/systems/{quote(client_id, safe='')}"


def chip_of(one: System) -> Chip:
    return Chip("off", mark("Disabled")) if one.disabled_at else Chip("ok", mark("Active"))


def used(one: System) -> str | Markup:
    return short_day(one.last_used_on) if one.last_used_on else say("never")


def row_of(one: System) -> Row:
    return Row(
        one.client_id,
        (
            Cell(one.description, second=one.client_id, href=address_of(one.client_id), own=True),
            Cell(chip=chip_of(one)),
            Cell(used(one)),
        ),
    )


def facts_of(one: System, names: Names) -> list[tuple[str, str | Markup]]:
    """What the page says of a system, beside its state."""
    found: list[tuple[str, str | Markup]] = [
        (say("ID"), one.client_id),
        (
            say("What it may do"),
            say(", ").join(say(SCOPES[scope]) if scope in SCOPES else scope for scope in one.scopes),
        ),
        (say("Made on"), minute(one.created_at)),
        (say("Made by"), names.of(one.created_by)),
        (say("Last used"), used(one)),
    ]
    old = next((secret.valid_until for secret in one.secrets if secret.valid_until), None)
    if old and not one.disabled_at:
        found.append((say("The secret of before works until"), minute(old)))
    if one.disabled_at:
        found.append((say("Disabled on"), minute(one.disabled_at)))
    return found
