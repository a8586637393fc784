"""A seeded stream of a vendor's messages, what it must lead to, and the vendor sending it while things break.

What is expected is counted from the messages alone: by hand-written rules for one exam that gives one
certification, one kit and known mails, and with no code of the platform's.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from libs.common.bus.messages import Outgoing
from libs.common.events import vendors
from tests.e2e.vendor import Vendor, vendor_message

Grade = Literal["pass", "fail"]

EXAM, CERTIFICATION = "200-301", "CCNA"
TAKEN = datetime(2026, 3, 10, 10, tzinfo=UTC)
RESULTS_PER_SECOND = 150
"""Well below what the platform does on two processors, so that it works on small batches all the time."""
IN_FLIGHT = 64
FAILS = 0.2
EARLY = 0.05
"""Share of results that come before their registration."""
REPEATED = 0.03
"""Share of messages that the vendor sends twice."""

Disturbance = Callable[[], Awaitable[object]]


@dataclass(frozen=True)
class Expected:
    """What must exist in the end, each once, by the candidate's e-mail address."""

    grades: dict[str, Grade] = field(default_factory=dict)
    again: set[str] = field(default_factory=set)
    """Addresses that get the link into their account twice."""

    @property
    def certified(self) -> set[str]:
        return {email for email, grade in self.grades.items() if grade == "pass"}

    @property
    def mails(self) -> Counter[tuple[str, str]]:
        """By address and template."""
        counted = Counter((email, "activation") for email in (*self.grades, *self.again))
        counted.update(
            (email, f"exam_{'passed' if grade == 'pass' else 'failed'}") for email, grade in self.grades.items()
        )
        counted.update((email, "certification_awarded") for email in self.certified)
        return counted


class Flow:
    """The messages about `results` candidates with one result each.

    Args:
        prefix: begins every id and address, so that several flows can pass through the same platform.
        results: how many.
    """

    def __init__(self, prefix: str, results: int) -> None:
        self.prefix = prefix
        self.expected = Expected()
        self.messages: list[Outgoing] = []
        for number in range(results):
            self._add_candidate(f"{prefix}-{number:06d}")
        for message in random.sample(self.messages, int(REPEATED * len(self.messages))):
            self.messages.insert(random.randrange(len(self.messages)), message)

    def _add_candidate(self, number: str) -> None:
        grade: Grade = "fail" if random.random() < FAILS else "pass"
        email = f"{number.lower()}@example.com"
        self.expected.grades[email] = grade
        pair = [_registration(number, email), _result(number, grade)]
        if random.random() < EARLY:
            pair.reverse()
        self.messages += pair

    async def send(self, vendor: Vendor, disturbances: Sequence[Disturbance] = ()) -> None:
        """Publish everything, in as many parts as there are disturbances, each somewhere within its part.

        Where a disturbance lasts longer than its part, the next part waits for it; where it is an outage of the
        broker, the part waits for the broker. So every one of them meets a flow.
        """
        count = max(len(disturbances), 1)
        cuts = [len(self.messages) * part // count for part in range(count + 1)]
        for part in range(count):
            messages = self.messages[cuts[part] : cuts[part + 1]]
            sending = _Sending(vendor, messages)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(sending.run())
                if disturbances:
                    await sending.until(random.randrange(len(messages)))
                    await disturbances[part]()


class _Sending:
    """One part on its way, in its order, at the flow's pace."""

    def __init__(self, vendor: Vendor, messages: Sequence[Outgoing]) -> None:
        self._vendor = vendor
        self._messages = iter(messages)
        self._begun = 0
        self._due = asyncio.get_running_loop().time()
        self._news = asyncio.Event()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as workers:
            for _ in range(IN_FLIGHT):
                workers.create_task(self._work())

    async def until(self, count: int) -> None:
        """Wait until more than `count` messages were begun."""
        while self._begun <= count:
            self._news.clear()
            await self._news.wait()

    async def _work(self) -> None:
        now = asyncio.get_running_loop().time
        for message in self._messages:
            self._due = max(self._due, now() - 1) + 0.5 / RESULTS_PER_SECOND  # two messages a result
            await asyncio.sleep(self._due - now())
            self._begun += 1
            self._news.set()
            await self._vendor.publish(message)


def _registration(number: str, email: str) -> Outgoing:
    person = vendors.VendorCandidate(given_name="Candidate", family_name=number, email=email, country="SE")
    return vendor_message(
        vendors.ExamRegistered(
            vendor_candidate_id=number,
            registration_id=number,
            exam_code=EXAM,
            delivery="online",
            scheduled_at=TAKEN,
            candidate=person,
        )
    )


def _result(number: str, grade: Grade) -> Outgoing:
    return vendor_message(
        vendors.ExamResultReported(
            result_id=number,
            revision=1,
            vendor_candidate_id=number,
            registration_id=number,
            exam_code=EXAM,
            taken_at=TAKEN,
            grade=grade,
        )
    )
