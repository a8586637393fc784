"""What a browser gets that others have sent to an API of ours in a way that leads nowhere: a page, no problem in JSON.

A vendor's programs, and tests of them, ask without wanting HTML and get the problem itself.
"""

from collections.abc import Mapping
from typing import Final

PAGE: Final = "/exams/way-back"
"""Of the portal: says that nothing was changed, and where to begin again."""


def page_for(headers: Mapping[str, str], public_url: str) -> str | None:
    """Where a browser is sent on; None for whoever reads problems.

    Args:
        headers: of the request.
        public_url: how people reach us.
    """
    return f"{public_url.rstrip('/')}{PAGE}" if "text/html" in headers.get("Accept", "") else None
