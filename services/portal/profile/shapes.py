"""What is read of identity's and fulfillment's answers about a profile."""

from datetime import date, datetime

from pydantic import BaseModel, Field

from services.portal.addresses.shapes import Address
from services.portal.backend.shapes import Profile


class NativeName(BaseModel):
    given_name: str
    family_name: str


class Consent(BaseModel):
    given: bool
    text_version: str
    at: datetime


class MailTrouble(BaseModel):
    reason: str
    since: datetime


class WholeProfile(Profile):
    native_name: NativeName | None = None
    email: str
    country: str
    address: Address | None = None
    native_address: Address | None = None
    employer: str | None = None
    job_title: str | None = None
    mails: dict[str, bool] = Field(default={})
    digest: str | None = None
    consents: list[Consent] = Field(default=[])
    mail_trouble: MailTrouble | None = None
    confirmed_at: datetime | None = None

    @property
    def news(self) -> Consent | None:
        """The last word on news by mail."""
        return self.consents[-1] if self.consents else None


class Employers(BaseModel):
    items: list[str]


class ExternalId(BaseModel):
    system: str
    external_id: str
    verified_by: str
    since: datetime


class Account(BaseModel):
    external_ids: list[ExternalId] = Field(default=[])
    merged_from: list[str] = Field(default=[])


class Claimed(BaseModel):
    state: str
    case_id: str | None = None


class CaseRow(BaseModel):
    case_id: str
    reference: str
    kind: str
    state: str
    due_on: date


class CasePage(BaseModel):
    items: list[CaseRow]
