"""How cases are shown: to the candidate what concerns them, to staff also who did what."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from libs.common.casework.rows import is_overdue
from libs.common.casework.words import EvidenceView, MessageView
from libs.common.http.models import View
from libs.common.mongo.client import Document
from libs.common.programs.cases import CaseKind
from services.identity.cases.names import names_of
from services.identity.cases.requests import Details
from services.identity.domain.cases import State
from services.identity.profile_api import NativeNameView


class CaseSummary(View):
    """A case in a list."""

    case_id: str
    reference: str
    """For people to read out; its last digit is a check digit."""
    kind: CaseKind
    state: State
    candidate_id: str
    opened_at: datetime
    due_on: date
    """The last day on which it is decided in time, in the program's calendar."""
    by_itself: bool = False
    """Whether nobody asked for it: a result was late."""


class CaseView(CaseSummary):
    """A case as its candidate sees it."""

    details: Annotated[Details, Field(description="What was asked for: by `kind`, the fields it was asked with")]
    messages: list[MessageView]
    evidence: list[EvidenceView]
    reason: str | None
    """Why it was decided as it was."""
    decided_at: datetime | None


class StaffSummary(CaseSummary):
    assignee: str | None
    overdue: bool
    four_eyes: bool
    details: Annotated[Details, Field(description="What was asked for: by `kind`, the fields it was asked with")]
    documents: int
    first_by: str | None
    """Who has given the first of two opinions, while the second is waited for."""


class OpinionView(View):
    """The first of two opinions, while the second is waited for."""

    decision: Literal["accept", "refuse"]
    by: str
    other_candidate_id: str | None


class StepView(View):
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
            "accepts",
            "refuses",
            "disagreed",
            "accepted",
            "refused",
            "withdrawn",
            "late",
            "returned",
            "arrived",
            "lapsed",
        ],
        Field(
            description="`accepts` and `refuses` are opinions, `accepted` and `refused` what came of them; with `late` "
            "the result was found to be late by itself"
        ),
    ]
    by: str
    """The subject of their token."""
    at: datetime
    note: str | None
    """The reason of an opinion, or to whom it was assigned."""


class StaffCaseView(CaseView, StaffSummary):
    """A case as staff see it."""

    held_by: str | None
    """Whose a claimed id was when it was claimed."""
    first_opinion: OpinionView | None
    history: list[StepView]
    merge_id: str | None
    """The merge that the acceptance began."""


class NameView(View):
    """A name of a candidate."""

    given_name: str
    family_name: str
    native_name: NativeNameView | None
    since: datetime
    until: datetime | None
    """Null for the present one."""
    case_id: str | None
    """The case by which it came; null for the name of the account's first day."""
    by: str | None
    """Who decided that case last; staff see it."""


class NamesView(View):
    """The newest first."""

    items: list[NameView]


def summary(case: Document) -> CaseSummary:
    return CaseSummary.model_validate({**case, "case_id": case["_id"]})


def candidates_view(case: Document) -> CaseView:
    return CaseView.model_validate(_shown(case))


def staff_summary(case: Document, today: date) -> StaffSummary:
    return StaffSummary.model_validate(_shown(case) | _for_staff(case, today))


def staff_view(case: Document, today: date) -> StaffCaseView:
    first = case["first"]
    shown = {
        "held_by": case["details"].get("held_by"),
        "first_opinion": _opinion(first) if first else None,
    }
    return StaffCaseView.model_validate(_shown(case) | _for_staff(case, today) | shown)


def names_view(account: Document, *, for_staff: bool) -> NamesView:
    items = [name if for_staff else {**name, "by": None} for name in names_of(account)]
    return NamesView.model_validate({"items": items})


def _shown(case: Document) -> dict[str, Any]:
    return {**case, "case_id": case["_id"], "details": {**case["details"], "kind": case["kind"]}}


def _for_staff(case: Document, today: date) -> dict[str, Any]:
    first = case["first"]
    return {
        "overdue": is_overdue(case, today),
        "documents": len(case["evidence"]),
        "first_by": first["by"] if first else None,
    }


def _opinion(first: Document) -> dict[str, Any]:
    decision = "accept" if first["accept"] else "refuse"
    return {"decision": decision, "by": first["by"], "other_candidate_id": first["other"]}
