"""What happened to a certification, as a heading has it. Pure."""

from collections.abc import Mapping
from typing import Final

from services.portal.backend.shapes import Line

_KINDS: Final = {
    "awarded": "Awarded",
    "renewed": "Renewed",
    "extended": "Extended",
    "imported": "Taken over from an earlier system",
    "reactivated": "Active again",
    "expired": "Expired",
    "grant": "Granted by staff",
    "revoke": "Revoked",
    "suspend": "Suspended",
    "reinstate": "Reinstated",
    "extend": "Extended by staff",
}


def happened(line: Line) -> str:
    """`Renewed`; what is not known here is said in the service's own word."""
    return _KINDS.get(line.kind, line.kind.replace("_", " ").capitalize())


def happened_to(line: Line, titles: Mapping[str, str]) -> str:
    """The same where it has to be said of which certification."""
    return f"{titles.get(line.certification, line.certification)}: {happened(line).lower()}"
