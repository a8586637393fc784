"""What the history and the appointments show."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from libs.common.http.models import View
from libs.common.http.paging import Page
from libs.common.languages.days import spoken
from libs.common.mongo.client import Document
from libs.common.programs import Program
from libs.common.programs.retakes import RetakeRule, Wait
from services.exams.domain.results import Outcome, State, in_order, outcomes
from services.exams.history.entries import Entry, EntryState, Grade, Kind
from services.exams.history.words import revised, said
from services.exams.languages import mark, say
from services.exams.results import word_of


class ClauseView(View):
    """Where the program states something."""

    path: str
    wording: str


class WaitView(View):
    """A rule about retakes, and the day from which it allows the exam again."""

    rule: RetakeRule
    text: str
    allowed_from: date
    clause: ClauseView
    because: Annotated[list[str], Field(description="Ids of the attempts that it follows from, oldest first")]


class HistorySection(View):
    """A section of a score report; of a practical exam, a module."""

    name: str
    percent: float
    passed: bool | None


class HistoryRevision(View):
    """What the vendor, or staff, said of a result at one time. What was on hold then says no more than that."""

    revision: int | None
    state: Literal["waiting", "provisional", "final", "released", "revised", "invalidated", "restored"]
    grade: Grade | None
    score: float | None
    text: str
    said_at: datetime
    effective_on: date
    known_at: datetime


class HistoryItem(View):
    """An exam that was sat, is waited for or was missed; or another achievement."""

    id: str
    kind: Annotated[Kind | None, Field(description="Null where the program does not know the exam")]
    state: EntryState
    text: str
    title: str | None
    exam_code: str | None
    taken_on: Annotated[date, Field(description="The local date at the place of delivery")]
    taken_at: datetime
    local_time: Annotated[
        datetime | None, Field(description="The same moment with the place's offset, where the vendor gave it")
    ]
    attempt: Annotated[int | None, Field(description="Its number among all of the person's at this exam")]
    vendor: str
    vendor_attempt: Annotated[int | None, Field(description="The vendor's own number")] = None
    registration_id: str | None
    result_id: str | None = None
    delivery: Literal["test_center", "online"] | None = None
    site: str | None = None
    language: str | None = None
    grade: Grade | None
    score: float | None
    passing_score: float | None = None
    scale_min: float | None = None
    scale_max: float | None = None
    sections: list[HistorySection] = Field(default=[])
    score_report_url: str | None = None
    receipt_url: str | None = None
    received_at: datetime | None = None
    revisions: list[HistoryRevision] = Field(default=[])
    retake: list[WaitView] = Field(default=[], description="Rules about retakes that this attempt broke")
    issuer: str | None = None
    achievement_kind: str | None = None
    url: str | None = None


class AchievementView(View):
    """Something achieved beside exams, as its vendor last said."""

    achievement_id: str
    vendor: str
    kind: str
    title: str
    achieved_on: date
    issuer: str
    url: str | None
    withdrawn: bool
    received_at: datetime


class ExamTotals(View):
    exam_code: str
    title: str | None
    attempts: int
    passed: int
    failed: int


class HistoryPage(Page[HistoryItem]):
    """One page, and where asked for the totals of all that the filter takes."""

    totals: list[ExamTotals] | None = None


class Shown:
    """Shows lines of one program. A page is made of plain values and checked as a whole: several times as fast."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._clauses: dict[str, ClauseView] = {}

    def items(self, lines: Iterable[tuple[Entry, Document | None, Sequence[Wait]]]) -> list[HistoryItem]:
        """Lines with what else is shown of them, each from the row of its result, registration or achievement."""
        return _ITEMS.validate_python([self._item(*line) for line in lines])

    def wait(self, wait: Wait) -> WaitView:
        """A rule with its clause."""
        clause = self._clauses.get(wait.clause)
        if clause is None:
            found = self._program.clause(wait.clause)
            clause = self._clauses[wait.clause] = ClauseView(path=found.path, wording=found.wording)
        return WaitView(
            rule=wait.rule,
            text=say(_TEXTS[wait.rule], day=spoken(wait.allowed_from)),
            allowed_from=wait.allowed_from,
            clause=clause,
            because=list(wait.because),
        )

    def _item(self, entry: Entry, row: Document | None, waits: Sequence[Wait]) -> dict[str, Any]:
        item = {
            "id": entry.key,
            "kind": entry.kind,
            "state": entry.state,
            "text": said(entry.state, entry.grade),
            "title": entry.title,
            "exam_code": entry.exam_code,
            "taken_on": entry.day,
            "taken_at": entry.at,
            "local_time": at_the_place(entry.at, entry.utc_offset),
            "attempt": entry.attempt,
            "vendor": entry.vendor,
            "registration_id": entry.registration_id,
            "grade": entry.grade,
            "score": entry.score,
            "retake": [self.wait(wait) for wait in waits],
        }
        return item | _details(entry, row) if row else item


_ITEMS = TypeAdapter(list[HistoryItem])
_OF_RESULT = ("site", "language", "passing_score", "scale_min", "scale_max", "received_at", "result_id")


def _details(entry: Entry, row: Document) -> dict[str, Any]:
    if entry.achievement:
        shown = {"issuer": row["issuer"], "achievement_kind": row["kind"], "received_at": row["received_at"]}
        return shown | {"url": secure(row["url"])}
    if entry.registration:
        return {"delivery": row["delivery"], "site": row["site"]}
    return {name: row.get(name) for name in _OF_RESULT} | {
        "vendor_attempt": row.get("attempt"),
        "sections": [{"passed": None, **section} for section in row.get("sections", ())],
        "score_report_url": secure(row.get("score_report_url")),
        "receipt_url": secure(row.get("receipt_url")),
        "revisions": _revisions(entry, row["revisions"]),
    }


def _revisions(entry: Entry, kept: Sequence[Document]) -> list[dict[str, Any]]:
    """Every word on a result in the order in which they count. A word that came before any report says nothing yet."""
    of_word = {one["source"]["ref"]: one for one in kept}
    words = in_order([word_of(one) for one in kept])
    return [
        _revision(entry, of_word[word.ref], outcome)
        for word, outcome in zip(words, outcomes(words), strict=True)
        if outcome is not None
    ]


def _revision(entry: Entry, kept: Document, outcome: Outcome) -> dict[str, Any]:
    held = outcome.state is State.ON_HOLD
    state: Any = "waiting" if held else outcome.state.value
    grade: Grade | None = None if held else outcome.grade.value
    effective_on = kept["effective_at"].date() if kept["effective_at"] else entry.day
    return {
        "revision": kept["revision"],
        "state": state,
        "grade": grade,
        "score": None if held else outcome.score,
        "text": revised(state, grade, effective_on, kept["known_at"].date()),
        "said_at": kept["said_at"],
        "effective_on": effective_on,
        "known_at": kept["known_at"],
    }


def achievement_view(row: Document) -> AchievementView:
    """An achievement from its row."""
    return AchievementView(
        achievement_id=row["achievement_id"],
        vendor=row["vendor"],
        kind=row["kind"],
        title=row["title"],
        achieved_on=date.fromisoformat(row["achieved_on"]),
        issuer=row["issuer"],
        url=secure(row["url"]),
        withdrawn=row["withdrawn"],
        received_at=row["received_at"],
    )


def secure(url: str | None) -> str | None:
    """A link as the vendor gave it, if it is one that may be shown."""
    return url if url is not None and url.startswith("https://") else None


def at_the_place(moment: datetime, utc_offset: int | None) -> datetime | None:
    """A moment as a clock at the place shows it, with its offset; None where the offset is not known."""
    if utc_offset is None:
        return None
    return (moment + timedelta(minutes=utc_offset)).replace(tzinfo=_zone(utc_offset))


@lru_cache(maxsize=256)
def _zone(utc_offset: int) -> timezone:
    return timezone(timedelta(minutes=utc_offset))


_TEXTS: dict[RetakeRule, str] = {
    "after_fail": mark("After a fail it may be taken again from {day}"),
    "after_pass": mark("After a pass it may be taken again from {day}"),
    "limit": mark("It was taken as often as it may be; it may be taken again from {day}"),
}
