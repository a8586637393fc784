"""What a user did wrong or cannot have now: shown as one line and an exit status, never as a traceback."""

from collections.abc import Iterator

import aiohttp
from aio_pika.exceptions import AMQPError, ProbableAuthenticationError
from pymongo.errors import PyMongoError

from deploy.backup.errors import BackupError
from deploy.broker.management import ManagementError
from deploy.local.processes import StartError
from libs.common.errors import Unavailable

_SURROUNDINGS: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
    ((StartError, ManagementError), "{}"),
    ((PyMongoError,), "the database failed: {}"),
    ((AMQPError, Unavailable), "the broker failed: {}"),
    ((aiohttp.ClientError,), "no answer: {}"),
    ((TimeoutError,), "it took too long"),
    ((ConnectionError, FileNotFoundError, IsADirectoryError, PermissionError), "{}"),
)

FAILED = 1
"""Exit status: the command did its work and the outcome is bad, or it could not do it."""


class CliError(Exception):
    """Ends the command with a message for its user.

    Attributes:
        hint: what to do about it, on a line of its own.
        status: the exit status.
    """

    def __init__(self, message: str, *, hint: str | None = None, status: int = FAILED) -> None:
        super().__init__(message)
        self.hint = hint
        self.status = status


def explained(error: BaseException) -> CliError | None:
    """The words for a fault of the surroundings; None for a fault of ours, which shall show its traceback."""
    for leaf in _leaves(error):
        if isinstance(leaf, CliError):
            return leaf
        if isinstance(leaf, BackupError):
            return CliError(str(leaf), hint=leaf.hint)
        if (words := _words(leaf)) is not None:
            return CliError(words, hint="`certrail status` shows what runs; `certrail up` starts the rest")
    return None


def _words(error: BaseException) -> str | None:
    if isinstance(error, ProbableAuthenticationError):
        return "the broker does not accept this account"
    for kinds, words in _SURROUNDINGS:
        if isinstance(error, kinds):
            return words.format(str(error) or type(error).__name__)
    return None


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for part in error.exceptions:
            yield from _leaves(part)
    else:
        yield error
