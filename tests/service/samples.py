"""Events as vendors and services publish them, for the tests to vary."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson

from libs.common.bus import topology
from libs.common.bus.messages import Delivery, Outgoing, Received
from libs.common.bus.outgoing import OutgoingEvents
from libs.common.events import SINGLE, CloudEvent, EventData, certs, exams, identity, vendors
from libs.common.ids import new_id

PROGRAM = "cisco"
EXAM = "200-301"
"""Gives the certification `CERTIFICATION` all by itself."""
CERTIFICATION = "CCNA"
TAKEN = datetime(2025, 3, 10, 10, tzinfo=UTC)


@dataclass(frozen=True)
class Letter:
    """A vendor's message before it is sent."""

    vendor: str
    routing_key: str
    body: bytes
    message_id: str
    content_type: str | None = SINGLE


def letter(data: EventData, *, vendor: str = "vue", program: str = PROGRAM, time: datetime = TAKEN) -> Letter:
    """A correct message of a vendor's."""
    key = f"{vendor}.{data.name}.v{data.version}"
    event_id = new_id()
    event = {
        "specversion": "1.0",
        "id": event_id,
        "source": vendor,
        "type": key,
        "time": time.isoformat(),
        "program": program,
        "data": data.model_dump(mode="json", exclude_none=True),
    }
    return Letter(vendor, key, orjson.dumps(event), event_id)


def outgoing(service: str, data: Sequence[EventData], *, program: str = PROGRAM, subject: str = "") -> list[Outgoing]:
    """Events as a service packs them; the subject is each one's candidate unless given."""
    events = OutgoingEvents(service)
    for version, part in enumerate(data, start=1):
        about = subject or str(getattr(part, "candidate_id", "nobody"))
        events.add(part, program=program, subject=about, version=version, cause=None, now=TAKEN)
    return events.messages()


def received(data: EventData, *, program: str = PROGRAM, event_id: str | None = None) -> Received[Any]:
    """A service's event as it reaches a handler."""
    key = data.event_key
    event = _envelope(data)(
        id=event_id or new_id(),
        source=f"certrail/{data.publisher}",
        type=data.event_type,
        subject=getattr(data, "candidate_id", None),
        time=TAKEN,
        program=program,
        data=data,
    )
    return Received(event, Delivery(b"", topology.EVENTS, key, SINGLE, data.event_type, event.id, None, {}))


def reported(
    data: EventData,
    *,
    vendor: str = "vue",
    program: str = PROGRAM,
    event_id: str | None = None,
    time: datetime = TAKEN,
) -> Received[Any]:
    """A vendor's event as it reaches a handler, past the border."""
    key = f"{vendor}.{data.name}.v{data.version}"
    event = _envelope(data)(id=event_id or new_id(), source=vendor, type=key, time=time, program=program, data=data)
    return Received(event, Delivery(b"{}", topology.VENDORS, key, SINGLE, key, event.id, vendor, {}))


def registration(person: str = "P1", registration_id: str = "G1", **changes: Any) -> vendors.ExamRegistered:
    fields: dict[str, Any] = {
        "vendor_candidate_id": person,
        "registration_id": registration_id,
        "exam_code": EXAM,
        "delivery": "test_center",
        "scheduled_at": TAKEN,
        "candidate": vendors.VendorCandidate(
            given_name="Zoë", family_name="Ångström", email=f"{person.lower()}@example.com", country="SE"
        ),
    }
    return vendors.ExamRegistered(**(fields | changes))


def result(person: str = "P1", result_id: str = "R1", revision: int = 1, **changes: Any) -> vendors.ExamResultReported:
    fields: dict[str, Any] = {
        "result_id": result_id,
        "revision": revision,
        "vendor_candidate_id": person,
        "registration_id": "G1",
        "exam_code": EXAM,
        "taken_at": TAKEN,
        "grade": "pass",
        "score": 900.0,
    }
    return vendors.ExamResultReported(**(fields | changes))


def person(value: str = "P1", kind: str = "vendor_candidate_id") -> vendors.CandidateReference:
    return vendors.CandidateReference(kind=kind, value=value)


def course(**changes: Any) -> vendors.CourseCompleted:
    fields: dict[str, Any] = {
        "completion_id": "K1",
        "candidate_ref": person(),
        "course_code": "ENCOR-ILT",
        "title": "Core technologies",
        "completed_on": date(2026, 10, 1),
        "credits": 30,
    }
    return vendors.CourseCompleted(**(fields | changes))


def achievement(**changes: Any) -> vendors.AchievementReported:
    fields: dict[str, Any] = {
        "achievement_id": "A1",
        "candidate_ref": {"kind": "vendor_candidate_id", "value": "P1"},
        "title": "Segment routing, hands-on",
        "achieved_on": date(2025, 3, 20),
        "kind": "hands-on",
        "issuer": "Lab house",
        "url": "https://lab.example/a1",
    }
    return vendors.AchievementReported(**(fields | changes))


def linked(person: str = "P1", candidate_id: str = "C1", vendor: str = "vue") -> identity.ExternalIdLinked:
    return identity.ExternalIdLinked(
        candidate_id=candidate_id, system=vendor, external_id=person, verified_by="registration", linked_at=TAKEN
    )


def passed(candidate_id: str = "C1", result_id: str = "R1", **changes: Any) -> exams.ExamPassed:
    return exams.ExamPassed(**(_outcome(candidate_id, result_id) | changes))


def failed(candidate_id: str = "C1", result_id: str = "R1", **changes: Any) -> exams.ExamFailed:
    return exams.ExamFailed(**(_outcome(candidate_id, result_id) | changes))


def invalidated(candidate_id: str = "C1", result_id: str = "R1", **changes: Any) -> exams.ExamResultInvalidated:
    fields = _outcome(candidate_id, result_id) | {"revision": 2, "previous_grade": "pass"}
    return exams.ExamResultInvalidated(**(fields | changes))


def awarded(candidate_id: str = "C1", certification: str = CERTIFICATION) -> certs.CertificationAwarded:
    return certs.CertificationAwarded(
        candidate_id=candidate_id,
        certification=certification,
        title=certification,
        earned_on=TAKEN.date(),
        expires_on=TAKEN.date() + timedelta(days=1095),
        because="Passed.",
    )


def _outcome(candidate_id: str, result_id: str) -> dict[str, Any]:
    return {
        "candidate_id": candidate_id,
        "result_id": result_id,
        "revision": 1,
        "registration_id": "G1",
        "exam_code": EXAM,
        "taken_on": date(2025, 3, 10),
        "taken_at": TAKEN,
        "known_at": TAKEN,
    }


def _envelope(data: EventData) -> type[CloudEvent[Any]]:
    model = type(data)
    return CloudEvent[model]  # type: ignore[valid-type]
