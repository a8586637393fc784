"""Routes whose callers prove themselves by something else than an access token of ours."""

from collections.abc import Mapping
from typing import Any, Protocol

from libs.common.http.principal import Principal


class Guard(Protocol):
    """Lets the callers of a route in."""

    @property
    def schemes(self) -> Mapping[str, Mapping[str, Any]]:
        """OpenAPI's security schemes by name; any one of them is enough."""
        ...

    async def admit(self, path: Mapping[str, str], headers: Mapping[str, str], body: bytes) -> Principal:
        """Who asks, by the path as it was sent and by the body before anything has read it.

        Raises the problem `unauthenticated`.
        """
        ...
