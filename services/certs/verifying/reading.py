"""What a signed document says, read strictly: every part in the one way in which we write it.

A signature covers what a document means to readers of JSON-LD. The same meaning can be written in ways that look
different to a reader of plain JSON, who we are; so what is not written as ours are is not read at all.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

Json = dict[str, Any]
Kind = Literal["badge", "transcript", "receipt"]

_WHOLE_SECONDS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
_LATEST = 253_402_300_800
"""The year 10,000, in seconds since 1970."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*")


def _read_moment(value: Any) -> datetime:
    if not isinstance(value, str) or not _WHOLE_SECONDS.fullmatch(value):
        raise ValueError("not a moment in whole seconds of UTC")
    return datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def _read_seconds(value: Any) -> datetime:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < _LATEST:
        raise ValueError("not a moment in seconds")
    return datetime.fromtimestamp(value, UTC)


Moment = Annotated[datetime, BeforeValidator(_read_moment)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)


class Issuer(_Part):
    id: str


class Achievement(_Part):
    name: str


class Identity(_Part):
    """An identifier of the person (Open Badges 3.0, B.1.10)."""

    identity_type: str = Field(alias="identityType")
    hashed: bool
    identity_hash: str = Field(alias="identityHash")


class Subject(_Part):
    id: str
    identifier: list[Identity] = []
    achievement: Achievement | None = None
    credentials: list[Json] = Field(default=[], alias="verifiableCredential")

    @property
    def name(self) -> str | None:
        """The person's name, where they have chosen to have it shown."""
        names = [each.identity_hash for each in self.identifier if each.identity_type == "name" and not each.hashed]
        return names[0] if len(names) == 1 else None


class Status(_Part):
    """Where it is said whether the credential was revoked (W3C Bitstring Status List 1.0, 2.1)."""

    type: Literal["BitstringStatusListEntry"]
    purpose: Literal["revocation"] = Field(alias="statusPurpose")
    index: str = Field(alias="statusListIndex", pattern=r"^(0|[1-9][0-9]{0,8})$")
    status_list: str = Field(alias="statusListCredential")


class Schema(_Part):
    """Where it is described what the credential looks like."""

    id: str = Field(pattern=r"^https://")
    type: str


class Signed(_Part):
    """A document that is signed, with every property that ours have."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    context: list[str] = Field(alias="@context")
    id: str = Field(pattern=r"^https?://")
    type: list[str]
    issuer: Issuer
    name: str | None = None
    valid_from: Moment = Field(alias="validFrom")
    valid_until: Moment | None = Field(default=None, alias="validUntil")
    subject: Subject = Field(alias="credentialSubject")
    status: Status | None = Field(default=None, alias="credentialStatus")
    awarded_date: Moment | None = Field(default=None, alias="awardedDate")
    schemas: list[Schema] = Field(default=[], alias="credentialSchema")
    partial: bool = False

    @property
    def title(self) -> str | None:
        return self.subject.achievement.name if self.subject.achievement else self.name


class Seen(_Part):
    """What a verifier was shown."""

    heading: str
    text: str


class Receipt(_Part):
    """A signed receipt of it."""

    shown_at: Annotated[datetime, BeforeValidator(_read_seconds)] = Field(alias="iat")
    address: str = Field(alias="sub")
    seen: Seen


_REGISTERED: Final = frozenset({"iss", "sub", "jti", "nbf", "exp"})
"""Claims of a token, which say the same as the credential; that they do is seen when its signature is checked."""

_KINDS: Final[Mapping[str, Kind]] = {"OpenBadgeCredential": "badge", "ClrCredential": "transcript"}


def kind_of(document: Json) -> Kind | None:
    """What a document says it is; None where it is of no kind that we issue."""
    types = document.get("type")
    if not isinstance(types, list) or "VerifiableCredential" not in types:
        return None
    kinds = [_KINDS[each] for each in types if isinstance(each, str) and each in _KINDS]
    return kinds[0] if len(kinds) == 1 else None


def issuer_of(document: Json) -> str | None:
    """Who is said to have issued a document, in any of the ways to say it."""
    issuer = document.get("issuer")
    if isinstance(issuer, dict):
        issuer = issuer.get("id")
    return issuer if isinstance(issuer, str) else None


def read_receipt(claims: Json) -> Receipt | None:
    """What a receipt says; None where it is not written as ours are."""
    try:
        return Receipt.model_validate(claims)
    except ValidationError:
        return None


def read_signed(document: Json, *, token: bool) -> Signed | None:
    """What a document says; None where it is not written as ours are."""
    outside = _REGISTERED if token else {"proof"}
    document = {name: part for name, part in document.items() if name not in outside}
    parts = {name: part for name, part in document.items() if name != "@context"}
    subject = parts.get("credentialSubject")
    if isinstance(subject, dict):  # credentials in a transcript are documents of their own
        parts["credentialSubject"] = {name: part for name, part in subject.items() if name != "verifiableCredential"}
    if not all(_plain(name, part) for name, part in parts.items()):
        return None
    try:
        return Signed.model_validate(document)
    except ValidationError:
        return None


def _plain(name: str, value: Any) -> bool:
    """Whether all names are terms of the contexts: neither keywords of JSON-LD nor addresses."""
    if isinstance(value, dict):
        return _NAME.fullmatch(name) is not None and all(_plain(inner, part) for inner, part in value.items())
    if isinstance(value, list):
        return all(_plain(name, part) for part in value)
    return _NAME.fullmatch(name) is not None
