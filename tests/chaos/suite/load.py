"""The vendor's messages, drawn from a seed, and what they must lead to by the second account of the sample feed.

Most candidates have one result, so whatever the order in which things arrive, the same mails and parcels follow. The
others climb: several results on several days, some of them revised. Of those only what stands in the end is the same
in every order; how often they are told on the way is not.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import orjson

from deploy.sample.count import Account, Count
from libs.common.bus import topology
from libs.common.bus.messages import Outgoing
from libs.common.events import SINGLE
from tests.e2e.vendor import NAME, Vendor

PROGRAM = "cisco"
Row = dict[str, Any]

SINGLES = ("200-301", "200-201", "200-901", "820-605", "350-401")
LADDER = ("200-301", "350-401", "300-410", "300-420", "350-701")
CLIMBS = 0.15
FAILS = 0.2
EARLY = 0.1
"""Share of results that come before their registration."""
REPEATED = 0.03
REVISED = 0.3
"""Share of the climbers' results that come again with another grade."""
LONGEST_AGO_DAYS = 1_500
"""So that some of the certifications have expired already."""
IN_FLIGHT = 64
HOUR = 10


@dataclass
class Load:
    """An endless stream of messages about candidates, the same for the same seed.

    Attributes:
        prefix: begins every id and address.
        singles: rows about candidates with one result, as far as they were drawn.
        climbers: rows about the others.
    """

    prefix: str
    seed: int
    today: date
    singles: list[Row] = field(default_factory=list)
    climbers: list[Row] = field(default_factory=list)
    candidates: int = 0

    def __post_init__(self) -> None:
        self._rng = Random(self.seed)
        self._rest: deque[Row] = deque()

    def __iter__(self) -> Iterator[Row]:
        """Row after row, a candidate's together, now and then one that was there before."""
        last: list[Row] = []
        while True:
            if last and self._rng.random() < REPEATED:
                yield self._rng.choice(last)
            last = self._candidate()
            self._rest.extend(last)
            while self._rest:
                yield self._rest.popleft()

    def rest(self) -> list[Row]:
        """What is left of the candidate last drawn; nothing of it comes again."""
        rows = list(self._rest)
        self._rest.clear()
        return rows

    def counted(self) -> tuple[Count, Count]:
        """The second account of those with one result, and of the climbers."""
        return _counted(self.singles, self.today), _counted(self.climbers, self.today)

    def email(self, account: Account) -> str:
        return f"{account[2].lower()}@example.com"

    def _candidate(self) -> list[Row]:
        self.candidates += 1
        number = f"{self.prefix}-{self.candidates:06d}"
        climbs = self._rng.random() < CLIMBS
        rows = self._climb(number) if climbs else self._single(number)
        (self.climbers if climbs else self.singles).extend(rows)
        return rows

    def _single(self, number: str) -> list[Row]:
        exam = self._rng.choice(SINGLES)
        taken = self._day()
        grade = "fail" if self._rng.random() < FAILS else "pass"
        pair = [self._registration(number, 0, exam, taken), self._result(number, 0, exam, taken, grade)]
        if self._rng.random() < EARLY:
            pair.reverse()
        return pair

    def _climb(self, number: str) -> list[Row]:
        rows: list[Row] = []
        exams = self._rng.sample(LADDER, self._rng.randint(2, len(LADDER)))
        for step, exam in enumerate(exams):
            taken = self._day()
            rows.append(self._registration(number, step, exam, taken))
            rows.append(self._result(number, step, exam, taken, self._rng.choice(("pass", "pass", "pass", "fail"))))
            if self._rng.random() < REVISED:
                grade = self._rng.choice(("pass", "fail", "invalidated"))
                rows.append(self._result(number, step, exam, taken, grade, revision=2))
        return rows

    def _day(self) -> datetime:
        day = self.today - timedelta(days=self._rng.randint(2, LONGEST_AGO_DAYS))
        return datetime(day.year, day.month, day.day, HOUR, tzinfo=UTC)

    def _registration(self, number: str, step: int, exam: str, taken: datetime) -> Row:
        return self._row(
            "ExamRegistered.v1",
            {
                "vendor_candidate_id": number,
                "registration_id": f"{number}-{step}",
                "exam_code": exam,
                "delivery": "online",
                "scheduled_at": taken.isoformat(),
                "candidate": {
                    "given_name": "Candidate",
                    "family_name": number,
                    "email": f"{number.lower()}@example.com",
                    "country": "SE",
                },
            },
        )

    def _result(self, number: str, step: int, exam: str, taken: datetime, grade: str, *, revision: int = 1) -> Row:
        return self._row(
            "ExamResultReported.v1",
            {
                "result_id": f"{number}-{step}",
                "revision": revision,
                "vendor_candidate_id": number,
                "registration_id": f"{number}-{step}",
                "exam_code": exam,
                "taken_at": taken.isoformat(),
                "grade": grade,
            },
        )

    def _row(self, kind: str, data: Row) -> Row:
        return {"id": f"{self.prefix}-{self._rng.getrandbits(64):016x}", "type": kind, "program": PROGRAM, "data": data}


def message(row: Row) -> Outgoing:
    """A row as the vendor publishes it."""
    key = f"{NAME}.{row['type']}"
    event = {**row, "specversion": "1.0", "source": NAME, "type": key, "time": datetime.now(UTC).isoformat()}
    return Outgoing(row["id"], topology.VENDORS, key, key, SINGLE, orjson.dumps(event), user_id=NAME)


@dataclass
class Sending:
    """Rows on their way, in their order, at an even pace."""

    load: Load
    sent: int = 0
    """Messages that the broker has confirmed."""
    slowest_seconds: float = 0.0
    """The longest that the vendor has waited for a confirm."""

    async def run(self, vendor: Vendor, messages_per_second: float, ending: asyncio.Event) -> None:
        """Publish until `ending` is set; then whatever is left of the candidate last begun."""
        now = asyncio.get_running_loop().time
        rows = iter(self.load)
        due = now()

        async def work() -> None:
            nonlocal due
            while not ending.is_set():
                due = max(due, now() - 1) + 1 / messages_per_second
                await asyncio.sleep(due - now())
                await self._publish(vendor, next(rows))

        async with asyncio.TaskGroup() as workers:
            for _ in range(IN_FLIGHT):
                workers.create_task(work())
        for row in self.load.rest():
            await self._publish(vendor, row)

    async def run_one(self, vendor: Vendor) -> None:
        """Publish everything about one more candidate."""
        await self._publish(vendor, next(iter(self.load)))
        for row in self.load.rest():
            await self._publish(vendor, row)

    async def _publish(self, vendor: Vendor, row: Row) -> None:
        now = asyncio.get_running_loop().time
        began = now()
        await vendor.publish(message(row))
        self.sent += 1
        self.slowest_seconds = max(self.slowest_seconds, now() - began)


def _counted(rows: Iterable[Row], today: date) -> Count:
    counted = Count(today)
    for row in rows:
        counted.event(NAME, row)
    return counted
