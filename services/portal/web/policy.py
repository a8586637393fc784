"""What browsers may load and send on our pages."""

from typing import Final
from urllib.parse import urlsplit

POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
"""No script, and no style but ours (Content Security Policy 3)."""


def policy_for(action: str) -> str:
    """The policy of all pages, with forms also to the origin of an address (Content Security Policy 3, 6.4.1).

    Raises:
        ValueError: for an address without a host, or one that would say more than its origin.
    """
    parts = urlsplit(action)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise ValueError("not an address that forms are sent to")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = f":{parts.port}" if parts.port else ""
    origin = f"{parts.scheme}://{host}{port}"
    if any(sign in origin for sign in " ;,*'\""):
        raise ValueError("not an address that forms are sent to")
    return POLICY.replace("form-action 'self'", f"form-action 'self' {origin}")
