"""What services answer when identity asks for everything they hold about a person; each has an event of its own."""

from typing import Annotated

from pydantic import Field, StringConstraints

from libs.common.events.registry import EventData
from libs.common.events.types import Identifier

PublicKey = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{43}$")]
"""The `x` of an X25519 key (RFC 8037, 2)."""

Sealed = Annotated[str, StringConstraints(min_length=1, max_length=65_536, pattern=r"^[A-Za-z0-9_.-]+$")]
"""A compact JWE (RFC 7516, 7.1)."""


class Part(EventData):
    """A part of an answer. The last one says how many there are, and holds nothing itself."""

    export_id: Identifier
    attempt: Annotated[int, Field(ge=1)]
    """Of the question; each is answered as a whole."""
    number: Annotated[int, Field(ge=1)]
    """From 1 on."""
    sealed: Sealed | None = None
    """A piece of a file, readable to the holder of the export's private key."""
    total: Annotated[int, Field(ge=0)] | None = None
    """How many parts came before this last one."""
