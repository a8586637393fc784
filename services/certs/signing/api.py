"""The HTTP API of issuers' keys: their public halves for everybody, their lives for the operator."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import Field

from libs.common.events.types import Identifier
from libs.common.http.documents import Document, negotiated
from libs.common.http.models import View
from libs.common.http.paging import Page
from libs.common.http.problems import CONFLICT, NOT_FOUND, Problem
from libs.common.http.routes import PUBLIC, Call, Route
from libs.common.http.scopes import KEYS_MANAGE
from libs.common.programs import Program
from services.certs.public.addresses import Addresses
from services.certs.signing.did import did_document, public_jwk, written
from services.certs.signing.keys import IssuerKeys, PublishedKey
from services.certs.signing.schedule import CACHED, State
from services.certs.views import ProgramPath

D = TypeVar("D", bound=Document)

_CACHE = f"public, max-age={int(CACHED.total_seconds())}"


class KeyPath(ProgramPath):
    kid: Identifier


@dataclass(frozen=True, slots=True, kw_only=True)
class DidDocument(Document):
    media_types: ClassVar[tuple[str, ...]] = ("application/did+json", "application/did+ld+json", "application/json")


@dataclass(frozen=True, slots=True, kw_only=True)
class JwkSet(Document):
    media_types: ClassVar[tuple[str, ...]] = ("application/json", "application/jwk-set+json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Jwk(Document):
    media_types: ClassVar[tuple[str, ...]] = ("application/json", "application/jwk+json")


class IssuerKeyView(View):
    kid: str
    """The public key of Ed25519 as a multibase word; the RSA key beside it is at `/issuers/{program}/keys/{kid}`."""
    state: Annotated[State, Field(description="Published ahead, signing, verifying what it signed, or taken away")]
    published_at: datetime
    signs_from: datetime
    compromised_at: datetime | None


class IssuerKeysApi:
    """Handlers of the routes below."""

    def __init__(self, keys: IssuerKeys, programs: Mapping[str, Program], addresses: Addresses) -> None:
        self._keys = keys
        self._programs = programs
        self._addresses = addresses

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (
            Route(
                method="GET",
                path="/public/issuers/{program}/did.json",
                handler=self.show_issuer,
                summary="The DID document of a program as an issuer",
                parameters=ProgramPath,
                response=DidDocument,
                scopes=PUBLIC,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path="/public/issuers/{program}/jwks.json",
                handler=self.show_issuer_keys,
                summary="The keys that verify a program's tokens",
                parameters=ProgramPath,
                response=JwkSet,
                scopes=PUBLIC,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path="/public/issuers/{program}/keys/{kid}",
                handler=self.show_issuer_key,
                summary="One of them, as tokens name it",
                parameters=KeyPath,
                response=Jwk,
                scopes=PUBLIC,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path="/programs/{program}/issuer-keys",
                handler=self.list_issuer_keys,
                summary="The keys that have signed a program's credentials, or will",
                parameters=ProgramPath,
                response=Page[IssuerKeyView],
                scopes=KEYS_MANAGE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="POST",
                path="/programs/{program}/issuer-keys",
                handler=self.rotate_issuer_keys,
                summary="Publish a new key; it signs once verifiers know it",
                parameters=ProgramPath,
                response=Page[IssuerKeyView],
                status=201,
                scopes=KEYS_MANAGE,
                errors=(NOT_FOUND, CONFLICT),
            ),
            Route(
                method="DELETE",
                path="/programs/{program}/issuer-keys/{kid}",
                handler=self.compromise_issuer_key,
                summary="Take a leaked key away at once; what it signed is signed anew",
                parameters=KeyPath,
                response=None,
                status=204,
                scopes=KEYS_MANAGE,
                errors=(NOT_FOUND,),
            ),
        )

    async def show_issuer(self, call: Call[ProgramPath]) -> DidDocument:
        keys = await self._published(call.path.program)
        content = written(did_document(self._addresses.issuer_did(call.path.program), keys))
        return _shared(DidDocument, call, content)

    async def show_issuer_keys(self, call: Call[ProgramPath]) -> JwkSet:
        keys = await self._published(call.path.program)
        return _shared(JwkSet, call, json.dumps({"keys": [public_jwk(key) for key in keys]}).encode())

    async def show_issuer_key(self, call: Call[KeyPath]) -> Jwk:
        for key in await self._published(call.path.program):
            if key.kid == call.path.kid:
                return _shared(Jwk, call, json.dumps(public_jwk(key)).encode())
        raise Problem(NOT_FOUND)

    async def list_issuer_keys(self, call: Call[ProgramPath]) -> Page[IssuerKeyView]:
        return await self._listed(self._entered(call))

    async def rotate_issuer_keys(self, call: Call[ProgramPath]) -> Page[IssuerKeyView]:
        program = self._entered(call)
        await self._keys.rotate(program)
        return await self._listed(program)

    async def compromise_issuer_key(self, call: Call[KeyPath]) -> None:
        await self._keys.compromise(self._entered(call), call.path.kid)

    def _entered(self, call: Call[Any]) -> str:
        program: str = call.path.program
        call.principal.require_program(program)
        return self._known(program)

    def _known(self, program: str) -> str:
        if program not in self._programs:
            raise Problem(NOT_FOUND)
        return program

    async def _published(self, program: str) -> Sequence[PublishedKey]:
        return await self._keys.published(self._known(program))

    async def _listed(self, program: str) -> Page[IssuerKeyView]:
        return Page[IssuerKeyView](
            items=[
                IssuerKeyView(
                    kid=each.times.kid,
                    state=each.state,
                    published_at=each.times.published_at,
                    signs_from=each.times.signs_from,
                    compromised_at=each.times.compromised_at,
                )
                for each in await self._keys.statuses(program)
            ]
        )


def _shared(kind: type[D], call: Call[Any], content: bytes) -> D:
    media_type = negotiated(call.headers.get("Accept"), kind.media_types) or kind.media_types[0]
    return kind(media_type=media_type, content=content, cache_control=_CACHE, shared=True)
