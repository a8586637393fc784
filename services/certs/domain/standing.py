"""What follows from the facts: every certification of a candidate, with its history and its reasons."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

Status = Literal["active", "expired"]
StepKind = Literal["awarded", "renewed"]

# fmt: off
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)
# fmt: on


def spoken(day: date) -> str:
    """A day as a sentence has it: 10 May 2026."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


@dataclass(frozen=True, slots=True)
class Reason:
    """One fact, and the clause of the program that gave it effect."""

    fact: str
    """Id of the result; of a prerequisite, the id of the certification."""
    clause: str
    """Path in the program definition."""
    text: str


@dataclass(frozen=True, slots=True)
class Step:
    """An award or a renewal."""

    kind: StepKind
    on: date
    expires_on: date | None
    because: tuple[Reason, ...]
    """What met the requirement; the last one says how long it lasts from there."""

    @property
    def grounds(self) -> str:
        """What met the requirement, as part of a sentence."""
        return " and ".join(reason.text for reason in self.because[:-1])


@dataclass(frozen=True, slots=True)
class Holding:
    """One unbroken time of holding a certification; a lapse ends it, earning again begins another."""

    steps: tuple[Step, ...]
    """The award, then the renewals; never empty."""

    @property
    def earned_on(self) -> date:
        return self.steps[0].on

    @property
    def renewed_on(self) -> date:
        """Day of the last renewal, or of the award where there was none."""
        return self.steps[-1].on

    @property
    def expires_on(self) -> date | None:
        """Last active day; None where it never expires."""
        return self.steps[-1].expires_on


@dataclass(frozen=True, slots=True)
class CertificationStanding:
    """A certification a candidate holds or has held."""

    certification: str
    title: str
    status: Status
    holdings: tuple[Holding, ...]
    """Oldest first; never empty. Everything else tells of the newest."""

    @property
    def earned_on(self) -> date:
        return self.holdings[-1].earned_on

    @property
    def expires_on(self) -> date | None:
        """Last active day; None where it never expires."""
        return self.holdings[-1].expires_on

    @property
    def because(self) -> tuple[Reason, ...]:
        """Why it is held and lasts so long: the reasons of its award and of each renewal."""
        return tuple(reason for step in self.holdings[-1].steps for reason in step.because)

    @property
    def sentence(self) -> str:
        """The status and its reason as one plain sentence."""
        award, *renewals = self.holdings[-1].steps
        text = f"Earned on {spoken(award.on)}: {award.grounds}"
        if renewals:
            text += f"; renewed on {spoken(renewals[-1].on)}: {renewals[-1].grounds}"
        if self.expires_on is None:
            return f"{text}; it never expires."
        end = "active through" if self.status == "active" else "expired after"
        return f"{text}; {end} {spoken(self.expires_on)}."


@dataclass(frozen=True, slots=True)
class Standing:
    """Everything a candidate holds or has held, as of a day."""

    program: str
    policy_version: int
    as_of: date
    """The day in the program's time zone."""
    certifications: Mapping[str, CertificationStanding]
    """By certification id; what was never earned, or was earned by what no longer counts, is not there."""
    resumes_on: date | None = None
    """Day on which a known result dated in the future begins to count; None where there is none."""
