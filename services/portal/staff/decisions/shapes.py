"""What is read of certifications and decisions."""

from datetime import date

from pydantic import BaseModel

from services.portal.staff.consequences import Side


class Holding(BaseModel):
    """A certification of the candidate, held now or before."""

    certification: str
    title: str
    status: str
    earned_on: date
    expires_on: date | None = None

    @property
    def side(self) -> Side:
        return Side(status=self.status, earned_on=self.earned_on, expires_on=self.expires_on)


class Held(BaseModel):
    certifications: list[Holding]


class Made(BaseModel):
    on: date


class Decided(BaseModel):
    """A decision, and the certification as it is now."""

    decision: Made
    now: Holding | None = None
