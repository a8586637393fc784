"""One row of a vendor's feed, and the ids a vendor gives."""

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any

REGISTERED = "ExamRegistered.v1"
CHANGED = "ExamAppointmentChanged.v1"
REPORTED = "ExamResultReported.v1"


@dataclass(slots=True, eq=False)
class Row:
    """One event as the vendor sends it. Rows are compared by identity: a repeated delivery is another row."""

    id: str
    type: str
    program: str
    time: datetime
    data: dict[str, Any]

    def line(self) -> str:
        """The row as one line of JSON."""
        return json.dumps(
            {
                "id": self.id,
                "type": self.type,
                "program": self.program,
                "time": utc_text(self.time),
                "data": self.data,
            },
            ensure_ascii=False,
        )


def utc_text(moment: datetime) -> str:
    """A moment in UTC, to the second, with a `Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Vendor:
    """A test vendor: its name and its counters.

    Both vendors count candidates, registrations and results through the same numbers, as vendors who know
    nothing of each other may do: only together with the vendor's name does such a number mean anything.
    """

    def __init__(self, name: str, rng: Random) -> None:
        self.name = name
        self.rng = rng
        self._candidates = 10_000_000
        self._registrations = 400_000_000
        self._results = 700_000_000

    def event_id(self) -> str:
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    def candidate_id(self) -> str:
        self._candidates += 1
        return str(self._candidates)

    def registration_id(self) -> str:
        self._registrations += 1
        return str(self._registrations)

    def result_id(self) -> str:
        self._results += 1
        return f"R{self._results}"

    def row(self, kind: str, program: str, time: datetime, data: dict[str, Any]) -> Row:
        """A new event with an id of its own."""
        return Row(self.event_id(), kind, program, time.astimezone(UTC), data)
