"""What credentials ask of whoever holds an issuer's keys."""

from collections.abc import Sequence
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


class PublishedKey(Protocol):
    """A key that stands in the issuer's DID document."""

    @property
    def kid(self) -> str: ...


class Signer(Protocol):
    """Signs as a program."""

    async def sign(self, program: str, document: Json) -> Signed: ...

    async def sign_many(self, program: str, documents: Sequence[Json]) -> Sequence[Signed]: ...

    async def public_keys(self, program: str) -> Sequence[PublishedKey]: ...
