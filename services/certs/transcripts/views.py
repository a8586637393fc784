"""What the API of transcripts takes and gives."""

from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from libs.common.events.types import Code, Identifier, Line, Remark
from libs.common.http.models import Body, Day, View
from services.certs.languages import say
from services.certs.transcripts.shown import (
    CertificationState,
    ExamState,
    Shown,
    ShownCertification,
    ShownCredits,
    ShownExam,
)
from services.certs.transcripts.store import TranscriptKind, TranscriptState
from services.certs.transcripts.store import View as Visits
from services.certs.transcripts.verdict import Kind, Verdict, state_words

MOST_ITEMS = 100

Chosen = Annotated[list[Identifier], Field(max_length=MOST_ITEMS)]


class TranscriptEdit(Body):
    """What a transcript says; everything is replaced."""

    label: Annotated[Line, Field(description="Your own name for it; nobody else sees it")]
    remarks: Annotated[Remark | None, Field(description="Shown to whoever has the link, as plain text")] = None
    certifications: Annotated[Chosen, Field(description="Ids of certifications")] = Field(default=[])
    exams: Annotated[list[Code], Field(max_length=MOST_ITEMS, description="Codes of passed exams")] = Field(default=[])
    credits: Annotated[bool, Field(description="Whether the credits that count are shown")] = False
    valid_through: Annotated[
        Day | None, Field(description="Last day of the link; 90 days from now where not given")
    ] = None


class TranscriptBody(TranscriptEdit):
    kind: Annotated[
        TranscriptKind, Field(description="`live` shows the state as of now, `frozen` that of the day it was made")
    ] = "live"


class CertificationItem(View):
    """A certification on a transcript."""

    certification: str
    title: str
    state: CertificationState
    earned_on: date
    expires_on: date | None
    """Last active day; null where it never expires."""
    revoked_on: date | None
    text: str
    """The state as a sentence."""


class ExamItem(View):
    """A passed exam."""

    exam: str
    title: str
    passed_on: date
    state: ExamState


class CreditsItem(View):
    """Continuing-education credits that count."""

    counting: int
    until: date | None


class ItemsView(View):
    certifications: list[CertificationItem]
    exams: list[ExamItem]
    credits: CreditsItem | None


class ShareView(View):
    way: str
    title: str
    url: str


class TranscriptView(ItemsView):
    """A transcript, for its owner."""

    transcript_id: str
    candidate_id: str
    label: str
    remarks: str | None
    kind: TranscriptKind
    state: TranscriptState
    frozen_on: date | None
    valid_through: date
    created_at: datetime
    withdrawn_at: datetime | None
    code: str | None
    """Leads to the same page; in groups of four. For the owner alone, as is the link: staff are shown neither."""
    link: str | None
    views: int
    """How often browsers have opened it; the view log says more."""


class TranscriptDetailView(TranscriptView):
    share: list[ShareView]
    """Ways to share it, and to add its certifications to a LinkedIn profile; empty for staff and when it has ended."""


class ViewsView(View):
    """A line of the view log. More is not kept of anybody who looks."""

    day: date
    country: str | None
    """ISO 3166-1 alpha-2, where the gateway knows it."""
    visitor: str
    """`browser`, `preview` (what a chat or a social network fetches to show a link), `robot`, or `program`."""
    views: int


class VerificationView(ItemsView):
    """What a verifier is shown. The page, the JSON and the receipt say the same."""

    verdict: Kind
    heading: str
    summary: str
    """How many items are in which state."""
    text: str
    """Who issued it to whom, and the summary."""
    program: str
    program_name: str
    name: str | None
    """Of the holder; null where they have not agreed that it is shown."""
    kind: str
    """`live`, `frozen`, `credential` or `certificate`."""
    as_of: date | None
    """Of a frozen transcript, its day; otherwise it is as of `checked_at`."""
    checked_at: datetime
    open_until: date | None
    code: str
    remarks: str | None


def items_of(shown: Shown) -> dict[str, object]:
    """The items as the views have them."""
    return {
        "certifications": [_certification(one) for one in shown.certifications],
        "exams": [_exam(one) for one in shown.exams],
        "credits": _credits(shown.credits) if shown.credits is not None else None,
    }


def issued_sentence(program_name: str, name: str | None, verdict: Verdict) -> str:
    """Who issued what to whom, and in which state it is."""
    if name is None:
        issued = say("{program} issued this.", program=program_name)
    else:
        issued = say("{program} issued this to {name}.", program=program_name, name=name)
    return f"{issued} {verdict.sentence}".strip()


def visits_view(visits: Visits) -> ViewsView:
    return ViewsView(**visits._asdict())


def _certification(one: ShownCertification) -> CertificationItem:
    return CertificationItem(**one._asdict(), text=state_words(one))


def _exam(one: ShownExam) -> ExamItem:
    return ExamItem(**one._asdict())


def _credits(one: ShownCredits) -> CreditsItem:
    return CreditsItem(**one._asdict())
