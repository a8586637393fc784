"""Messages a vendor should not send, one fault each, and a few odd ones that are right all the same."""

import base64
import gzip
import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from deploy.sample.messages import (
    ACCEPTED,
    FORBIDDEN,
    FORGED,
    REMOVED,
    TOO_LARGE_FOR_BROKER,
    Composer,
    Message,
    altered,
    rejected,
)
from deploy.sample.rows import REGISTERED, REPORTED, Row

RESULT: dict[str, Any] = {
    "result_id": "R990000001",
    "revision": 1,
    "vendor_candidate_id": "99000001",
    "registration_id": "990000001",
    "exam_code": "200-301",
    "taken_at": "2026-11-19T10:00:00+01:00",
    "grade": "pass",
    "score": 850,
}
REGISTRATION: dict[str, Any] = {
    "vendor_candidate_id": "99000001",
    "registration_id": "990000001",
    "exam_code": "200-301",
    "delivery": "test_center",
    "scheduled_at": "2026-11-19T10:00:00+01:00",
    "candidate": {
        "given_name": "Nadie",
        "family_name": "Nirgends",
        "email": "nadie@example.com",
        "country": "DE",
    },
}

ENVELOPE_FAULTS: tuple[tuple[str, str, Any], ...] = (
    ("no specversion", "specversion", REMOVED),
    ("specversion of an old draft", "specversion", "0.3"),
    ("no id", "id", REMOVED),
    ("an empty id", "id", ""),
    ("no source", "source", REMOVED),
    ("no type", "type", REMOVED),
    ("no time", "time", REMOVED),
    ("time without offset", "time", "2026-11-20T12:00:00"),
    ("time in the year 9999", "time", "9999-12-31T23:59:59Z"),
    ("no program", "program", REMOVED),
    ("program is not a name", "program", "Cisco Systems!"),
    ("the source is another vendor", "source", "psi"),
    ("data is said to be XML", "datacontenttype", "text/xml"),
)
RESULT_FAULTS: tuple[tuple[str, str, Any], ...] = (
    ("revision 0", "revision", 0),
    ("revision as text", "revision", "1"),
    ("revision is true", "revision", True),
    ("revision with 40 digits", "revision", 10**39),
    ("no result_id", "result_id", REMOVED),
    ("result_id with a line break", "result_id", "R1\r\nX-Injected: yes"),
    ("grade is no grade", "grade", "passed with honours"),
    ("grade is null", "grade", None),
    ("score is not a number", "score", math.nan),
    ("score is infinite", "score", math.inf),
    ("taken in the year 9999", "taken_at", "9999-12-31T23:59:59Z"),
    ("taken without offset", "taken_at", "2026-11-19T10:00:00"),
    ("taken on 30 February", "taken_at", "2026-02-30T10:00:00Z"),
    ("taken at a Unix time", "taken_at", 1_795_000_000),
    ("exam code of 100,000 characters", "exam_code", "9" * 100_000),
    ("a section with 101 percent", "sections", [{"name": "Routing", "percent": 101}]),
    ("10,000 sections", "sections", [{"name": "Routing", "percent": 50}] * 10_000),
)
REGISTRATION_FAULTS: tuple[tuple[str, str, Any], ...] = (
    ("no candidate", "candidate", REMOVED),
    ("candidate is a list", "candidate", ["Nadie", "Nirgends"]),
    ("no email", "candidate.email", REMOVED),
    ("email without a domain", "candidate.email", "nadie@"),
    ("email with a second header", "candidate.email", "nadie@example.com\r\nBcc: all@example.com"),
    ("country in full", "candidate.country", "Germany"),
    ("country in small letters", "candidate.country", "de"),
    ("name with a line break", "candidate.given_name", "Nadie\r\nBcc: all@example.com"),
    ("name with a null character", "candidate.family_name", "Nir\u0000gends"),
    ("name of blanks", "candidate.given_name", "   "),
    ("name of 100,000 characters", "candidate.family_name", "N" * 100_000),
    ("unknown kind of delivery", "delivery", "carrier_pigeon"),
)
OTHER_PLANES = "A\u03a9\u05d0\u4e2d\U00010400\U0001f600\U00020bb7\U00031350\U000e0100\U000f0000\U00100000"
"""One character or more of each plane that has assigned ones: 0 to 3, 14, and the private ones 15 and 16."""


def _text(event: object) -> str:
    return json.dumps(event, ensure_ascii=False)


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


class _Invalid:
    """The messages by kind; each method yields those of one kind."""

    def __init__(self, plain: Mapping[str, Row]) -> None:
        self.composer = Composer()
        self.message = self.composer.message
        self.plain = plain

    def result(self, vendor: str = "vue", program: str = "cisco", **changes: Any) -> dict[str, Any]:
        return self.composer.envelope(vendor, program, REPORTED, RESULT | changes)

    def registration(self, vendor: str = "vue", program: str = "cisco", **changes: Any) -> dict[str, Any]:
        return self.composer.envelope(vendor, program, REGISTERED, REGISTRATION | changes)

    def transport(self) -> Iterator[Message]:
        """Faults of the message around the event."""
        large = {"text": "x", "times": 1_000_000}
        yield self.message("a body of 1,000,000 bytes", rejected("too_large"), self.result(), body_repeat=large)
        for content_type in ("application/json", "text/plain", "application/cloudevents-batch+json", None):
            why = f"content type {content_type or 'missing'}"
            yield self.message(why, rejected("content_type"), self.result(), content_type=content_type)
        yield self.message("no user_id", rejected("user_id_missing"), self.result(), user_id=None)

    def refused(self) -> Iterator[Message]:
        """What the broker does not let in."""
        huge = {"text": "x", "times": 20_000_000}
        yield self.message("a body of 20 MB", TOO_LARGE_FOR_BROKER, self.result(), body_repeat=huge)
        yield self.message("a forged user_id", FORGED, self.result(), user_id="psi")
        for key in ("psi.ExamResultReported.v1", "exams.ExamPassed.v1", "vue"):
            yield self.message(f"routing key {key}", FORBIDDEN, self.result(), routing_key=key)

    def unreadable(self) -> Iterator[Message]:
        """Bodies that are not JSON."""
        good = _text(self.result())
        code = rejected("not_json")
        yield self.message("an empty body", code, self.result(), body="")
        yield self.message("plain text", code, self.result(), body="The candidate has passed.")
        yield self.message("XML", code, self.result(), body="<result grade='pass'/>")
        yield self.message("cut off in the middle", code, self.result(), body=good[: len(good) // 2])
        yield self.message("two objects in one body", code, self.result(), body=good + good)
        yield self.message("single quotes", code, self.result(), body=good.replace('"', "'"))
        yield self.message("a byte order mark", code, self.result(), body=f"\ufeff{good}")
        broken = good.replace("200-301", "200-301\udcff").encode("utf-8", "surrogateescape")
        yield self.message("invalid UTF-8", code, self.result(), body_base64=_base64(broken))
        yield self.message("UTF-16", code, self.result(), body_base64=_base64(good.encode("utf-16-le")))
        packed = gzip.compress(good.encode(), mtime=0)
        yield self.message("compressed", code, self.result(), body_base64=_base64(packed))
        nested = good.replace('"pass"', f'"pass", "more": {"[" * 10_000}{"]" * 10_000}')
        yield self.message("nested 10,000 levels deep", code, self.result(), body=nested)
        event = self.registration()
        lonely = _text(event).replace("Nadie", r"Na\ud800die")
        yield self.message("half a surrogate pair", code, event, body=lonely)

    def envelopes(self) -> Iterator[Message]:
        """JSON that is no event, or not a whole one."""
        code = rejected("envelope")
        for why, body in (("an array", _text([self.result()])), ("a number", "42"), ("null", "null")):
            yield self.message(f"the body is {why}", code, self.result(), body=body)
        for why, path, value in ENVELOPE_FAULTS:
            event = self.result()
            yield self.message(why, code, event, body=_text(altered(event, path, value)))

    def types(self) -> Iterator[Message]:
        """Events of no known type, or not of the type they are sent as."""
        for kind in ("Nonsense.v1", "ExamResultReported.v2", "examresultreported.v1"):
            event = self.composer.envelope("vue", "cisco", kind, RESULT)
            yield self.message(f"unknown type {kind}", rejected("unknown_type"), event)
        for claimed in ("vue.ExamRegistered.v1", "psi.ExamResultReported.v1", "certrail.exams.ExamPassed.v1"):
            event = self.result()
            body = _text(event | {"type": claimed})
            yield self.message(f"sent as a result, says {claimed}", rejected("type_mismatch"), event, body=body)

    def catalogue(self) -> Iterator[Message]:
        """Programs and exams that do not exist."""
        yield self.message("unknown program", rejected("unknown_program"), self.result(program="nosuch"))
        yield self.message("unknown program", rejected("unknown_program"), self.registration(program="ciscoo"))
        unknown = rejected("unknown_exam")
        yield self.message("unknown exam", unknown, self.result(exam_code="200-999"))
        yield self.message("unknown exam", unknown, self.registration(exam_code="999-999"))
        yield self.message("an exam of the other program", unknown, self.result(exam_code="JN0-106"))

    def data(self) -> Iterator[Message]:
        """Faults in what is reported."""
        code = rejected("schema")
        for why, path, value in RESULT_FAULTS:
            event = self.result()
            yield self.message(why, code, event | {"data": altered(event["data"], path, value)})
        for why, path, value in REGISTRATION_FAULTS:
            event = self.registration()
            yield self.message(why, code, event | {"data": altered(event["data"], path, value)})
        event = self.composer.envelope(
            "vue", "cisco", "ExamAppointmentChanged.v1", {"registration_id": "1", "change": "rescheduled"}
        )
        yield self.message("moved, but to when is not said", code, event)
        event = self.result()
        yield self.message("data is a text", code, event | {"data": "pass"})
        event = self.result()
        twice = _text(event).replace('"grade": "pass"', '"grade": "pass", "grade": "perhaps"')
        yield self.message("a key twice, the second value wrong", code, event, body=twice)

    def conflicts(self) -> Iterator[Message]:
        """A known revision that says something else than it did."""
        for vendor, row in self.plain.items():
            grade = "fail" if row.data["grade"] == "pass" else "pass"
            event = self.composer.envelope(vendor, row.program, REPORTED, row.data | {"grade": grade})
            yield self.message("the same revision with another grade", rejected("revision_conflict"), event)

    def odd(self) -> Iterator[Message]:
        """Unusual, and right."""
        person = REGISTRATION["candidate"]
        planes = person | {"given_name": OTHER_PLANES, "family_name": OTHER_PLANES[::-1].strip("A")}
        yield self.message("a name from every plane of Unicode", ACCEPTED, self.registration(candidate=planes))
        yield self.message("score 0", ACCEPTED, self.result(grade="fail", score=0))
        ids = {"vendor_candidate_id": "99000002", "registration_id": "990000002"}
        emoji = person | {
            "given_name": "🦊",
            "family_name": "👩🏽‍🚀 von 🏴󠁧󠁢󠁷󠁬󠁳󠁿",
            "nickname": "not in the contract",
        }
        event = self.registration("psi", "juniper", **ids, exam_code="JN0-105", candidate=emoji, price={"EUR": 200})
        yield self.message("emoji, and fields nobody asked for", ACCEPTED, event | {"comexampleshard": "7"})
        leap = {"taken_at": "2024-02-29T09:00:00+01:00", "result_id": "R990000002"}
        yield self.message("29 February", ACCEPTED, self.result("psi", "juniper", **ids, **leap, exam_code="JN0-105"))
        ids = {"vendor_candidate_id": "99000003", "registration_id": "990000003"}
        kiritimati = person | {"country": "KI", "email": "o'nadie+it@example.com"}
        yield self.message("an apostrophe in an address", ACCEPTED, self.registration(**ids, candidate=kiritimati))
        new_year = {"taken_at": "2025-01-01T00:30:00.250+14:00", "result_id": "R990000003"}
        event = self.result(**ids, **new_year)
        yield self.message("fourteen hours ahead of UTC", ACCEPTED, event)
        shuffled = json.dumps(dict(reversed(event.items())), indent=1)
        yield self.message("the same event, written in another order", ACCEPTED, event, body=shuffled)
        ids = {"vendor_candidate_id": "99000004", "registration_id": "990000004"}
        long = person | {"given_name": "Ł" * 200, "family_name": "."}
        event = self.registration("psi", **ids, candidate=long)
        charset = "application/cloudevents+json; charset=utf-8"
        yield self.message("a name of 200 letters, a charset", ACCEPTED, event, content_type=charset)
        event = self.result("psi", **ids, result_id="R990000004", revision=3)
        yield self.message("revision 3 is the first to arrive", ACCEPTED, event)

    def all(self) -> Iterator[Message]:
        for kind in (
            self.transport,
            self.refused,
            self.unreadable,
            self.envelopes,
            self.types,
            self.catalogue,
            self.data,
            self.conflicts,
            self.odd,
        ):
            yield from kind()


def invalid_messages(plain: Mapping[str, Row]) -> list[Message]:
    """All messages in playing order; `plain` holds a result of each vendor to make a conflict with."""
    return list(_Invalid(plain).all())
