"""Database faults that a background loop outlives: said in the log, counted, and tried again by its next turn."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from prometheus_client import Counter
from pymongo.errors import PyMongoError
from structlog.typing import FilteringBoundLogger

FAULTS = Counter("certrail_background_database_faults_total", "Database faults in background loops")


@asynccontextmanager
async def database_faults(log: FilteringBoundLogger) -> AsyncIterator[None]:
    """For loops whose next turn does the same work again; nothing else may use it."""
    try:
        yield
    except PyMongoError as error:
        FAULTS.inc()
        log.warning("database_fault", cause=type(error).__name__)
