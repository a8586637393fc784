"""What credentials ask of whoever holds an issuer's keys."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

Json = dict[str, Any]


class Signed(Protocol):
    """A signed document, as it is stored and served for ever."""

    @property
    def document(self) -> bytes: ...

    @property
    def jwt(self) -> str: ...

    @property
    def kid(self) -> str: ...


class Signer(Protocol):
    """Signs as a program."""

    async def sign(self, program: str, document: Json) -> Signed: ...

    async def sign_many(self, program: str, documents: Sequence[Json]) -> Sequence[Signed]: ...


class Keys(Protocol):
    """Knows which keys others may have."""

    async def compromised(self) -> Mapping[str, Sequence[str]]:
        """The compromised keys of each program that has any: what one of them has signed must be signed anew."""
        ...
