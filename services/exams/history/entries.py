"""A person's history as lines: every exam they sat, were booked for and missed, and what else they achieved.

Pure: made from the few fields of rows that order, filter and count need; `pages` adds the rest of what is shown.

**What is embargoed.** A result that is on hold looks like one that has not come: an appointment that is over and waits.
Nothing is read from its row while there is an appointment to show in its place, so no date, count, order or filter
tells the two apart. Where the vendor never told of an appointment, the day is shown and that its result is to come.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from operator import itemgetter
from typing import Literal, NamedTuple

from libs.common.mongo.client import Document
from libs.common.programs import Program

Kind = Literal["written", "practical", "achievement"]
Grade = Literal["pass", "fail", "pending", "invalidated"]
EntryState = Literal[
    "waiting",
    "provisional",
    "final",
    "released",
    "revised",
    "invalidated",
    "restored",
    "no_show",
    "nda_refused",
    "achieved",
    "withdrawn",
]

HELD = "on_hold"
_NOTHING_YET = frozenset({None, HELD})
_OVER = frozenset({"scheduled", "rescheduled"})
"""States of an appointment that, once its time is past, stand for an exam that was taken."""


class Entry(NamedTuple):
    """One line.

    Attributes:
        key: unique in the history: of the result, else of the registration, else of the achievement.
        at: when, in UTC; of an achievement the beginning of its day.
        day: the local date at the place of delivery.
        utc_offset: minutes that the place was ahead of UTC, where the vendor said so.
        exam_code: as the program has it now, where the exam came under an older code.
        attempt: its place among all of the person's entries of the exam, those included that were not taken.
        result: the key of the result row that may be shown; None while there is nothing of it to show.
        registration: the key of the registration row that is shown in its place.
        achievement: the key of the achievement's row.
    """

    key: str
    kind: Kind | None
    state: EntryState
    at: datetime
    day: date
    utc_offset: int | None
    vendor: str
    exam_code: str | None = None
    title: str | None = None
    registration_id: str | None = None
    grade: Grade | None = None
    score: float | None = None
    attempt: int | None = None
    result: str | None = None
    registration: str | None = None
    achievement: str | None = None


def entries(
    program: Program,
    results: Iterable[Document],
    registrations: Iterable[Document],
    achievements: Iterable[Document],
    now: datetime,
) -> list[Entry]:
    """All lines of a person, in no order."""
    shown: list[Document] = []
    held: list[Document] = []
    for row in results:
        if row["state"] is not None:
            (shown if is_shown(row) else held).append(row)
    reported = {_booking(row) for row in shown}
    missing = [row for row in registrations if _booking(row) not in reported and _stands_alone(row, now)]
    in_place = {_booking(row) for row in missing}
    sat: list[tuple[datetime, str, Callable[[_Exams, Document], Entry], Document]] = [
        *((row["taken_at"], row["_id"], _of_result, row) for row in shown),
        *((row["scheduled_at"], row["_id"], _of_registration, row) for row in missing),
        *((row["taken_at"], row["_id"], _of_held, row) for row in held if _booking(row) not in reported | in_place),
    ]
    sat.sort(key=itemgetter(0, 1))  # attempts are counted in this order, over all accounts and vendors
    exams = _Exams(program)
    return [*(make(exams, row) for _, _, make, row in sat), *map(_of_achievement, achievements)]


def is_shown(result: Document) -> bool:
    """Whether a result stands in the history itself, rather than the appointment it is waited for."""
    # One without a grade yet looks like one that is held: else the one would tell the other apart.
    return result["state"] not in _NOTHING_YET and result["grade"] != "pending"


def _booking(row: Document) -> tuple[str, str | None]:
    return row["vendor"], row["registration_id"]


def _stands_alone(row: Document, now: datetime) -> bool:
    """Whether an appointment without a result is a line: it was missed, or is over and its result is to come."""
    if row["state"] == "no_show":
        return row["scheduled_at"] is not None
    return row["state"] in _OVER and row["scheduled_at"] is not None and row["scheduled_at"] <= now


class _Exams(dict[str, tuple[str, str | None, Kind | None]]):
    """Code, title and kind of an exam by any code that it came under; each is looked up once."""

    def __init__(self, program: Program) -> None:
        super().__init__()
        self._program = program
        self._attempts: defaultdict[str, int] = defaultdict(int)

    def next_attempt(self, code: str) -> int:
        """Counts the attempts at an exam."""
        self._attempts[code] += 1
        return self._attempts[code]

    def __missing__(self, code: str) -> tuple[str, str | None, Kind | None]:
        exam = self._program.find_exam(code)
        found = self[code] = (exam.code, exam.title, exam.kind) if exam else (code, None, None)
        return found


def _of_result(exams: _Exams, row: Document) -> Entry:
    code, title, kind = exams[row["exam_code"]]
    return Entry(
        key=row["_id"],
        kind=kind,
        state=row["state"],
        at=row["taken_at"],
        day=date.fromisoformat(row["taken_on"]),
        utc_offset=row.get("utc_offset"),
        vendor=row["vendor"],
        exam_code=code,
        title=title,
        registration_id=row["registration_id"],
        grade=row["grade"],
        score=row["score"],
        result=row["_id"],
        attempt=exams.next_attempt(code),
    )


def _of_registration(exams: _Exams, row: Document) -> Entry:
    code, title, kind = exams[row["exam_code"]]
    state: EntryState = "waiting"
    if row["state"] == "no_show":
        state = "nda_refused" if row.get("reason") == "nda_refused" else "no_show"
    offset = row.get("utc_offset")
    return Entry(
        key=f"appointment/{row['_id']}",  # a vendor may number a result and an appointment alike
        kind=kind,
        state=state,
        at=row["scheduled_at"],
        day=local_time(row["scheduled_at"], offset).date(),
        utc_offset=offset,
        vendor=row["vendor"],
        exam_code=code,
        title=title,
        registration_id=row["registration_id"],
        registration=row["_id"],
        attempt=exams.next_attempt(code),
    )


def _of_held(exams: _Exams, row: Document) -> Entry:
    return _of_result(exams, row)._replace(state="waiting", grade=None, score=None, result=None)


def _of_achievement(row: Document) -> Entry:
    day = row["achieved_at"].date()
    state: EntryState = "withdrawn" if row["withdrawn"] else "achieved"
    return Entry(
        key=f"achievement/{row['_id']}",
        kind="achievement",
        state=state,
        at=row["achieved_at"],
        day=day,
        utc_offset=None,
        vendor=row["vendor"],
        title=row["title"],
        achievement=row["_id"],
    )


def local_time(moment: datetime, utc_offset: int | None) -> datetime:
    """A moment as a clock at the place shows it; as UTC where the offset is not known."""
    return moment + timedelta(minutes=utc_offset or 0)


# Order, filter, pages

Sort = Literal["date", "exam", "grade", "score"]
Order = Literal["asc", "desc"]
Place = tuple[float, str, float, str]
"""Where an entry stands in an order: what it is ordered by, then the moment, then the key, so that no two are equal."""

_GRADES = {None: 0.0, "pending": 1.0, "invalidated": 2.0, "fail": 3.0, "pass": 4.0}
_NO_SCORE = -1e9
"""Below any score that a vendor may report."""


def place(entry: Entry, sort: Sort) -> Place:
    """An entry's place in an order."""
    number, word = 0.0, ""
    if sort == "exam":
        word = entry.exam_code or ""
    elif sort == "grade":
        number = _GRADES[entry.grade]
    elif sort == "score":
        number = _NO_SCORE if entry.score is None else entry.score
    return number, word, entry.at.timestamp(), entry.key


@dataclass(frozen=True, slots=True)
class Filter:
    """Which entries are asked for; every part that is there must hold, of several words one."""

    exam: str | None = None
    from_day: date = date.min
    to_day: date = date.max
    states: frozenset[str] = frozenset()
    grades: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    vendor: str | None = None

    def takes(self, entry: Entry) -> bool:
        """Whether an entry is asked for."""
        return (
            (self.exam is None or entry.exam_code == self.exam)
            and self.from_day <= entry.day <= self.to_day
            and (not self.states or entry.state in self.states)
            and (not self.grades or entry.grade in self.grades)
            and (not self.kinds or entry.kind in self.kinds)
            and (self.vendor is None or entry.vendor == self.vendor)
        )


def arranged(found: Iterable[Entry], sort: Sort, order: Order, after: Place | None) -> list[Entry]:
    """Entries in an order, from behind a place on."""
    keyed = sorted(((place(entry, sort), entry) for entry in found), key=lambda each: each[0], reverse=order == "desc")
    if after is None:
        return [entry for _, entry in keyed]
    return [entry for at, entry in keyed if (at < after if order == "desc" else at > after)]


@dataclass(frozen=True, slots=True)
class Totals:
    """What became of the attempts at one exam."""

    exam_code: str
    title: str | None
    attempts: int
    passed: int
    failed: int


_RELIABLE = frozenset({"final", "released", "revised", "restored"})


def totals(found: Sequence[Entry]) -> list[Totals]:
    """By exam, in order of their codes. What is provisional or void is an attempt, and neither passed nor failed."""
    by_exam: defaultdict[tuple[str, str | None], list[Entry]] = defaultdict(list)
    for entry in found:
        if entry.exam_code is not None:
            by_exam[entry.exam_code, entry.title].append(entry)
    return [
        Totals(code, title, len(those), _count(those, "pass"), _count(those, "fail"))
        for (code, title), those in sorted(by_exam.items(), key=lambda each: each[0][0])
    ]


def _count(those: Iterable[Entry], grade: Grade) -> int:
    return sum(entry.grade == grade and entry.state in _RELIABLE for entry in those)
