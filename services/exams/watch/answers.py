"""What a candidate is told of results that have not come, or may have: from data, and only from their own."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

from libs.common.mongo.client import Document
from libs.common.privacy.pseudonyms import is_pseudonym
from libs.common.programs import Program
from services.exams.domain.watch import AWAITED, PAST_PROMISE, Promise, Stage, stage_of
from services.exams.domain.where import Code, sentence
from services.exams.places import place_day, place_time
from services.exams.store import ExamsStore, registration_key
from services.exams.vendors.definition import Vendor, name_of
from services.exams.watch.looking import reported
from services.exams.watch.notes import belongs, is_being_checked, is_reported, known_of, promise_of
from services.exams.watch.questions import last_asked_on


class Expected(NamedTuple):
    """A result that is awaited; days are the program's business days."""

    registration_id: str
    vendor: str
    exam_code: str
    scheduled_at: datetime | None
    state: Code
    due_on: date
    promise_business_days: int
    business_days_left: int
    business_days_late: int
    since: datetime
    case_opened: bool
    asked_on: date | None
    text: str


class Answer(NamedTuple):
    """Where a result is."""

    code: Code
    text: str
    registration_id: str | None = None
    exam_code: str | None = None
    scheduled_at: datetime | None = None
    due_on: date | None = None
    case_opened: bool = False
    result_id: str | None = None


class _Found(NamedTuple):
    """An appointment, and what has come of it."""

    row: Document
    due: Promise
    code: Code
    result: Document | None
    vendor: str = ""
    """As candidates read it."""

    @property
    def case_opened(self) -> bool:
        return bool(self.row["watch"].get("told"))


class Answers:
    """Looks at the appointments of a person, whichever of their accounts they stand under."""

    def __init__(self, store: ExamsStore, vendors: Mapping[str, Vendor]) -> None:
        self._store = store
        self._vendors = vendors

    async def expected(self, program: Program, candidate_id: str, now: datetime) -> list[Expected]:
        """What a candidate waits for, also what is being checked by the vendor, by appointment."""
        rows = await self._appointments(program, await self._store.merges.family(None, candidate_id))
        watched = [row for row in rows if row.get("watch")]
        shown = {*(stage.value for stage in AWAITED), "being_checked"}
        found = [each for each in await self._look(program, watched, now) if _awaited(each, now) in shown]
        return [_expected(each, program, now) for each in found]

    async def where(
        self,
        program: Program,
        candidate_id: str,
        now: datetime,
        *,
        registration_id: str | None,
        exam_code: str | None,
        taken_on: date | None,
    ) -> list[Answer]:
        """Where the results of a registration are, or of an exam on a day; an answer there is always."""
        accounts = await self._store.merges.family(None, candidate_id)
        codes = _codes(program, exam_code)

        def is_meant(row: Document, day: date) -> bool:
            if registration_id is not None and row["registration_id"] != registration_id:
                return False
            return (exam_code is None or row["exam_code"] in codes) and (taken_on is None or day == taken_on)

        rows = [row for row in await self._appointments(program, accounts) if is_meant(row, place_day(row))]
        answers = [_answer(each, program) for each in await self._look(program, rows, now)]
        told = {row["_id"] for row in rows}
        results = await self._store.watches.results_of(program.id, accounts, registration_id, sorted(codes))
        for result in filter(is_reported, results):
            day = date.fromisoformat(result["taken_on"])
            appointment = registration_key(program.id, result["vendor"], result["registration_id"])
            if is_meant(result, day) and appointment not in told:
                answers.append(_come(result, program))
        return answers or [Answer("not_booked", sentence("not_booked"))]

    async def _appointments(self, program: Program, accounts: Sequence[str]) -> list[Document]:
        living = [each for each in accounts if not is_pseudonym(each)]
        return [row for row in await self._store.watches.of_persons(program.id, living) if row["scheduled_at"]]

    async def _look(self, program: Program, rows: Sequence[Document], now: datetime) -> list[_Found]:
        come = await reported(self._store, rows)
        people = {each["candidate_id"] for each in (*rows, *(one for some in come.values() for one in some))}
        survivors = await self._store.merges.survivors(None, people - {None})
        return [
            _found(row, come.get(row["_id"], []), survivors, program, now)._replace(
                vendor=name_of(row["vendor"], self._vendors)
            )
            for row in rows
        ]


def _found(
    row: Document, results: Sequence[Document], survivors: Mapping[str, str], program: Program, now: datetime
) -> _Found:
    # Of what was over before there was a watch nobody noted when it was heard of.
    row = row if row.get("watch") else {**row, "watch": {"heard_at": row["scheduled_at"]}}
    due = promise_of(row, program)
    if due is None:
        raise ValueError("an appointment without a day has no result to wait for")
    own = [each for each in results if belongs(each, row, survivors)]
    if own:
        last = max(own, key=lambda each: (not is_being_checked(each), each["taken_at"], each["_id"]))
        return _Found(row, due, "being_checked" if is_being_checked(last) else "arrived", last)
    stage = stage_of(known_of(row, arrived=False), due, now)
    if stage in AWAITED and any(each["candidate_id"] is None for each in results):
        return _Found(row, due, "waiting_for_mapping", None)
    return _Found(row, due, _CODES[stage], None)


_CODES: Mapping[Stage, Code] = {
    Stage.AHEAD: "ahead",
    Stage.EXPECTED: "expected",
    Stage.LATE: "late",
    Stage.OVERDUE: "overdue",
    Stage.ARRIVED: "arrived",
    Stage.CANCELLED: "cancelled",
    Stage.NO_SHOW: "no_show",
}


def _awaited(each: _Found, now: datetime) -> str:
    """Its state in the list of what is awaited: what waits for its mapping is as late as the time says."""
    if each.code != "waiting_for_mapping":
        return each.code
    return stage_of(known_of(each.row, arrived=False), each.due, now).value


def _expected(each: _Found, program: Program, now: datetime) -> Expected:
    row, due, today = each.row, each.due, program.day_of(now)
    state = each.code if each.code == "being_checked" else _CODES[Stage(_awaited(each, now))]
    late = state in {stage.value for stage in PAST_PROMISE}
    since = {
        "late": due.late_at,
        "overdue": due.overdue_at,
        "being_checked": each.result["received_at"] if each.result else now,
    }.get(state, max(row["scheduled_at"], row["watch"]["heard_at"]))
    return Expected(
        registration_id=row["registration_id"],
        vendor=row["vendor"],
        exam_code=row["exam_code"],
        scheduled_at=place_time(row),
        state=state,
        due_on=due.due_on,
        promise_business_days=program.calendar.between(due.counted_from, due.due_on),
        business_days_left=program.calendar.between(today, due.due_on),
        business_days_late=program.calendar.between(due.due_on, today) if late else 0,
        since=since,
        case_opened=each.case_opened,
        asked_on=_asked_on(each, program),
        text=_text(each, program),
    )


def _asked_on(each: _Found, program: Program) -> date | None:
    """When the vendor was last asked for what is late, and may still be."""
    return last_asked_on(each.row, program) if each.code in ("late", "overdue") else None


def _answer(each: _Found, program: Program) -> Answer:
    row = each.row
    awaited = each.code in {"ahead", "expected", "late", "overdue", "waiting_for_mapping"}
    return Answer(
        each.code,
        _text(each, program),
        row["registration_id"],
        row["exam_code"],
        place_time(row),
        each.due.due_on if awaited else None,
        each.case_opened and awaited,
        _shown_id(each.result) if each.result and each.code == "arrived" else None,
    )


def _come(result: Document, program: Program) -> Answer:
    """A result of the candidate's whose appointment is not known."""
    code: Code = "being_checked" if is_being_checked(result) else "arrived"
    text = sentence(code, exam=_exam(result["exam_code"], program), day=date.fromisoformat(result["taken_on"]))
    shown = _shown_id(result) if code == "arrived" else None
    return Answer(code, text, result["registration_id"], result["exam_code"], result_id=shown)


def _text(each: _Found, program: Program) -> str:
    return sentence(
        each.code,
        exam=_exam(each.row["exam_code"], program),
        day=place_day(each.row),
        due_on=each.due.due_on,
        case_opened=each.case_opened,
        vendor=each.vendor,
        asked_on=_asked_on(each, program),
    )


def _exam(code: str, program: Program) -> str:
    exam = program.find_exam(code)
    return f"{exam.title} ({code})" if exam else code


def _codes(program: Program, code: str | None) -> set[str]:
    """The code and the others under which the same exam is known."""
    exam = program.find_exam(code) if code else None
    return {code, *((exam.code, *exam.aliases) if exam else ())} - {None} if code else set()


def _shown_id(result: Document) -> str:
    """As the candidate's history names it."""
    return str(result["result_id"] or result["registration_id"])
