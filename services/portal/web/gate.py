"""Who may go where before the program knows what it wants to know first."""

from typing import Final

from services.portal.web.sessions import Sessions
from services.portal.web.visit import Visit

GATE: Final = "/profile/complete"
_ALWAYS: Final = frozenset(
    {"sign-in", "sign-out", "recover", "activate", "welcome", "account", "security", "cases", "my-data"}
    | {"privacy", "accessibility", "language", "assets", "check", "v", "b", "staff", ".well-known"}
)
"""First parts of addresses that are open to anybody: ways in and out, help, one's own rights, and what is public."""


def is_open(path: str) -> bool:
    """Whether a page is open while something is missing. The pages that change a profile are, and so is the gate."""
    return path.startswith("/profile/") or path.split("/")[1] in _ALWAYS


class Gate:
    """Leads whoever is signed in to what is missing, until nothing is."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def holds_back(self, visit: Visit, path: str) -> bool:
        """Whether the gate comes before a page. Where identity does not answer, nobody is held back."""
        if visit.session is None or visit.session.let_in or is_open(path):
            return False
        profile = await visit.know()
        if profile is None:
            return False
        if profile.missing or profile.confirmation_due:
            return True
        await self._sessions.let_in(visit.session.key)
        return False
