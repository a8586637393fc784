"""How a program has its badges kept by a provider as well."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints

from libs.common.events.types import Code, Line
from libs.common.programs.sign_in_shape import is_safe_url
from libs.common.programs.written import Shape
from libs.common.secret_files import SecretName

ProviderId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,64}$")]
"""An id of the provider's; it becomes part of an address."""


@dataclass(frozen=True, slots=True)
class BadgeProvider:
    """Where a program's badges are kept as well, and how it is spoken with."""

    url: str
    """The API without a slash at its end, version included."""
    organization: str
    secret: str
    """The name of the secret by which we are let in."""
    webhook_secret: str | None
    """The name of the secret in the address at which the provider tells us what happens; None for no such address."""
    vendor: str
    """Whose `BadgeReported` on the bus are this provider's."""
    templates: Mapping[str, str]
    """The provider's template by certification; what is not named here is not sent."""
    rate: int
    """Requests in a minute at most."""
    poll: timedelta
    """How often everything that the provider has is compared with what we hold."""
    notify: bool
    """Whether the provider writes to people about their badges."""


def _api(value: str) -> str:
    if not is_safe_url(value):
        raise ValueError("must be an https URL (http only for an address of this machine)")
    if any(mark in value for mark in "?#") or urlsplit(value).username is not None:
        raise ValueError("must have no query, no fragment and no user")
    return value.rstrip("/")


class BadgeProviderShape(Shape):
    kind: Literal["credly"]
    url: Annotated[Line, AfterValidator(_api)]
    organization: ProviderId
    secret: SecretName
    webhook_secret: SecretName | None = None
    vendor: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]{1,30}$")] = "credly"
    templates: Annotated[dict[Code, ProviderId], Field(min_length=1)]
    rate: Annotated[int, Field(ge=6, le=6_000)] = 60
    poll_minutes: Annotated[int, Field(ge=1, le=10_080)] = 60
    notify: bool = True


class BadgesShape(Shape):
    """Without a provider badges are ours alone."""

    provider: BadgeProviderShape | None = None

    def read(self) -> BadgeProvider | None:
        given = self.provider
        if given is None:
            return None
        return BadgeProvider(
            url=given.url,
            organization=given.organization,
            secret=given.secret,
            webhook_secret=given.webhook_secret,
            vendor=given.vendor,
            templates=MappingProxyType(dict(given.templates)),
            rate=given.rate,
            poll=timedelta(minutes=given.poll_minutes),
            notify=given.notify,
        )
