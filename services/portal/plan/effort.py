"""What it takes to renew a certification: what is there already, and what is still to be done. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from libs.common.programs import Certification as Written
from services.portal.credits.claims import Claim, total
from services.portal.plan.shapes import Assumption, Renewal, Way


@dataclass(frozen=True, slots=True)
class Effort:
    """One way to renew.

    Attributes:
        exams: to be sat and passed.
        choice: how many exams would do in the place of the first one.
        waiting: exams that were sat, whose results are on their way, with their days.
        claims: credits in hand that it uses.
        asked: credits that the way asks for.
        more: of these, still to be earned.
    """

    exams: tuple[str, ...] = ()
    choice: int = 0
    waiting: tuple[tuple[str, date], ...] = ()
    claims: tuple[Claim, ...] = ()
    asked: int = 0
    more: int = 0

    @property
    def to_do(self) -> int:
        """How many things the candidate has to do."""
        return len(self.exams) + (1 if self.more else 0)

    @property
    def ready_on(self) -> date:
        """The day of the latest of what is there already."""
        return max(
            (*(day for _, day in self.waiting), *(claim.completed_on for claim in self.claims)), default=date.min
        )

    @property
    def waits_for_review(self) -> bool:
        """Whether claims have to be accepted for it to be enough."""
        return self.asked > total(claim for claim in self.claims if not claim.pending)

    def assume(self, on: date, today: date, *, held_until: date | None) -> list[Assumption]:
        """That all of it comes true: what is still to be done on a day, credits in hand held until one."""
        found: list[Assumption] = [{"exam": code, "on": day.isoformat()} for code, day in self.waiting]
        found += [{"exam": code, "on": on.isoformat()} for code in self.exams]
        found += [claimed(claim, today, held_until) for claim in self.claims]
        if self.more:
            found.append({"credits": self.more, "on": on.isoformat()})
        return found

    def as_it_is(self, today: date) -> list[Assumption]:
        """That all of it comes true, and credits stay held as they are."""
        found: list[Assumption] = [{"exam": code, "on": day.isoformat()} for code, day in self.waiting]
        return found + [claimed(claim, today, claim.held_until) for claim in self.claims]


def claimed(claim: Claim, today: date, held_until: date | None) -> Assumption:
    """That a claim counts, from a day on where it is held."""
    held = held_until.isoformat() if held_until is not None and held_until > today else None
    return {"submission": claim.id, "on": today.isoformat(), "held_until": held}


def least_effort(
    renewal: Renewal, written: Written, claims: Sequence[Claim], waiting: Mapping[str, date]
) -> Effort | None:
    """The way that asks least of the candidate, of equal ones the one that the service names first; None where none is.

    Args:
        renewal: the ways that are left.
        written: the certification as its program defines it, with all of each way.
        claims: credits in hand.
        waiting: exams whose results are waited for, with their days.
    """
    whole = {way.clause: way.credits for way in written.renewal}
    efforts = [_of_way(way, whole.get(way.clause, way.credits), claims, waiting) for way in renewal.ways]
    efforts += _of_exams(renewal, waiting)
    return min(efforts, key=lambda effort: effort.to_do, default=None)


def _of_way(way: Way, credits_asked: int, claims: Sequence[Claim], waiting: Mapping[str, date]) -> Effort:
    exams: list[str] = []
    waited: list[tuple[str, date]] = []
    for choice in way.exams:
        taken = [code for code, _ in waited]
        sat = next((code for code in choice if code in waiting and code not in taken), None)
        if sat is not None:
            waited.append((sat, waiting[sat]))
        else:
            exams.append(next((code for code in choice if code not in exams), choice[0]))
    used = tuple(claims) if credits_asked else ()
    return Effort(
        exams=tuple(exams),
        choice=len(way.exams[0]) if exams else 0,
        waiting=tuple(waited),
        claims=used,
        asked=credits_asked,
        more=max(0, credits_asked - total(used)),
    )


def _of_exams(renewal: Renewal, waiting: Mapping[str, date]) -> Iterable[Effort]:
    """Exams that alone renew it, where the program writes down no ways."""
    for option in renewal.exams:
        if option.exam in waiting:
            yield Effort(waiting=((option.exam, waiting[option.exam]),))
    if renewal.exams:
        yield Effort(exams=(renewal.exams[0].exam,), choice=len(renewal.exams))
