"""The trace that a request belongs to."""

import re

from libs.common.tracing import new_traceparent

HEADER = "traceparent"
_VALID = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def incoming(header: str | None) -> str:
    """The caller's trace, or a new one where the header is missing or wrong (Trace Context level 1, 4.3)."""
    if header is not None and _VALID.fullmatch(header):
        return header
    return new_traceparent()
