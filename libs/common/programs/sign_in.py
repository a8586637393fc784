"""How a program's candidates sign in: with a password of ours, with the program's own identity provider, or either."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OpenIdProvider:
    """A provider of OpenID Connect. The client's secret is a setting of identity, never part of a definition."""

    name: str
    """As people know it."""
    issuer: str
    client_id: str
    system: str
    """Under which its people's ids are kept among partners' ids."""
    scopes: tuple[str, ...]
    second_factor: frozenset[str]
    """Values of `acr` or `amr` by which it says that it has asked for a second factor itself."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """The ways in that a program offers."""

    local_passwords: bool = True
    openid: OpenIdProvider | None = None


BY_PASSWORD = SignIn()
"""What holds where a definition says nothing."""
