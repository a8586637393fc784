"""The exams of one candidate: booked, moved, missed, failed, passed, and some day taken again to renew."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

from deploy.sample.journeys import ROADS, Road, Slot, offered
from deploy.sample.people import Person
from deploy.sample.reports import report
from deploy.sample.rows import CHANGED, REGISTERED, REPORTED, Row, Vendor

FIRST_EXAM_DAY = date(2024, 1, 24)
"""Early enough for the first bookings, up to 18 days before, to fall into January 2024."""
LAST_EXAM_DAY = date(2026, 11, 18)

PASS = 0.68
RETAKE = 0.85
GO_ON = 0.88
"""Chances: to pass an attempt, to try again after a fail, to go on to the next exam of the road."""
NO_SHOW, CANCELLED, RESCHEDULED = 0.035, 0.02, 0.06
ONLINE, WITH_ADDRESS, WITH_LANGUAGE = 0.4, 0.3, 0.6
RENEWAL = 0.4
"""Chance that somebody who could renew a single-exam certification does."""
RENEWAL_AFTER = (580, 760)
"""Days: beyond every waiting time after a pass, and before three years are over."""
RETAKE_AFTER = (17, 70)
"""Days after a fail: one to spare, because an exam begun before midnight may count for the next day."""


@dataclass(slots=True, eq=False)
class Attempt:
    """One exam taken, with the row that reports it."""

    slot: Slot
    passed: bool
    result: Row


@dataclass(slots=True, eq=False)
class Candidate:
    """One account-to-be: a person at a vendor in a program."""

    person: Person
    program: str
    vendor_candidate_id: str
    rows: list[Row] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    renewed: bool = False


def _begins(rng: Random, person: Person, day: date, *, online: bool) -> datetime:
    """When an exam of that local day begins; online at any hour, so that the day in UTC is often another."""
    minute = rng.randrange(0, 96) * 15 if online else 8 * 60 + rng.randrange(0, 19) * 30
    return datetime.combine(day, time(minute // 60, minute % 60), person.zone)


class _Career:
    """Plays one candidate's exams in the order of the calendar."""

    def __init__(self, vendor: Vendor, candidate: Candidate) -> None:
        self.vendor = vendor
        self.rng = vendor.rng
        self.candidate = candidate

    def _add(self, kind: str, at: datetime, data: dict[str, Any]) -> Row:
        row = self.vendor.row(kind, self.candidate.program, at, data)
        self.candidate.rows.append(row)
        return row

    def _book(self, code: str, begins: datetime, *, online: bool, lead: timedelta) -> str:
        person = self.candidate.person
        registration_id = self.vendor.registration_id()
        data: dict[str, Any] = {
            "vendor_candidate_id": self.candidate.vendor_candidate_id,
            "registration_id": registration_id,
            "exam_code": code,
            "delivery": "online" if online else "test_center",
            "scheduled_at": begins.isoformat(),
            "candidate": {
                "given_name": person.given_name,
                "family_name": person.family_name,
                "email": person.email,
                "country": person.country,
            },
        }
        if self.rng.random() < WITH_ADDRESS:
            street = f"{self.rng.randrange(1, 400)} {person.city}"
            data["address"] = {
                "lines": [street],
                "city": person.city,
                "postal_code": f"{self.rng.randrange(10_000, 99_999)}",
                "country": person.country,
            }
        if self.rng.random() < WITH_LANGUAGE:
            data["language"] = person.language
        if not online:
            data["site"] = f"{person.city} {self.rng.randrange(1, 6)}"
        self._add(REGISTERED, begins - lead, data)
        return registration_id

    def _change(self, registration_id: str, change: str, at: datetime, to: datetime | None = None) -> None:
        data = {"registration_id": registration_id, "change": change}
        if to is not None:
            data["scheduled_at"] = to.isoformat()
        self._add(CHANGED, at, data)

    def _appointment(self, code: str, day: date) -> tuple[str, datetime, bool] | None:
        """A booking that leads to an attempt on `day`, or None where it was cancelled or missed."""
        online = self.rng.random() < ONLINE
        begins = _begins(self.rng, self.candidate.person, day, online=online)
        lead = timedelta(days=self.rng.randrange(3, 14), minutes=self.rng.randrange(0, 900))
        chance = self.rng.random()
        if chance < RESCHEDULED:
            first = begins + timedelta(days=self.rng.choice([-3, -2, 5, 9, 14]))
            lead += first - min(first, begins)
            booked = self._book(code, first, online=online, lead=lead)
            self._change(booked, "rescheduled", min(first, begins) - timedelta(days=2), begins)
            return booked, begins, online
        booked = self._book(code, begins, online=online, lead=lead)
        if chance < RESCHEDULED + NO_SHOW:
            self._change(booked, "no_show", begins + timedelta(hours=1))
            return None
        if chance < RESCHEDULED + NO_SHOW + CANCELLED:
            self._change(booked, "cancelled", begins - timedelta(days=1))
            return None
        return booked, begins, online

    def _sit(self, slot: Slot, code: str, appointment: tuple[str, datetime, bool], *, passed: bool) -> None:
        booked, begins, online = appointment
        taken_at = begins + timedelta(minutes=self.rng.randrange(0, 25))
        delay = self.rng.choice([20, 45, 90, 240, 1500, 2000])
        data: dict[str, Any] = {
            "result_id": self.vendor.result_id(),
            "revision": 1,
            "vendor_candidate_id": self.candidate.vendor_candidate_id,
            "registration_id": booked,
            "exam_code": code,
            "taken_at": taken_at.isoformat(),
            **report(self.rng, self.candidate.program, code, passed=passed),
        }
        if online:
            data["score_report_url"] = f"https://reports.{self.vendor.name}.example/{data['result_id']}"
        row = self._add(REPORTED, taken_at + timedelta(minutes=delay), data)
        self.candidate.attempts.append(Attempt(slot, passed, row))

    def take(self, slot: Slot, day: date, *, chance: float = PASS) -> date | None:
        """Try a slot until it is passed; the day of the pass, or None where the candidate gave up."""
        while True:
            codes, day = offered(slot, day)
            if day > LAST_EXAM_DAY:
                return None
            code = self.rng.choice(codes)
            appointment = self._appointment(code, day)
            if appointment is not None:
                passed = self.rng.random() < chance
                self._sit(slot, code, appointment, passed=passed)
                if passed:
                    return day
            if self.rng.random() > RETAKE:
                return None
            day += timedelta(days=self.rng.randrange(*RETAKE_AFTER))

    def play(self, road: Road, day: date) -> None:
        """Take the exams of a road one after the other, from `day` on, and perhaps renew much later."""
        passed_on: date | None = None
        for slot in road.slots:
            passed_on = self.take(slot, day)
            if passed_on is None or self.rng.random() > GO_ON:
                break
            day = passed_on + timedelta(days=self.rng.randrange(20, 150))
        if road.renewable and passed_on is not None and self.rng.random() < RENEWAL:
            self._renew(road.slots[0], passed_on + timedelta(days=self.rng.randrange(*RENEWAL_AFTER)))

    def _renew(self, slot: Slot, day: date) -> None:
        """Pass the same certification's exam again; at once, so that no retake falls into a waiting time."""
        self.candidate.renewed = self.take(slot, day, chance=1.0) is not None


def play_candidate(vendor: Vendor, person: Person, program: str, vendor_candidate_id: str) -> Candidate:
    """A candidate with a road chosen by popularity and everything that came of it."""
    candidate = Candidate(person, program, vendor_candidate_id)
    roads = [road for road in ROADS if road.program == program]
    road = vendor.rng.choices(roads, [road.weight for road in roads])[0]
    latest = (LAST_EXAM_DAY - FIRST_EXAM_DAY).days - 30
    start = FIRST_EXAM_DAY + timedelta(days=vendor.rng.randrange(latest))
    _Career(vendor, candidate).play(road, start)
    return candidate
