"""Mails are asked about together, and each stays asked about for a while."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import pytest

from libs.common.clock import FixedClock
from services.notify.checks import Checks, Together
from services.notify.clearing import AT_ONCE, Clearing
from services.notify.domain.delivery import Paced, Withheld
from services.notify.domain.mails import Template
from services.notify.domain.pacing import Pacing
from services.notify.domain.recipients import Recipient
from services.notify.letters import Cause, Letter

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Ledger:
    """A check that withholds some mails and remembers what it was asked."""

    def __init__(self, **reasons: str) -> None:
        self.reasons = reasons
        self.asked: list[list[str]] = []

    async def withheld(self, letters: Sequence[Letter]) -> Mapping[str, str]:
        self.asked.append([letter.id for letter in letters])
        return {letter.id: self.reasons[letter.id] for letter in letters if letter.id in self.reasons}


class Settled(dict[str, str]):
    """What was withheld, by mail."""

    async def add(self, letter: Letter, verdict: Withheld | Paced) -> None:
        self[letter.id] = verdict.reason if isinstance(verdict, Withheld) else "paced"


def letter(key: str) -> Letter:
    recipient = Recipient("CSCO1", "cisco", f"{key}@example.com", "Ada", "Lovelace", "en", 1)
    cause = Cause("event", "chain", None)
    return Letter(key, "cisco", Template.RESULT_CHANGED, {}, NOON, 0, cause, recipient, NOON)


async def test_all_that_wait_are_asked_about_together() -> None:
    check, settled = Ledger(b="suppressed"), Settled()
    clearing = Clearing(check, Pacing({}), FixedClock(NOON), settled.add)
    for key in "abc":
        clearing.put(letter(key))
    stopping = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(clearing.run(stopping))
        taken = [await clearing.take() for _ in "ac"]
        assert [one.letter.id for one in taken if one] == ["a", "c"]
        assert clearing.at_hand() is None
        assert (check.asked, settled) == ([["a", "b", "c"]], {"b": "suppressed"})
        stopping.set()
        clearing.end(takers=1)
        assert await clearing.take() is None


async def test_no_more_are_asked_about_than_can_go_soon() -> None:
    check = Ledger()
    clearing = Clearing(check, Pacing({}), FixedClock(NOON), Settled().add)
    mails = [f"m{number}" for number in range(3 * AT_ONCE)]
    for key in mails:
        clearing.put(letter(key))
    stopping = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(clearing.run(stopping))
        first = await clearing.take()
        assert first is not None
        for _ in range(10):
            await asyncio.sleep(0)
        assert check.asked == [mails[:AT_ONCE]]
        rest = [await clearing.take() for _ in mails[1:]]
        assert [one.letter.id for one in (first, *rest) if one] == mails
        assert [len(asked) for asked in check.asked] == [AT_ONCE] * 3
        stopping.set()
        clearing.end(takers=0)


async def test_stop_ends_it_while_mails_wait_for_connections() -> None:
    clearing = Clearing(Ledger(), Pacing({}), FixedClock(NOON), Settled().add)
    for number in range(3 * AT_ONCE):
        clearing.put(letter(f"m{number}"))
    stopping = asyncio.Event()
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        tasks.create_task(clearing.run(stopping))
        await clearing.take()
        stopping.set()
        clearing.end(takers=2)
        assert [await clearing.take(), await clearing.take()] == [None, None]


async def test_of_two_reasons_the_first_one_counts_and_later_questions_are_for_the_others() -> None:
    first, second, later = Ledger(a="suppressed"), Ledger(a="unwished", b="untrue"), Ledger()
    checks = Checks(Together(first, second), later)
    reasons = await checks.withheld([letter(key) for key in "abc"])
    assert reasons == {"a": "suppressed", "b": "untrue"}
    assert first.asked == second.asked == [["a", "b", "c"]]
    assert later.asked == [["c"]]


@pytest.mark.parametrize("position", [0, 1], ids=["first", "second"])
async def test_mail_that_one_question_cannot_judge_is_withheld_and_no_other(position: int) -> None:
    class Stumbles(Ledger):
        async def withheld(self, letters: Sequence[Letter]) -> Mapping[str, str]:
            if any(one.id == "b" for one in letters):
                raise KeyError("b")
            return await super().withheld(letters)

    checks: list[Ledger] = [Ledger(), Ledger()]
    checks[position] = Stumbles()
    assert await Together(*checks).withheld([letter(key) for key in "abc"]) == {"b": "unchecked"}
