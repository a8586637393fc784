"""Faults of the database: which of them pass, and how a background loop outlives them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from prometheus_client import Counter
from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError
from structlog.typing import FilteringBoundLogger

FAULTS = Counter("certrail_background_database_faults_total", "Database faults in background loops")

_PASSING = frozenset(
    {
        91,  # ShutdownInProgress
        189,  # PrimarySteppedDown
        10107,  # NotWritablePrimary
        11600,  # InterruptedAtShutdown
        11602,  # InterruptedDueToReplStateChange
        13435,  # NotPrimaryNoSecondaryOk
        14031,  # OutOfDiskSpace
    }
)
"""What a server says that cannot work at present, or no longer as primary."""


def is_outage(error: PyMongoError) -> bool:
    """Whether the same may succeed later: there is no primary, or it cannot be reached, or cannot work at present."""
    if isinstance(error, ConnectionFailure) or error.has_error_label("RetryableWriteError"):
        return True
    return isinstance(error, OperationFailure) and error.code in _PASSING


@asynccontextmanager
async def database_faults(log: FilteringBoundLogger) -> AsyncIterator[None]:
    """For loops whose next turn does the same work again; nothing else may use it. The fault is logged and counted."""
    try:
        yield
    except PyMongoError as error:
        FAULTS.inc()
        log.warning("database_fault", cause=type(error).__name__)
