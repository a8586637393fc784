"""How challenges and rulings are shown: to the candidate what concerns them, to staff also who did what."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from libs.common.casework.rows import is_overdue
from libs.common.casework.words import EvidenceView, MessageView
from libs.common.http.models import View
from libs.common.mongo.client import Document
from services.exams.challenges.casework import Terms
from services.exams.challenges.rulings import RULED
from services.exams.domain.challenges import Ground, Obstacle, Standing, State
from services.exams.domain.results import Status, in_order, outcomes
from services.exams.results import word_of

Grade = Literal["pass", "fail", "invalidated"]


class OutcomeView(View):
    grade: Grade
    score: float | None


class ChallengeSummary(View):
    """A challenge in a list."""

    challenge_id: str
    program: str
    candidate_id: str
    result_id: str
    exam_code: str
    taken_on: date
    ground: Ground
    state: State
    opened_at: datetime
    due_on: date
    """The last day on which it is decided in time, in the program's calendar."""


class StepView(View):
    """What happened, and when."""

    what: Literal["opened", "answered", "evidence", "asked", "written", "upheld", "changed", "refused", "withdrawn"]
    at: datetime


class ChallengeView(ChallengeSummary):
    """A challenge as its candidate sees it."""

    challenged: OutcomeView
    """The result as it stood when it was challenged."""
    messages: list[MessageView]
    evidence: list[EvidenceView]
    reason: str | None
    """Why it was decided as it was."""
    decided: OutcomeView | None
    """The result as the decision left it."""
    decided_at: datetime | None
    steps: list[StepView]


class RulingNote(View):
    """A ruling as its candidate sees it."""

    at: datetime
    grade: Grade
    score: float | None
    challenge_id: str | None
    """The challenge that it decided."""


class TermsView(View):
    """What a candidate may do about a result."""

    program: str
    candidate_id: str
    result_id: str
    may_challenge: bool
    why_not: Annotated[Obstacle | None, Field(description="Null where it may be challenged, or is being challenged")]
    until: date | None
    """The last day; null where results of this kind cannot be challenged."""
    takes_evidence: bool
    challenges: list[ChallengeSummary]
    """Oldest first."""
    rulings: list[RulingNote]
    """Oldest first."""


class StaffSummary(ChallengeSummary):
    assignee: str | None
    overdue: bool
    four_eyes: bool
    overtaken: bool
    """Whether the vendor has said something new since it was changed, so that the ruling no longer holds."""


class OpinionView(View):
    """The first of two opinions, while the second is waited for."""

    decision: Literal["upheld", "changed", "refused", "ruled"]
    by: str
    grade: Grade | None
    """What it makes of the result; null where it leaves it."""
    score: float | None


class StaffStepView(View):
    """What somebody did, and when."""

    what: Annotated[
        Literal[
            "opened",
            "answered",
            "evidence",
            "asked",
            "written",
            "assigned",
            "unassigned",
            "upholds",
            "changes",
            "refuses",
            "rules",
            "disagreed",
            "upheld",
            "changed",
            "refused",
            "withdrawn",
        ],
        Field(
            description="`upholds`, `changes`, `refuses`, `rules` are opinions, `upheld` and so on what came of them"
        ),
    ]
    by: str
    """The subject of their token."""
    at: datetime
    note: str | None
    """The reason of an opinion, or to whom it was assigned."""


class SinceView(View):
    """What the vendor has said since a challenge was decided."""

    said_at: datetime
    known_at: datetime
    revision: int | None
    grade: Literal["pass", "fail", "pending", "invalidated"]
    score: float | None
    counts: bool
    """Whether it changed the result; a repetition of what was overruled does not."""


class RulingView(View):
    """A ruling as staff see it, also one that waits for the second opinion."""

    ruling_id: str
    program: str
    candidate_id: str
    result_id: str
    challenge_id: str | None
    state: Literal["open", "decided_once", "ruled"]
    four_eyes: bool
    first_opinion: OpinionView | None
    previous: OutcomeView
    grade: Grade | None
    score: float | None
    reason: str | None
    by: list[str]
    """Who ruled, by the subjects of their tokens."""
    ruled_at: datetime | None
    overtaken: bool
    """As of a challenge."""
    history: list[StaffStepView]


class RulingsView(View):
    """Oldest first."""

    items: list[RulingView]


class StaffChallengeView(StaffSummary):
    """A challenge as staff see it."""

    challenged: OutcomeView
    messages: list[MessageView]
    evidence: list[EvidenceView]
    reason: str | None
    decided: OutcomeView | None
    decided_at: datetime | None
    first_opinion: OpinionView | None
    history: list[StaffStepView]
    result: OutcomeView | None
    """As it stands now; null while it is not final, or where it turned out to be another's."""
    vendor_since: list[SinceView]


_CANDIDATES_STEPS = frozenset(
    {"opened", "answered", "evidence", "asked", "written", "upheld", "changed", "refused", "withdrawn"}
)


def summary(row: Document) -> ChallengeSummary:
    return ChallengeSummary.model_validate(_named(row))


def candidates_view(row: Document) -> ChallengeView:
    return ChallengeView.model_validate(_named(row) | {"steps": candidates_steps(row)})


def candidates_steps(row: Document) -> list[dict[str, Any]]:
    """What happened to a challenge, without who of the staff did it and what only some of them think."""
    return [{"what": one["what"], "at": one["at"]} for one in row["history"] if one["what"] in _CANDIDATES_STEPS]


def staff_summary(row: Document, today: date) -> StaffSummary:
    return StaffSummary.model_validate(_named(row) | {"overdue": is_overdue(row, today)})


def staff_view(row: Document, today: date, result: Document, standing: Standing | None) -> StaffChallengeView:
    """A challenge for staff.

    Args:
        row: the challenge.
        today: in the program's calendar.
        result: the challenged result.
        standing: as it stands now; None while that is nobody's to know.
    """
    now = {"grade": standing.grade.value, "score": standing.score} if standing else None
    since = vendor_since(result, row["decided_at"]) if standing and row["decided_at"] else []
    shown = {"overdue": is_overdue(row, today), "first_opinion": _opinion(row["first"])}
    return StaffChallengeView.model_validate(_named(row) | shown | {"result": now, "vendor_since": since})


def vendor_since(result: Document, moment: datetime) -> list[SinceView]:
    """What was said of a result after a moment, but for holds and by whom else than staff, in the order that counts."""
    words = [word_of(kept) for kept in result["revisions"]]
    ordered = in_order(words)
    after = outcomes(ordered)
    ruled = max((at for at, word in enumerate(ordered) if word.ruling), default=-1)
    found: list[SinceView] = []
    for at, (word, outcome) in enumerate(zip(ordered, after, strict=True)):
        kept = next(kept for kept, each in zip(result["revisions"], words, strict=True) if each is word)
        if kept["known_at"] <= moment or word.ruling or outcome is None or outcome.status is Status.ON_HOLD:
            continue
        before = after[at - 1] if at else None
        changes = before is None or (before.grade, before.score) != (outcome.grade, outcome.score)
        grade, score = (word.grade, word.score) if word.grade else (outcome.grade, outcome.score)
        shown = {"grade": grade, "score": score, "counts": changes and at > ruled}
        found.append(SinceView.model_validate({**kept, **shown}))
    return found


def terms_view(terms: Terms, *, takes_evidence: bool) -> TermsView:
    result = terms.result
    is_open = any(not each["closed"] for each in terms.challenges)
    return TermsView(
        program=result["program"],
        candidate_id=result["candidate_id"],
        result_id=result["_id"],
        may_challenge=terms.why_not is None and not is_open,
        why_not=None if is_open else terms.why_not,
        until=terms.until,
        takes_evidence=takes_evidence,
        challenges=[summary(each) for each in terms.challenges],
        rulings=[
            RulingNote(at=each["ruled_at"], grade=each["grade"], score=each["score"], challenge_id=each["challenge_id"])
            for each in terms.rulings
            if each["state"] == RULED
        ],
    )


def ruling_view(row: Document) -> RulingView:
    return RulingView.model_validate({**row, "ruling_id": row["_id"], "first_opinion": _opinion(row["first"])})


def _named(row: Document) -> dict[str, Any]:
    return {**row, "challenge_id": row["_id"]}


def _opinion(first: Document | None) -> dict[str, Any] | None:
    if first is None:
        return None
    _, _, grade, score = first["terms"]
    return {"decision": first["end"], "by": first["by"], "grade": grade, "score": score}
