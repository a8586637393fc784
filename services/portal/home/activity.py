"""What happened lately, of all kinds. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from services.portal.backend.shapes import Attempt, Line
from services.portal.home.shapes import Claim, ParcelRow, Shared
from services.portal.languages import mark, say, say_many
from services.portal.languages.days import day_there
from services.portal.web.vendor_names import vendor_name

MOST: Final = 5


@dataclass(frozen=True, slots=True)
class Happened:
    """Something that happened.

    Attributes:
        on: the day in the reader's zone, or in the calendar that it counts in.
        text: what it means.
    """

    on: date
    title: str
    text: str
    link: str


def activity_of(
    lines: Sequence[Line],
    attempts: Sequence[Attempt],
    claims: Sequence[Claim],
    parcels: Sequence[ParcelRow],
    shared: Sequence[Shared],
    *,
    titles: Mapping[str, str],
    today: date,
) -> list[Happened]:
    """The latest first; of one day, certifications before what earned them."""
    found = [*_lines(lines, titles), *_attempts(attempts), *_claims(claims), *_parcels(parcels), *_shared(shared)]
    return sorted((one for one in found if one.on <= today), key=lambda one: one.on, reverse=True)[:MOST]


def _lines(lines: Sequence[Line], titles: Mapping[str, str]) -> Iterator[Happened]:
    for line in lines:
        sentence = _LINES.get(line.kind)
        if sentence is not None and line.withdrawn_at is None:
            title = say(sentence, certification=titles.get(line.certification, line.certification))
            yield Happened(line.on, title, line.text, f"/certifications/{line.certification}")


def _attempts(attempts: Sequence[Attempt]) -> Iterator[Happened]:
    for one in attempts:
        exam = one.exam_code or one.title or vendor_name(one.vendor)
        by_state = _STATES.get(one.state)
        sentence = by_state or _GRADES.get(one.grade or "")
        if sentence is not None:
            # A grade's own words are in the title already.
            text = one.text if by_state else one.title or one.text
            yield Happened(one.taken_on, say(sentence, exam=exam), text, "/exams")


def _claims(claims: Sequence[Claim]) -> Iterator[Happened]:
    for one in claims:
        if one.decided_at is not None and one.state == "accepted":
            title = (
                say_many("{count} credit validated", "{count} credits validated", one.credits)
                if one.credits
                else say("Course accepted")
            )
            yield Happened(day_there(one.decided_at), title, one.title, "/credits")
        elif one.decided_at is not None and one.state == "rejected":
            yield Happened(day_there(one.decided_at), say("Claim refused"), one.title, "/credits")
        elif one.state == "pending":
            yield Happened(day_there(one.submitted_at), say("Claim handed in"), one.title, "/credits")


def _parcels(parcels: Sequence[ParcelRow]) -> Iterator[Happened]:
    for one in parcels:
        last = one.history[-1] if one.history else None
        sentence = _PARCELS.get(one.state)
        if last is not None and sentence is not None:
            yield Happened(day_there(last.at), say(sentence), one.title, f"/kits/{one.order_id}")


def _shared(shared: Sequence[Shared]) -> Iterator[Happened]:
    for one in shared:
        views = say_many("{count} view", "{count} views", one.views)
        title = say("Transcript shared: {label}", label=one.label)
        yield Happened(day_there(one.created_at), title, views, f"/share/transcripts/{one.transcript_id}")


_LINES: Final = {
    "awarded": mark("{certification} earned"),
    "renewed": mark("{certification} renewed"),
    "extended": mark("{certification} extended"),
    "imported": mark("{certification} taken over from an earlier system"),
    "reactivated": mark("{certification} active again"),
    "expired": mark("{certification} expired"),
    "grant": mark("{certification} granted by staff"),
    "revoke": mark("{certification} revoked"),
    "suspend": mark("{certification} suspended"),
    "reinstate": mark("{certification} reinstated"),
    "extend": mark("{certification} extended by staff"),
}
_STATES: Final = {
    "waiting": mark("Sat {exam}"),
    "provisional": mark("Passed {exam}, provisionally"),
    "invalidated": mark("{exam} result withdrawn"),
    "no_show": mark("{exam} not taken"),
    "nda_refused": mark("{exam} not taken"),
    "achieved": mark("Achieved: {exam}"),
}
_GRADES: Final = {"pass": mark("Passed {exam}"), "fail": mark("{exam} not passed"), "pending": mark("Sat {exam}")}
_PARCELS: Final = {
    "pending": mark("Parcel ordered"),
    "ordered": mark("Parcel ordered"),
    "in_production": mark("Parcel in production"),
    "shipped": mark("Parcel shipped"),
    "delivered": mark("Parcel delivered"),
    "returned": mark("Parcel came back"),
}
