"""What the roles of staff may do. A token holds the scopes of its holder's roles in one program, and no others."""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from libs.common.http.scopes import (
    ACCOUNTS_MANAGE,
    AUDIT_READ,
    BENEFITS_MANAGE,
    CERTS_DECIDE,
    CERTS_REVIEW,
    EXAMS_DECIDE,
    EXAMS_MANAGE,
    FEEDBACK_WRITE,
    FEEDS_WRITE,
    HOOKS_MANAGE,
    MESSAGES_MANAGE,
    PARKED_MANAGE,
    PRIVACY_MANAGE,
    PRIVACY_REQUEST,
    PROGRAMS_MANAGE,
    READING,
    STAFF_MANAGE,
    VOUCHERS_MANAGE,
)


class Role(StrEnum):
    """What somebody is to a program."""

    SUPPORT = "support"
    REVIEWER = "reviewer"
    MANAGER = "manager"
    AUDITOR = "auditor"


_REVIEWER = READING | CERTS_REVIEW | EXAMS_DECIDE | ACCOUNTS_MANAGE | BENEFITS_MANAGE

SCOPES: Mapping[Role, frozenset[str]] = {
    Role.SUPPORT: READING,
    Role.REVIEWER: _REVIEWER,
    Role.MANAGER: (
        _REVIEWER
        | CERTS_DECIDE
        | PROGRAMS_MANAGE
        | STAFF_MANAGE
        | PRIVACY_REQUEST
        | PRIVACY_MANAGE
        | VOUCHERS_MANAGE
        | FEEDS_WRITE
        | EXAMS_MANAGE
        | MESSAGES_MANAGE
        | HOOKS_MANAGE
        | FEEDBACK_WRITE
        | PARKED_MANAGE
    ),
    Role.AUDITOR: READING | AUDIT_READ,
}


def scopes_of(roles: Iterable[str]) -> frozenset[str]:
    """What these roles allow together. Raises `ValueError` for one that there is not."""
    return frozenset[str]().union(*(SCOPES[Role(role)] for role in roles))


def checked(roles: Iterable[Role]) -> list[Role]:
    """The roles, each once. Raises `ValueError` where an auditor would have another: who watches changes nothing."""
    found = sorted(set(roles))
    if Role.AUDITOR in found and len(found) > 1:
        raise ValueError("an auditor has no other role in the same program")
    return found
