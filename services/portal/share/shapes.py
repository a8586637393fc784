"""What the pages of sharing read of certs' answers."""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, Field


class CertificationItem(BaseModel):
    certification: str
    title: str
    state: str
    earned_on: date
    expires_on: date | None
    """Last active day."""
    revoked_on: date | None = None


class ExamItem(BaseModel):
    exam: str
    title: str
    passed_on: date
    state: str


class CreditsItem(BaseModel):
    counting: int
    until: date | None


class Items(BaseModel):
    """What is on a transcript, or may be."""

    certifications: list[CertificationItem]
    exams: list[ExamItem]
    credits: CreditsItem | None

    @property
    def anything(self) -> bool:
        return bool(self.certifications or self.exams or self.credits)


class Way(BaseModel):
    """A way to share a link."""

    way: str
    title: str
    url: str


class Transcript(Items):
    transcript_id: str
    label: str
    remarks: str | None
    kind: Literal["live", "frozen"]
    state: Literal["open", "ended", "withdrawn"]
    frozen_on: date | None
    valid_through: date
    created_at: datetime
    withdrawn_at: datetime | None
    code: str | None
    link: str | None
    views: int
    share: list[Way] = Field(default=[])


class TranscriptPage(BaseModel):
    items: list[Transcript]
    next: str | None = None


class Views(BaseModel):
    """How often a link was opened on a day, from a country, by one kind of visitor."""

    day: date
    country: str | None
    visitor: str
    views: int


class ViewsPage(BaseModel):
    items: list[Views]
    next: str | None = None


class Sharing(BaseModel):
    """What the candidate lets others see."""

    directory: bool
    name_in_badges: bool
    native_name: bool


class Name(BaseModel):
    name: str
    native_name: str | None


class Issued(Name):
    """A certificate as it was last given out."""

    code: str
    edition: int
    issued_on: date


class Certificate(BaseModel):
    available: bool
    issued: Issued | None
    reissue: Name | None
    """The present name, where the certificate has another."""


class LogoFile(BaseModel):
    file: str
    media_type: str
    width: int | None


class Logos(BaseModel):
    available: bool
    licence: str
    files: list[LogoFile]


class Credential(BaseModel):
    """A badge that was issued."""

    credential_id: str
    named: bool
    code: str
    page: str
    linkedin: str | None


class Badge(BaseModel):
    certification: str
    available: bool
    current: Credential | None


class Badges(BaseModel):
    badges: list[Badge]

    def of(self, certification: str) -> Badge | None:
        return next((one for one in self.badges if one.certification == certification), None)


class ProviderBadge(BaseModel):
    """A badge at the program's provider."""

    certification: str
    state: Literal["waiting", "pending", "accepted", "rejected", "revoked", "missing"]
    url: str | None


class ProviderBadges(BaseModel):
    items: list[ProviderBadge]

    def of(self, certification: str) -> ProviderBadge | None:
        return next((one for one in self.items if one.certification == certification), None)
