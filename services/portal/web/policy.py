"""What browsers may load and send on our pages."""

from typing import Final
from urllib.parse import urlsplit

POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
"""No script, and no style but ours (Content Security Policy 3)."""


def policy_for(action: str) -> str:
    """The policy of all pages, with a form also to an address outside (Content Security Policy 3, 6.4.1).

    Chromium holds every redirect that follows a form against the policy too, and where one does not fit the button does
    nothing and nobody hears why. Where a vendor's address leads on to, its login or another host of its own, only the
    vendor knows. So the scheme is let through: over https, or for an address of this machine over http.

    Raises:
        ValueError: for what is no such address.
    """
    parts = urlsplit(action)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise ValueError("not an address that forms are sent to")
    return POLICY.replace("form-action 'self'", f"form-action 'self' {parts.scheme}:")
