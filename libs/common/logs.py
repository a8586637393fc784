"""Structured logs: one JSON object a line, with names and ids of things and never anything about a person."""

import logging
import re
import sys
import traceback
from typing import Any

import orjson
import structlog
from structlog.typing import EventDict, ExcInfo, WrappedLogger

from libs.common.errors import Unavailable, Unprocessable

# fmt: off
ALLOWED = frozenset((
    "event", "level", "timestamp", "logger", "service", "role", "exception", "stack",
    "trace_id", "event_id", "event_type", "correlation_id", "message_id", "program", "vendor", "subject",
    "candidate_id", "queue", "exchange", "routing_key", "code", "cause", "error", "count", "size", "tries",
    "step", "delay_seconds", "seconds", "batch", "rejected", "parked", "method", "route", "status",
    "milliseconds", "host", "port", "url_host", "job", "lease", "owner", "migration", "version", "revision",
    "certification", "exam", "template", "state", "signal", "detail", "reason", "path", "kid", "file", "line",
    "kind", "model", "number", "records", "sealed",
))
# fmt: on
"""Keys whose values may be written. Any other value is withheld, so that a careless line cannot leak a name."""

SPEAKABLE = (Unavailable, Unprocessable, OSError, RuntimeError, TypeError, AttributeError, AssertionError, ImportError)
"""Errors whose text speaks of machines and programs. The text of others may quote what people wrote: a failed
validation names its input, a refused write its whole document."""
FRAMES = 30


CHOSEN_BY_OTHERS = ("correlation_id", "message_id")
"""Ids that a vendor or a caller may have chosen."""
_AN_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
"""What an id may look like to be written: no spaces, no address of a person."""


def _withhold(_logger: WrappedLogger, _method: str, entry: EventDict) -> EventDict:
    return {key: value if key in ALLOWED and _is_id(key, value) else "[withheld]" for key, value in entry.items()}


def _is_id(key: str, value: object) -> bool:
    return key not in CHOSEN_BY_OTHERS or value is None or _AN_ID.fullmatch(str(value)) is not None


def _described(error: BaseException) -> dict[str, Any]:
    """An error by its kind, its place and what led to it; never with the values of variables."""
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    entry: dict[str, Any] = {
        "type": type(error).__name__,
        "text": str(error) if isinstance(error, SPEAKABLE) else "[withheld]",
        "frames": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }
    earlier = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if earlier is not None:
        entry["cause"] = _described(earlier)
    if isinstance(error, BaseExceptionGroup):
        entry["parts"] = [_described(part) for part in error.exceptions]
    return entry


def _exception(exc_info: ExcInfo) -> dict[str, Any]:
    return _described(exc_info[1])


def _exception_text(exc_info: ExcInfo) -> str:
    """The same for a terminal."""
    return orjson.dumps(_exception(exc_info), option=orjson.OPT_INDENT_2).decode()


def _dumps(entry: EventDict, **_options: Any) -> str:
    return orjson.dumps(entry, default=str).decode()


def configure_logs(*, level: str, service: str, role: str, human: bool) -> None:
    """Send the process's logs, our own and the libraries', to standard error."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(_exception_text if human else _exception),
        _withhold,
    ]
    renderer: Any = structlog.dev.ConsoleRenderer() if human else structlog.processors.JSONRenderer(_dumps)
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level.upper()),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service, role=role)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
