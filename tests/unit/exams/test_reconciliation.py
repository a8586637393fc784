"""A vendor's list against ours: what is found, and that taking the vendor's word leaves nothing to be taken."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, cast
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.exams.domain import appointments
from services.exams.domain.appointments import Appointment
from services.exams.reconciliation.compare import Difference, Finding, Kind, Ours, Registration, compare, words
from services.exams.reconciliation.rows import NoList, Theirs, Unreadable, header_of, read_line

DAY = datetime(2026, 11, 20, 9, tzinfo=UTC)
FIRST, END = DAY - timedelta(days=5), DAY + timedelta(days=5)
BERLIN = ZoneInfo("Europe/Berlin")


def theirs(key: str = "G1", **changes: Any) -> Theirs:
    fields: dict[str, Any] = {
        "line": 2,
        "registration_id": key,
        "candidate_id": "C1",
        "vendor_candidate_id": None,
        "exam_code": "200-301",
        "state": "open",
        "scheduled_at": DAY,
    }
    return Theirs(**(fields | changes))


def ours(key: str = "G1", **changes: Any) -> Ours:
    fields: dict[str, Any] = {
        "registration_id": key,
        "candidate_id": "C1",
        "vendor_candidate_id": "P1",
        "exam_code": "200-301",
        "state": "open",
        "scheduled_at": DAY,
    }
    return Ours(**(fields | changes))


def found(*sides: Theirs | Ours) -> list[Finding | None]:
    their = {one.registration_id: one for one in sides if isinstance(one, Theirs)}
    our = {one.registration_id: one for one in sides if isinstance(one, Ours)}
    return list(compare(their, our, FIRST, END))


def test_the_same_on_both_sides_is_no_finding() -> None:
    assert found(theirs(), ours()) == [None]
    assert found(theirs(state="delivered"), ours()) == [None]
    assert found(theirs(scheduled_at=DAY + timedelta(seconds=30)), ours()) == [None]


def test_missing_on_either_side() -> None:
    here, there = found(theirs("G1"), ours("G2"))
    assert here is not None
    assert here.kind is Kind.MISSING_HERE
    assert there is not None
    assert there.kind is Kind.MISSING_THERE


def test_ours_counts_as_missing_there_only_in_the_period_and_while_somebody_is_expected() -> None:
    assert found(ours(scheduled_at=END)) == []
    assert found(ours(scheduled_at=FIRST)) != []
    assert found(ours(state="cancelled")) == []
    assert found(ours(scheduled_at=None)) == []


def test_each_field_that_differs_is_named_with_both_sides() -> None:
    later = DAY + timedelta(hours=1)
    (one,) = found(theirs(candidate_id="C2", state="cancelled"), ours(exam_code="350-401", scheduled_at=later))
    assert one is not None
    assert one.differences == (
        Difference("candidate_id", "C2", "C1"),
        Difference("exam_code", "200-301", "350-401"),
        Difference("state", "cancelled", "open"),
    )


def test_list_changes_neither_whose_a_registration_is_nor_its_exam() -> None:
    for field in ("candidate_id", "exam_code"):
        (one,) = found(theirs(state="cancelled", **{field: "X"}), ours())
        assert one is not None
        assert words(one) == ()


class Book:
    """Our registrations, changed by the very rules of appointments."""

    def __init__(self, rows: list[Ours]) -> None:
        self.rows = {row.registration_id: row for row in rows}
        self.appointments = {row.registration_id: self._appointment(row) for row in rows}

    @staticmethod
    def _appointment(row: Ours) -> Appointment:
        state = {"open": "scheduled", "cancelled": "cancelled", "no_show": "no_show"}[row.state]
        return Appointment(appointments.State(state), DAY, row.scheduled_at, DAY if row.scheduled_at else None)

    def take(self, finding: Finding, said_at: datetime) -> None:
        key, their = finding.registration_id, finding.theirs
        for word in words(finding):
            assert their is not None
            known = self.appointments.get(key)
            if isinstance(word, Registration):
                now = appointments.register(known, their.scheduled_at, said_at)
                self.rows[key] = Ours(
                    key, their.candidate_id, their.vendor_candidate_id, their.exam_code, "open", their.scheduled_at
                )
            else:
                now = appointments.change(known, appointments.State(word.change), word.scheduled_at, said_at)
            self.appointments[key] = now
            open_ = now.state in (appointments.State.SCHEDULED, appointments.State.RESCHEDULED)
            state = cast("Literal['open', 'cancelled', 'no_show']", "open" if open_ else now.state.value)
            self.rows[key] = replace(self.rows[key], state=state, scheduled_at=now.scheduled_at)


keys = st.sampled_from([f"G{n}" for n in range(6)])
moments = st.integers(-8 * 24 * 60, 8 * 24 * 60).map(lambda minutes: DAY + timedelta(minutes=minutes))
lists = st.lists(
    st.builds(theirs, keys, state=st.sampled_from(["open", "cancelled", "no_show", "delivered"]), scheduled_at=moments),
    unique_by=lambda row: row.registration_id,
)
books = st.lists(
    st.builds(
        ours,
        keys,
        state=st.sampled_from(["open", "cancelled", "no_show"]),
        scheduled_at=moments,
        exam_code=st.sampled_from(["200-301", "200-301", "350-401"]),
        candidate_id=st.sampled_from(["C1", "C1", "C2", None]),
    )
    | st.builds(
        ours,
        keys,
        state=st.sampled_from(["open", "cancelled", "no_show"]),
        scheduled_at=moments | st.none(),
        exam_code=st.none(),
        candidate_id=st.none(),
        vendor_candidate_id=st.none(),
        registered=st.just(value=False),
    ),
    unique_by=lambda row: row.registration_id,
)


@settings(max_examples=400)
@given(lists, books)
def test_after_all_is_taken_only_what_is_missing_there_and_what_nobody_may_take_is_left(
    their: list[Theirs], our: list[Ours]
) -> None:
    listed = {row.registration_id: row for row in their}
    book = Book(our)
    for finding in compare(listed, book.rows, FIRST, END):
        if finding is not None:
            book.take(finding, DAY + timedelta(seconds=1))
    for finding in compare(listed, book.rows, FIRST, END):
        if finding is not None and finding.kind is not Kind.MISSING_THERE:
            fields = {one.field for one in finding.differences}
            assert finding.kind is Kind.DIFFERENT
            assert fields & {"candidate_id", "exam_code"}, finding


@given(lists, books)
def test_every_registration_is_judged_once_and_the_other_way_round_it_is_the_same(
    their: list[Theirs], our: list[Ours]
) -> None:
    listed, kept = ({row.registration_id: row for row in side} for side in (their, our))
    all_at_once = list(compare(listed, kept, FIRST, END))  # type: ignore[arg-type]
    in_windows = []
    for keys in (("G0", "G1"), ("G2",), ("G3", "G4", "G5")):
        some = ({key: side[key] for key in keys if key in side} for side in (listed, kept))
        in_windows += list(compare(*some, FIRST, END))  # type: ignore[call-arg, arg-type]
    assert in_windows == all_at_once
    assert len([one for one in all_at_once if one is None or one.kind is not Kind.MISSING_THERE]) == len(listed)


# --- Lines of a list -------------------------------------------------------------------------------------------------

HEADER = "Registration ID\tClientCandidateID\tExamSeriesCode\tStatus\tAppointment Date\tSomething"
FIELDS = ["registration_id", "candidate_id", "exam_code", "state", "scheduled_at", ""]


def test_columns_are_known_by_name() -> None:
    assert header_of(HEADER, "tsv") == FIELDS
    with pytest.raises(NoList, match="scheduled_at"):
        header_of("registration_id,candidate_id,exam_code,state", "csv")
    with pytest.raises(NoList, match="vendor_candidate_id"):
        header_of("registration_id,exam_code,state,scheduled_at", "csv")
    with pytest.raises(NoList, match="twice"):
        header_of("registration_id,registration id,candidate_id,exam_code,state,scheduled_at", "csv")


def test_line_is_read_in_the_vendors_zone_where_it_names_none() -> None:
    row = read_line(7, "G1\tC1\t200-301\tNo Show\t2026/11/20 10:00:00\tx", FIELDS, "tsv", BERLIN)
    assert row == theirs(line=7, state="no_show", offset=60)


def test_json_lines_have_the_same_fields() -> None:
    text = '{"registration_id": "G1", "candidate_id": "C1", "exam_code": "200-301", "state": "scheduled", '
    row = read_line(1, text + '"scheduled_at": "2026-11-20T09:00:00Z"}', (), "jsonl", BERLIN)
    assert row == theirs(line=1)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("G1\t\t200-301\topen\t2026-11-20 10:00", "names no candidate"),
        ("\tC1\t200-301\topen\t2026-11-20 10:00", "registration_id is missing"),
        ("G 1\tC1\t200-301\topen\t2026-11-20 10:00", "registration_id is not of the form it should be"),
        ("G1\tC1\t200-301\tmaybe\t2026-11-20 10:00", "state is none that is known"),
        ("G1\tC1\t200-301\topen\tsoon", "scheduled_at is no moment like 2026-11-20T09:00:00+01:00"),
        ("G1", "names no candidate"),
    ],
)
def test_line_that_says_nothing_is_told_with_its_number(line: str, reason: str) -> None:
    assert read_line(3, line, FIELDS, "tsv", BERLIN) == Unreadable(3, reason)


@given(st.text(max_size=80), st.sampled_from(["tsv", "csv", "jsonl"]))
def test_no_line_breaks_the_reader(text: str, form: Any) -> None:
    read_line(1, text, FIELDS, form, BERLIN)
    with suppress(NoList):
        header_of(text, form)
