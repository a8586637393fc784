"""Those who work for the program, in words. Pure."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

from services.portal.languages import mark, say
from services.portal.languages.days import minute
from services.portal.staff.kit import Cell, Row
from services.portal.staff.members.shapes import Member
from services.portal.staff.shell import ROLES
from services.portal.web.chips import Chip

ABOUT: Final = {
    "support": mark("Sees candidates and queues, and decides nothing."),
    "reviewer": mark("Sees what support sees, and decides cases, claims, results and parcels."),
    "manager": mark("Decides everything of the program, and says who works for it."),
    "auditor": mark("Sees everything and the audit log, and changes nothing. Has no other role."),
}


def address_of(staff_id: str) -> str:
    return f"/staff/people/{quote(staff_id, safe='')}"


def roles_of(roles: Sequence[str]) -> str:
    return say(", ").join(say(ROLES[role]) if role in ROLES else role for role in roles)


def chip_of(one: Member) -> Chip:
    return Chip("ok", mark("Active")) if one.activated_at else Chip("wait", mark("Invited"))


def row_of(one: Member) -> Row:
    return Row(
        one.staff_id,
        (
            Cell(one.name, second=one.email, href=address_of(one.staff_id), own=True),
            Cell(roles_of(one.roles)),
            Cell(chip=chip_of(one), second=minute(one.activated_at or one.created_at)),
        ),
    )


def choices() -> list[tuple[str, str, str]]:
    """Every role with what it may."""
    return [(role, say(title), say(ABOUT[role])) for role, title in ROLES.items()]
