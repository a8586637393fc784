"""Order does not matter: any permutation and duplication of what is known ends in the same certifications."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from itertools import count
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from libs.common.bus.messages import Received
from libs.common.events import BATCH, exams, service_event
from libs.common.programs import Program
from services.exams.consumers import ServiceEvents, VendorMessages
from services.exams.store import ExamsStore
from tests.service.certs_station import CertsStation
from tests.service.conftest import OpenBase
from tests.service.rig import Base, Kept
from tests.service.samples import invalidated, linked, passed, received, registration, reported, result

PROGRAM = "juniper"
BOUNDED = settings(max_examples=25, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
_candidates = count(1)

ATTEMPTS = (
    # Associate, specialist, professional: each needs the one before to be active on its day.
    ("JN0-105", date(2024, 2, 29)),
    ("JN0-351", date(2024, 9, 1)),
    ("JN0-649", date(2025, 5, 5)),
    ("JN0-232", date(2025, 6, 6)),
)

Certifications = list[dict[str, Any]]


@st.composite
def arrivals(draw: st.DrawFn, size: int) -> list[list[int]]:
    """Batches of positions: every one of `size` at least once, in any order, some of them repeated."""
    order = list(draw(st.permutations(range(size))))
    for repeated in draw(st.lists(st.integers(0, size - 1), max_size=size)):
        order.insert(draw(st.integers(0, len(order))), repeated)
    batches: list[list[int]] = [[]]
    for position in order:
        batches[-1].append(position)
        if draw(st.booleans()):
            batches.append([])
    return [batch for batch in batches if batch]


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def facts(candidate_id: str) -> list[Received[Any]]:
    """A career with a failed try made good, a pass taken back, and a pass void for good."""
    events: list[Received[Any]] = []
    for number, (code, day) in enumerate(ATTEMPTS):
        about = {"exam_code": code, "taken_on": day, "taken_at": noon(day), "known_at": noon(day)}
        result_id = f"{candidate_id}-R{number}"
        events.append(received(passed(candidate_id, result_id, **about), program=PROGRAM))
        if number == 1:
            events += [
                received(revised(events[-1], 2, "fail"), program=PROGRAM),
                received(revised(events[-1], 3, "pass"), program=PROGRAM),
            ]
        if number == len(ATTEMPTS) - 1:
            events.append(received(invalidated(candidate_id, result_id, **about | {"revision": 2}), program=PROGRAM))
    return events


def revised(earlier: Received[exams.ExamPassed], revision: int, grade: str) -> exams.ExamResultRevised:
    fields = earlier.data.model_dump() | {"revision": revision, "grade": grade, "previous_grade": "pass"}
    return exams.ExamResultRevised(**fields)


async def certifications(base: Base, candidate_id: str) -> Certifications:
    """What the candidate holds and why, with the ids of facts made comparable between candidates."""
    (row,) = await base.rows("candidates", _id=candidate_id)
    text = orjson.dumps(row["certifications"]).replace(candidate_id.encode(), b"C")
    return sorted(orjson.loads(text), key=lambda entry: str(entry["certification"]))


async def certify(base: Base, programs: dict[str, Program], batches: Sequence[Sequence[Received[Any]]]) -> None:
    station = CertsStation(base, programs)
    for batch in batches:
        await station.take(*batch)


@BOUNDED
@given(data=st.data())
async def test_any_order_and_repetition_of_facts_gives_the_same_certifications(
    base_of: OpenBase, programs: dict[str, Program], data: st.DataObject
) -> None:
    async with base_of("certs") as base:
        straight, shuffled = (f"C{next(_candidates)}x" for _ in range(2))
        await certify(base, programs, [[fact] for fact in facts(straight)])
        mixed = facts(shuffled)
        batches = data.draw(arrivals(len(mixed)))
        await certify(base, programs, [[mixed[position] for position in batch] for batch in batches])
        expected = await certifications(base, straight)
        assert [entry["certification"] for entry in expected] == ["JNCIA-Junos", "JNCIP-ENT", "JNCIS-ENT"]
        assert await certifications(base, shuffled) == expected


def messages(person: str) -> list[tuple[str, Received[Any]]]:
    """Everything a vendor and identity say of a person, each with who takes it in."""
    said: list[tuple[str, Received[Any]]] = [("link", received(linked(person, f"{person}-C"), program=PROGRAM))]
    for number, (code, day) in enumerate(ATTEMPTS[:3]):
        common = {"exam_code": code, "registration_id": f"{person}-G{number}"}
        booked = registration(person, scheduled_at=noon(day), **common)
        said.append(("vendor", reported(booked, program=PROGRAM)))
        grades = ("pending", "fail", "pass") if number == 1 else ("pass",)
        for revision, grade in enumerate(grades, start=1):
            report = result(person, f"{person}-R{number}", revision, grade=grade, taken_at=noon(day), **common)
            said.append(("vendor", reported(report, program=PROGRAM)))
    return said


class Chain:
    """Exams and certs, one after the other, with the bus between them in the test's hand."""

    def __init__(self, exams: Base, certs: Base, programs: dict[str, Program]) -> None:
        self.exams, self.certs, self.programs = exams, certs, programs
        store = ExamsStore(exams.database)
        self._handlers = {"vendor": VendorMessages(store).handle, "link": ServiceEvents(store).handle}

    async def take(self, batch: Sequence[tuple[str, Received[Any]]]) -> None:
        for kind, handle in self._handlers.items():
            items = [item for taker, item in batch if taker == kind]
            if items:
                await self.exams.handle(handle, *items)

    def results_said(self) -> list[Received[Any]]:
        """What exams has said of results since the last look, as certs would receive it."""
        assert isinstance(self.exams.relay, Kept)
        said: list[Received[Any]] = []
        for message in self.exams.relay.messages:
            model = service_event(message.type)
            assert model is not None
            body = orjson.loads(message.body)
            events = body if message.content_type == BATCH else [body]
            results = [orjson.dumps(event["data"]) for event in events if "result_id" in event["data"]]
            said += [received(model.model_validate_json(one), program=PROGRAM) for one in results]
        self.exams.relay.messages.clear()
        return said

    async def play(self, batches: Sequence[Sequence[tuple[str, Received[Any]]]], draw: Any) -> None:
        for batch in batches:
            await self.take(batch)
        said = self.results_said()
        order = draw(len(said))
        await certify(self.certs, self.programs, [[said[position] for position in batch] for batch in order])


@BOUNDED
@given(data=st.data())
async def test_any_order_and_repetition_of_vendors_messages_gives_the_same_certifications(
    base_of: OpenBase, programs: dict[str, Program], data: st.DataObject
) -> None:
    async with base_of("exams") as exams_base, base_of("certs") as certs_base:
        chain = Chain(exams_base, certs_base, programs)
        straight, shuffled = (f"P{next(_candidates)}x" for _ in range(2))
        await chain.play([[message] for message in messages(straight)], lambda size: [[n] for n in range(size)])
        mixed = messages(shuffled)
        batches = data.draw(arrivals(len(mixed)))
        await chain.play(
            [[mixed[position] for position in batch] for batch in batches],
            lambda size: data.draw(arrivals(size)),
        )
        expected = await certifications(certs_base, f"{straight}-C")
        found = await certifications(certs_base, f"{shuffled}-C")
        assert [entry["certification"] for entry in expected] == ["JNCIA-Junos", "JNCIP-ENT", "JNCIS-ENT"]
        assert without_person(found, shuffled) == without_person(expected, straight)


def without_person(found: Certifications, person: str) -> Any:
    return orjson.loads(orjson.dumps(found).replace(person.encode(), b"P"))


@pytest.mark.parametrize("size", [1, 4])
@given(data=st.data())
def test_arrivals_hold_everything(size: int, data: st.DataObject) -> None:
    batches = data.draw(arrivals(size))
    assert {position for batch in batches for position in batch} == set(range(size))
