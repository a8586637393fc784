"""What is asked right before each try: which mails must not or need not go any more."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol

import structlog
from pymongo.errors import PyMongoError

from services.notify.letters import Letter, named

UNCHECKED = "unchecked"
"""Why a mail is withheld of which nobody could say whether it may go."""

log = structlog.get_logger(__name__)


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
                reasons.update(await _asked(check, left))
        return reasons


class Together:
    """Several questions asked at once, since each waits for the database. Of two reasons the first one's counts."""

    def __init__(self, *checks: Check) -> None:
        self._checks = checks

    async def withheld(self, letters: Sequence[Letter]) -> Mapping[str, str]:
        """As a `Check`."""
        answers = await asyncio.gather(*(_asked(check, letters) for check in self._checks))
        return {key: reason for answer in reversed(answers) for key, reason in answer.items()}


async def _asked(check: Check, letters: Sequence[Letter]) -> Mapping[str, str]:
    try:
        return await check.withheld(letters)
    except PyMongoError:
        raise
    except Exception as error:  # noqa: BLE001 one mail that cannot be judged must not stop the others
        if len(letters) > 1:
            return {key: reason for letter in letters for key, reason in (await _asked(check, [letter])).items()}
        # The error's own text may hold what the mail says.
        cause = type(error).__name__
        log.error("mail_uncheckable", **named(letters[0]), cause=cause)  # noqa: TRY400 a traceback may hold it as well
        return {letters[0].id: UNCHECKED}
