"""One run: everything up, messages flowing, fault after fault, and the account when it has come to rest."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from tests.chaos.suite.account import Account, compare, expected_things, reckon
from tests.chaos.suite.catalogue import chosen
from tests.chaos.suite.faults import Fault
from tests.chaos.suite.house import House, open_house
from tests.chaos.suite.load import Load, Sending
from tests.chaos.suite.reading import everything, things
from tests.chaos.suite.schedule import Step, steps
from tests.e2e.remains import remains
from tests.e2e.vendor import Vendor, open_vendor
from tests.e2e.waiting import eventually

MESSAGES_A_RESULT = 2
REST_SECONDS = 300.0
"""After the last fault, for everything to be done: leases, pauses and the ladder's first steps pass in it."""
TELL_SECONDS = 10.0
PREFIX = "CHAOS"


@dataclass
class Chaos:
    """A run as it was asked for, and what it says while it goes."""

    seed: int
    minutes: float
    results_per_second: float
    only: tuple[str, ...]
    folder: Path
    say: Callable[[str], None]
    met: list[str] = field(default_factory=list)
    """The faults that there were, in their order."""

    async def run(self) -> Account:
        """The run from its beginning to its account. Raises `ValueError` for a fault that does not exist."""
        faults = chosen(self.only)
        self.say(f"seed {self.seed}, data and logs in {self.folder}")
        load = Load(PREFIX, self.seed, datetime.now(UTC).date())
        began = asyncio.get_running_loop().time()
        async with open_house(self.folder) as house:
            self.say(f"all is up after {asyncio.get_running_loop().time() - began:.0f} s")
            async with open_vendor(house.stage.broker) as vendor:
                sending = Sending(load)
                await self._disturb(house, faults, vendor, sending)
                self.say(f"{sending.sent} messages sent, the slowest confirmed after {sending.slowest_seconds:.1f} s")
                seconds = await self._come_to_rest(house, load)
                # Somebody passes alone at the end: what came before cannot be on its way any more.
                await Sending(load).run_one(vendor)
                await self._come_to_rest(house, load)
            self.say(f"at rest {seconds:.0f} s after the last fault, {len(self.met)} faults")
            return reckon(load, await everything(house.stage, load), fallen=house.stage.processes.fallen)

    async def _disturb(self, house: House, faults: dict[str, type[Fault]], vendor: Vendor, sending: Sending) -> None:
        loop = asyncio.get_running_loop()
        last = loop.time() + self.minutes * 60
        ending = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(sending.run(vendor, MESSAGES_A_RESULT * self.results_per_second, ending))
            try:
                for step in steps(self.seed, {name: fault.lasts for name, fault in faults.items()}):
                    if loop.time() >= last:
                        break
                    await self._take(step, faults[step.fault](house, Random(step.seed)))
            finally:
                ending.set()

    async def _take(self, step: Step, fault: Fault) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        target = await fault.begin()
        self.say(f"{step.number:>3} {fault.name}: {target}, for {step.seconds:.1f} s")
        self.met.append(fault.name)
        await asyncio.sleep(step.seconds)
        await fault.end()
        self.say(f"    over after {loop.time() - began:.1f} s")
        await asyncio.sleep(step.pause)

    async def _come_to_rest(self, house: House, load: Load) -> float:
        """Wait until all that must exist does and nothing waits. Returns the seconds; the account says what lacks."""
        expected, loop = expected_things(load), asyncio.get_running_loop()
        began = loop.time()

        told = 0.0

        async def open_ends() -> list[str]:
            nonlocal told
            held = await things(house.stage, load)
            lines = compare({name: expected[name] for name in held}, held)
            ends = [f"{line.name} {line.found}/{line.expected}" for line in lines if not line.agrees]
            ends += [f"{name} {count}" for name, count in (await remains(house.stage)).items()]
            if ends and loop.time() - told > TELL_SECONDS:
                told = loop.time()
                self.say(f"still open: {', '.join(ends)}")
            return ends

        try:
            await eventually(open_ends, lambda ends: not ends, seconds=REST_SECONDS)
        except TimeoutError as error:
            self.say(f"it did not come to rest: {error}")
            self.say("\n".join(house.stage.processes.complaints()))
        return loop.time() - began
