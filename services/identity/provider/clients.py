"""The vendors that may ask our provider: what they may learn, and where people go back to."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from libs.common.events.types import Line, ProgramId
from libs.common.programs.sign_in_shape import is_safe_url
from services.identity.store import token_key

Scope = Literal["openid", "profile", "email"]
ClientId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,62}$")]


def _address(value: str) -> str:
    if not is_safe_url(value) or "#" in value:
        raise ValueError("must be an https URL without a fragment (http only for an address of this machine)")
    return value


class Client(BaseModel):
    """A vendor as a relying party."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Line
    programs: Annotated[frozenset[ProgramId], Field(min_length=1)]
    """Whose candidates it may be told of."""
    redirect_uris: Annotated[
        list[Annotated[str, StringConstraints(max_length=1000), AfterValidator(_address)]], Field(min_length=1)
    ]
    """Compared letter by letter."""
    scopes: frozenset[Scope] = frozenset({"openid"})
    secrets: Annotated[list[Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]], Field(min_length=1)]
    """SHA-256 of each secret that works; two while one follows the other."""

    def knows(self, secret: str) -> bool:
        """Whether a secret is one of the client's, in a time that tells nothing of it."""
        given = token_key(secret)
        return bool(sum(hmac.compare_digest(known, given) for known in self.secrets))


_CLIENTS = TypeAdapter(dict[ClientId, Client])


@dataclass(frozen=True)
class ProviderClients:
    """All of them, by the id that they go by here."""

    by_id: Mapping[str, Client]

    def find(self, client_id: str) -> Client | None:
        return self.by_id.get(client_id)


def read_clients(path: Path | None) -> ProviderClients:
    """The clients of a JSON file; none without one. Raises `ValueError` where it holds anything else."""
    if path is None:
        return ProviderClients({})
    try:
        return ProviderClients(_CLIENTS.validate_json(path.read_bytes()))
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(map(str, fault["loc"]))
        raise ValueError(f"{path.name}: {place}: {fault['msg']}") from None
