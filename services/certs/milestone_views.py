"""Milestones as the outlook API gives them."""

from datetime import date

from libs.common.http.models import View
from libs.common.programs import Program
from services.certs.domain.milestones import Anniversary


class MilestoneView(View):
    """So many years without a gap, the day that ends them, and the clause that asks for them."""

    milestone: str
    title: str
    years: int
    since: date
    """First day of the years."""
    on: date
    text: str
    clause: str
    file: str
    line: int
    wording: str


class MilestonesView(View):
    """Milestones reached, fewest years first, and the next one if the years go on."""

    candidate_id: str
    program: str
    as_of: date
    reached: list[MilestoneView]
    next: MilestoneView | None


def milestones_view(
    candidate_id: str, policy: Program, as_of: date, reached: list[Anniversary], coming: Anniversary | None
) -> MilestonesView:
    return MilestonesView(
        candidate_id=candidate_id,
        program=policy.id,
        as_of=as_of,
        reached=[_milestone(policy, each, each.sentence) for each in reached],
        next=_milestone(policy, coming, coming.outlook) if coming else None,
    )


def _milestone(policy: Program, found: Anniversary, text: str) -> MilestoneView:
    clause = policy.clause(found.milestone.clause)
    return MilestoneView(
        milestone=found.milestone.id,
        title=found.milestone.title,
        years=found.milestone.years,
        since=found.since,
        on=found.on,
        text=text,
        clause=clause.path,
        file=clause.file,
        line=clause.line,
        wording=clause.wording,
    )
