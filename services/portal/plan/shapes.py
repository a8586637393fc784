"""What plans read of certs' answers."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from pydantic import BaseModel, Field

Assumption = Mapping[str, Any]
"""Something that may come true, as certs' `what-if` takes it."""


class PassInHand(BaseModel):
    exam: str
    passed_on: date
    counts_through: date | None


class Missing(BaseModel):
    """One thing still needed: `n` of what is named."""

    n: int
    exams: list[str]
    certifications: list[str]


class Goal(BaseModel):
    """How far it is to a certification that is not held."""

    certification: str
    in_hand: list[PassInHand]
    missing: list[Missing]


class Progress(BaseModel):
    as_of: date
    goals: list[Goal]


class Chosen(BaseModel):
    """The certifications that the candidate aims at."""

    certifications: list[str]


class ExamOption(BaseModel):
    exam: str
    fee: int | None = None


class Way(BaseModel):
    """One of the program's ways to renew, as far as it is left to go."""

    exams: list[list[str]]
    credits: int
    clause: str
    text: str = ""


class Renewal(BaseModel):
    certification: str
    expires_on: date
    exams: list[ExamOption]
    credits: int | None
    ways: list[Way]


class Renewals(BaseModel):
    as_of: date
    renewals: list[Renewal]


class Outcome(BaseModel):
    """A certification as it would be."""

    certification: str
    status: str
    earned_on: date
    expires_on: date | None


class WhatIf(BaseModel):
    as_of: date
    outcome: list[Outcome] = Field(default=[])

    def of(self, certification: str) -> Outcome | None:
        """What would be active of a certification; None where it would not."""
        return next(
            (one for one in self.outcome if one.certification == certification and one.status == "active"), None
        )
