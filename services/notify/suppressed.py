"""Withholds mails to addresses that nothing is sent to."""

from collections.abc import Mapping, Sequence

from services.notify.feedback.suppressions import Place, Suppressions
from services.notify.letters import Letter
from services.notify.store import State


class Suppressed:
    """As a `Check`. It is of all mails: one to such an address would harm those to every other."""

    def __init__(self, suppressions: Suppressions) -> None:
        self._suppressions = suppressions

    async def withheld(self, letters: Sequence[Letter]) -> Mapping[str, str]:
        found = await self._suppressions.among(None, {_place(letter) for letter in letters})
        return {letter.id: State.SUPPRESSED for letter in letters if _place(letter) in found}


def _place(letter: Letter) -> Place:
    return Place(letter.recipient.candidate_id, letter.recipient.email)
