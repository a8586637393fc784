"""The shape of the section that states how candidates sign in."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from libs.common.events.types import Identifier, Line
from libs.common.programs.sign_in import OpenIdProvider, SignIn
from libs.common.programs.written import Shape

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def is_safe_url(url: str) -> bool:
    """Whether nobody on the way can read or change what goes there: https, or this very machine."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return bool(parts.hostname) if parts.scheme == "https" else is_loopback(url)


def is_loopback(url: str) -> bool:
    """Whether it is plain HTTP on this very machine. Raises `ValueError` for what is no URL."""
    parts = urlsplit(url)
    return parts.scheme == "http" and parts.hostname in _LOOPBACK


def _issuer(value: str) -> str:
    if not is_safe_url(value):
        raise ValueError("must be an https URL (http only for an address of this machine)")
    if any(mark in value for mark in "?#"):
        raise ValueError("must have no query and no fragment")
    return value


Scope = Annotated[str, StringConstraints(pattern=r"^[\x21\x23-\x5b\x5d-\x7e]{1,100}$")]
"""RFC 6749, 3.3."""


class OpenIdShape(Shape):
    """An identity provider of the program's."""

    name: Line
    issuer: Annotated[Line, AfterValidator(_issuer)]
    client_id: Annotated[str, StringConstraints(pattern=r"^[\x20-\x7e]{1,200}$")]
    system: Annotated[Identifier, StringConstraints(pattern=r"^[a-z][a-z0-9]{1,30}$")]
    scopes: list[Scope] = Field(default=["openid", "email"])
    second_factor: list[Line] = Field(default=[])

    @model_validator(mode="after")
    def _asks_for_an_id_token(self) -> "OpenIdShape":
        if "openid" not in self.scopes:
            raise ValueError("scopes must contain 'openid'")
        return self


class SignInShape(Shape):
    local_passwords: bool = True
    openid: OpenIdShape | None = None

    @model_validator(mode="after")
    def _leaves_a_way_in(self) -> "SignInShape":
        if not self.local_passwords and self.openid is None:
            raise ValueError("without local passwords there must be 'openid'")
        return self

    def read(self) -> SignIn:
        given = self.openid
        provider = None
        if given is not None:
            provider = OpenIdProvider(
                name=given.name,
                issuer=given.issuer,
                client_id=given.client_id,
                system=given.system,
                scopes=tuple(dict.fromkeys(given.scopes)),
                second_factor=frozenset(given.second_factor),
            )
        return SignIn(self.local_passwords, provider)
