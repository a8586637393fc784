"""What is read of identity and certs about merges."""

from datetime import date, datetime

from pydantic import BaseModel, Field


class Side(BaseModel):
    """One of two accounts that may be of one person."""

    candidate_id: str
    given_name: str
    family_name: str
    email: str
    created_at: datetime

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()


class Pair(BaseModel):
    one: Side
    other: Side
    score: float
    reasons: list[str]


class Pairs(BaseModel):
    items: list[Pair]
    more: bool


class ExternalId(BaseModel):
    system: str
    external_id: str


class Account(BaseModel):
    candidate_id: str
    given_name: str
    family_name: str
    email: str
    country: str
    created_at: datetime
    activated_at: datetime | None
    external_ids: list[ExternalId]

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()


class AccountSide(BaseModel):
    profile: Account


class Preview(BaseModel):
    merged: AccountSide
    survivor: AccountSide
    score: float
    reasons: list[str]
    refusal: str | None


class Held(BaseModel):
    status: str
    earned_on: date
    expires_on: date | None


class Change(BaseModel):
    certification: str
    kind: str
    before: Held | None
    after: Held | None
    text: str


class Outcome(BaseModel):
    changes_for_survivor: list[Change] = Field(default=[])
    changes_for_merged: list[Change] = Field(default=[])


class Merge(BaseModel):
    merge_id: str
    state: str
    merged_id: str
    candidate_id: str
    reason: str
    by: str
    requested_at: datetime
