"""What follows from the facts: every certification of a candidate, with its history and its reasons."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple

from libs.common.languages.days import spoken
from services.certs.domain.flags import Flag
from services.certs.languages import both, mark, say, say_many

Status = Literal[
    "active", "expired", "emeritus", "lifetime_emeritus", "pending_agreement", "inactive", "suspended", "revoked"
]
StepKind = Literal["awarded", "renewed", "extended", "imported", "reactivated"]

_BRIEF = 200
"""Characters of a note where something later is told in full."""

_ENDS: Mapping[Status, str] = {
    "active": mark("active through {day}"),
    "expired": mark("expired after {day}"),
    "emeritus": mark("emeritus through {day}"),
    "suspended": mark("its last day stays {day}"),
    "inactive": mark("inactive, ends after {day}"),
}
"""How a sentence speaks of the last day."""
_LATER: Mapping[StepKind, str] = {
    "awarded": mark("awarded on {day}: {why}"),
    "renewed": mark("renewed on {day}: {why}"),
    "extended": mark("extended on {day}: {why}"),
    "imported": mark("imported on {day}: {why}"),
    "reactivated": mark("reactivated on {day}: {why}"),
}
"""How a sentence speaks of what moved the last day."""


class Reason(NamedTuple):
    """One fact, and the clause of the program that gave it effect."""

    fact: str
    """Id of the result; of a prerequisite, the id of the certification."""
    clause: str
    """Path in the program definition."""
    text: str


class Ground(NamedTuple):
    """A reason as the evaluation keeps it: what happened, on which day, under which clause."""

    fact: str
    clause: str
    words: str
    """What happened on which day."""
    day: date
    note: str = ""
    """What staff have said to it."""

    @property
    def text(self) -> str:
        return f"{self.words}: {self.note}" if self.note else self.words

    @property
    def brief(self) -> str:
        """The text, with the beginning of a long note only."""
        return self._replace(note=f"{self.note[:_BRIEF]}…").text if len(self.note) > _BRIEF else self.text

    @property
    def reason(self) -> Reason:
        return Reason(self.fact, self.clause, self.text)


class Step(NamedTuple):
    """An award, a renewal, or another change of the last active day."""

    kind: StepKind
    on: date
    expires_on: date | None
    grounds: tuple[Ground, ...]
    """What met the requirement; never empty."""
    years: int | None
    """Length of the validity; None where the program's rule of so many years did not set the day."""
    clause: str
    """What says how long it lasts from there."""

    @property
    def because(self) -> tuple[Reason, ...]:
        """What met the requirement; the last one says how long it lasts from there."""
        if self.expires_on is None:
            text = say("never expires")
        elif self.years is None:
            text = say("active through {day}", day=spoken(self.expires_on))
        else:
            text = say_many(
                "{count} year from {first}: active through {last}",
                "{count} years from {first}: active through {last}",
                self.years,
                first=spoken(self.on),
                last=spoken(self.expires_on),
            )
        return (*[ground.reason for ground in self.grounds], Reason(self.grounds[-1].fact, self.clause, text))

    def sentence(self, *, brief: bool = False) -> str:
        """What met the requirement, as part of a sentence."""
        return both([ground.brief if brief else ground.text for ground in self.grounds])


class Holding(NamedTuple):
    """One unbroken time of holding a certification; a lapse ends it, earning again begins another."""

    steps: tuple[Step, ...]
    """The award or import, then what moved its last active day; never empty."""
    continuous_since: date | None = None
    """Start of the years without a gap that an import brings along, where it is not its first day."""
    emeritus_until: date | None = None
    """Last day of the years of emeritus that were granted after it."""
    ended: date | None = None
    """Last active day of what was revoked: the day before, if it lasted so long."""

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
        return self.steps[-1].expires_on if self.ended is None else self.ended


class CertificationStanding(NamedTuple):
    """A certification a candidate holds or has held."""

    certification: str
    title: str
    status: Status
    holdings: tuple[Holding, ...]
    """Oldest first; never empty. Everything else tells of the newest."""
    expires_on: date | None
    """Last active day, of an emeritus the last emeritus day; None where it never expires. A suspension leaves it; a
    revocation moves it to the day before."""
    grounds: tuple[Ground, ...] = ()
    """Why the status is another than the dates alone say."""
    designations: tuple[str, ...] = ()
    number: str | None = None
    """Certification number carried by an import."""
    account: str | None = None
    changes_on: date | None = None
    """Next day on which time alone changes the status or the designations."""
    decisions: tuple[Ground, ...] = ()
    """Its suspensions, reinstatements and its revocation, the newest last."""

    @property
    def earned_on(self) -> date:
        return self.holdings[-1].earned_on

    @property
    def because(self) -> tuple[Reason, ...]:
        """Why it is held, lasts so long, and has its status: the reasons of each step, then of the status.

        What staff have decided of it stands between them.
        """
        steps = [reason for step in self.holdings[-1].steps for reason in step.because]
        return (*steps, *[ground.reason for ground in (*self.decisions, *self.grounds)])

    @property
    def sentence(self) -> str:
        """The status and its reason as one plain sentence; of several decisions the newest is named."""
        first, *later = self.holdings[-1].steps
        decided = bool(self.decisions)
        why = first.sentence(brief=decided or bool(later))
        parts = [say("Earned on {day}: {why}", day=spoken(first.on), why=why)]
        if later:
            last = later[-1]
            parts.append(say(_LATER[last.kind], day=spoken(last.on), why=last.sentence(brief=decided)))
        parts += [ground.text for ground in (*self.decisions[-1:], *self.grounds)]
        if self.status != "revoked":
            parts.append(self._end())
        return say("; ").join(parts) + "."

    def _end(self) -> str:
        if self.status == "pending_agreement":
            return say("waits for the agreement")
        if self.status == "lifetime_emeritus":
            return say("emeritus for life")
        if self.expires_on is None:
            return say("it never expires")
        return say(_ENDS[self.status], day=spoken(self.expires_on))


@dataclass(frozen=True, slots=True)
class Standing:
    """Everything a candidate holds or has held, as of a day."""

    program: str
    policy_version: int
    as_of: date
    """The day in the program's time zone."""
    certifications: Mapping[str, CertificationStanding]
    """By certification id; what was never earned, or was earned by what no longer counts, is not there. Where two
    accounts that stand alone hold the same one, the second is listed as `id@account`."""
    resumes_on: date | None = None
    """Day on which something known that is dated or decided ahead begins to count; None where there is none."""
    flags: tuple[Flag, ...] = ()
    """What a person should look at, in a fixed order."""
    decided_by: str | None = None
    """Name of the dated rule that decided last, where it is not the present one."""
    earliest_retake: date | None = None
    """First day on which the exam failed last may be taken again, where a wait runs."""
