"""What is asked right before each try: which mails must not or need not go any more."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from services.notify.letters import Letter


class Check(Protocol):
    """One such question, about several mails at once."""

    async def withheld(self, letters: Sequence[Letter]) -> Mapping[str, str]:
        """The mails that must not go, by their ids, with a word that says why.

        Raises:
            PyMongoError: it cannot be said now; nothing is sent until it can.
        """


class Checks:
    """All of them. What one withholds, the next is not asked about."""

    def __init__(self, *checks: Check) -> None:
        self._checks = checks

    async def withheld(self, letters: Sequence[Letter]) -> Mapping[str, str]:
        reasons: dict[str, str] = {}
        for check in self._checks:
            left = [letter for letter in letters if letter.id not in reasons]
            if left:
                reasons.update(await check.withheld(left))
        return reasons
