"""The HTTP API of signing keys: their public halves for everybody, their lives for the operator."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from libs.common.events.types import Identifier
from libs.common.http.models import Parameters, View
from libs.common.http.paging import Page
from libs.common.http.problems import CONFLICT, NOT_FOUND
from libs.common.http.routes import PUBLIC, Call, Route
from libs.common.http.scopes import KEYS_MANAGE
from services.identity.signing.keys import SigningKeys


class KeyPath(Parameters):
    kid: Identifier


class KeyView(View):
    kid: str
    state: Annotated[
        Literal["next", "current", "retired"], Field(description="Published ahead, signing, or verifying its last")
    ]
    published_at: datetime
    signs_from: datetime
    retires_at: datetime | None
    """When it is taken away; null until another follows it."""


class KeySetView(View):
    """A JWK set (RFC 7517, 5)."""

    keys: list[dict[str, Any]]


class KeysApi:
    """Handlers of the routes below."""

    def __init__(self, keys: SigningKeys) -> None:
        self._keys = keys

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (
            Route(
                method="GET",
                path="/jwks.json",
                handler=self.show_keys,
                summary="The keys that verify access tokens",
                response=KeySetView,
                scopes=PUBLIC,
            ),
            Route(
                method="GET",
                path="/signing-keys",
                handler=self.list_signing_keys,
                summary="The keys that sign or verify access tokens",
                response=Page[KeyView],
                scopes=KEYS_MANAGE,
            ),
            Route(
                method="POST",
                path="/signing-keys",
                handler=self.rotate_signing_keys,
                summary="Publish a new key; it signs once every service knows it",
                response=Page[KeyView],
                status=201,
                scopes=KEYS_MANAGE,
                errors=(CONFLICT,),
            ),
            Route(
                method="DELETE",
                path="/signing-keys/{kid}",
                handler=self.withdraw_signing_key,
                summary="Take a leaked key away at once; another signs",
                parameters=KeyPath,
                response=None,
                status=204,
                scopes=KEYS_MANAGE,
                errors=(NOT_FOUND,),
            ),
        )

    async def show_keys(self, _call: Call) -> KeySetView:
        return KeySetView(keys=await self._keys.published())

    async def list_signing_keys(self, _call: Call) -> Page[KeyView]:
        return await self._listed()

    async def rotate_signing_keys(self, _call: Call) -> Page[KeyView]:
        await self._keys.rotate()
        return await self._listed()

    async def withdraw_signing_key(self, call: Call[KeyPath]) -> None:
        await self._keys.withdraw(call.path.kid)

    async def _listed(self) -> Page[KeyView]:
        return Page[KeyView](
            items=[
                KeyView.model_validate(
                    {
                        "kid": key.times.kid,
                        "state": key.state,
                        "published_at": key.times.published_at,
                        "signs_from": key.times.signs_from,
                        "retires_at": key.retires_at,
                    }
                )
                for key in await self._keys.statuses()
            ]
        )
