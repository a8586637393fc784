"""The job that every reference pipeline does: what each hop records, says and writes, free of any messaging.

Only what the vendor sent is validated (by the published model); the references trust their own events and read them as
plain dictionaries. That is less than a product may do, and in the references' favour.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

import orjson

from libs.common.events import CloudEvent, certs, exams, fulfillment, vendors
from libs.common.events.envelope import parse_single
from libs.common.ids import new_id
from tests.bench.population import CERTIFICATION

Event: TypeAlias = dict[str, Any]
Document: TypeAlias = dict[str, Any]
Report: TypeAlias = CloudEvent[vendors.ExamResultReported]

PASSED = exams.ExamPassed.event_key
AWARDED = certs.CertificationAwarded.event_key
OFFERED = fulfillment.BenefitOffered.event_key

CERTIFICATION_OF = {"200-301": CERTIFICATION}
TITLE_OF = {"CCNA": "Cisco Certified Network Associate"}
VALIDITY_YEARS = 3

SENDER = "certification@bench.example"


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail ready to send; its id is its cause's, so that sending it again is seen to be the same mail."""

    id: str
    recipient: str
    content: bytes


def read_report(body: bytes) -> Report:
    """A vendor's message. Raises `pydantic.ValidationError`."""
    return parse_single(vendors.ExamResultReported, body)


def read_events(body: bytes) -> list[Event]:
    """The events of one of our own messages, single or batch."""
    content = orjson.loads(body)
    return content if isinstance(content, list) else [content]


def read_event(body: bytes) -> Event:
    """The event of one of our own messages that holds a single one."""
    event: Event = orjson.loads(body)
    return event


def result_document(report: Report, candidate_id: str) -> Document:
    data = report.data
    return {
        "_id": f"{report.source}:{data.result_id}",
        "program": report.program,
        "candidate_id": candidate_id,
        "registration_id": data.registration_id,
        "exam_code": data.exam_code,
        "revision": data.revision,
        "grade": data.grade,
        "taken_at": data.taken_at,
        "score": data.score,
        "sections": [section.model_dump() for section in data.sections],
        "known_at": datetime.now(UTC),
    }


def passed_event(report: Report, result: Document) -> Event:
    data = report.data
    content = {
        "candidate_id": result["candidate_id"],
        "result_id": result["_id"],
        "revision": data.revision,
        "registration_id": data.registration_id,
        "exam_code": data.exam_code,
        "taken_on": data.taken_at.date(),
        "taken_at": data.taken_at,
        "known_at": result["known_at"],
        "score": data.score,
        "passing_score": data.passing_score,
    }
    origin = {"program": report.program, "correlationid": report.id, "causationid": report.id}
    return _event("exams", exams.ExamPassed.event_type, origin, content)


def fact_document(event: Event) -> Document:
    data = event["data"]
    return {
        "_id": data["result_id"],
        "program": event["program"],
        "candidate_id": data["candidate_id"],
        "exam_code": data["exam_code"],
        "taken_on": data["taken_on"],
        "revision": data["revision"],
    }


def certification_document(event: Event) -> Document:
    """The certification that a pass of its only exam earns."""
    data = event["data"]
    certification = CERTIFICATION_OF[data["exam_code"]]
    taken_on: str = data["taken_on"]
    return {
        "_id": f"{data['candidate_id']}:{certification}",
        "program": event["program"],
        "candidate_id": data["candidate_id"],
        "certification": certification,
        "title": TITLE_OF[certification],
        "earned_on": taken_on,
        "expires_on": f"{int(taken_on[:4]) + VALIDITY_YEARS}{taken_on[4:]}",
        "because": f"passed {data['exam_code']} on {taken_on}",
    }


def awarded_event(cause: Event, certification: Document) -> Event:
    content = {name: value for name, value in certification.items() if name not in {"_id", "program"}}
    return _follow(cause, "certs", certs.CertificationAwarded.event_type, content)


def kit_document(event: Event) -> Document:
    data = event["data"]
    return {
        "_id": f"{data['candidate_id']}:{data['certification']}:kit",
        "program": event["program"],
        "candidate_id": data["candidate_id"],
        "certification": data["certification"],
        "state": "offered",
        "offered_at": datetime.now(UTC),
    }


def offered_event(cause: Event, kit: Document) -> Event:
    content = {
        "candidate_id": kit["candidate_id"],
        "offer_id": kit["_id"],
        "benefit": "kit",
        "title": "Welcome kit",
        "certification": kit["certification"],
        "offered_at": kit["offered_at"],
    }
    return _follow(cause, "fulfillment", fulfillment.BenefitOffered.event_type, content)


def letter(event: Event, contact: Document) -> Letter:
    """The mail that an event causes: the result, or congratulations."""
    data = event["data"]
    if event["type"] == exams.ExamPassed.event_type:
        subject = f"Your result for {data['exam_code']}"
        text = f"you passed {data['exam_code']} on {data['taken_on']} with {data['score']:.0f} points."
    else:
        subject = f"You are now {data['certification']}"
        text = f"congratulations: {data['title']} is yours until {data['expires_on']}."
    content = (
        f"From: Certification <{SENDER}>\r\nTo: {contact['name']} <{contact['email']}>\r\nSubject: {subject}\r\n"
        f"Date: {datetime.now(UTC):%a, %d %b %Y %H:%M:%S} +0000\r\nMessage-ID: <{event['id']}@bench.example>\r\n"
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        f"Dear {contact['name']},\r\n\r\n{text}\r\n\r\nYour certification program\r\n"
    )
    return Letter(event["id"], contact["email"], content.encode())


def dump(event: Event) -> bytes:
    return orjson.dumps(event)


def _follow(cause: Event, service: str, event_type: str, content: dict[str, Any]) -> Event:
    chain = {"program": cause["program"], "correlationid": cause["correlationid"], "causationid": cause["id"]}
    return _event(service, event_type, chain, content)


def _event(service: str, event_type: str, origin: dict[str, str], content: dict[str, Any]) -> Event:
    return {
        "specversion": "1.0",
        "id": new_id(),
        "source": f"bench/{service}",
        "type": event_type,
        "subject": content["candidate_id"],
        "time": datetime.now(UTC),
        "datacontenttype": "application/json",
        **origin,
        "data": content,
    }
