"""Faults of the services' processes."""

import os
import signal

from tests.chaos.suite.faults import Fault

SLIGHT_SKEWS = (-5, -2, 2, 5)
GREAT_SKEWS = (-300, -60, 60, 300)


class Kill(Fault):
    """`kill -9` of one or two processes in the same moment; the supervisor starts new ones at once."""

    name = "kill"
    lasts = (1.0, 3.0)

    async def begin(self) -> str:
        names = self.rng.sample(sorted(self.house.stage.services()), self.rng.choice((1, 1, 2)))
        for name in names:
            await self.house.stage.processes.kill(name)
        return " ".join(names)

    async def end(self) -> None:
        await self.house.stage.processes.ready()


class Restart(Fault):
    """SIGTERM: a process must stop by itself, and a new one takes its place."""

    name = "restart"
    lasts = (0.0, 1.0)

    async def begin(self) -> str:
        name = self.one_process()
        if not await self.house.stage.processes.restart(name):
            self.house.stage.processes.fallen.append(f"{name} did not stop when it was told to")
        return name

    async def end(self) -> None:
        await self.house.stage.processes.ready()


class Freeze(Fault):
    """SIGSTOP: a process stands still for longer than its leases last, then goes on as if nothing had been."""

    name = "freeze"
    lasts = (5.0, 25.0)

    async def begin(self) -> str:
        self._frozen = self.one_process()
        self._pid = self.house.stage.processes.pid(self._frozen)
        os.kill(self._pid, signal.SIGSTOP)
        return self._frozen

    async def end(self) -> None:
        os.kill(self._pid, signal.SIGCONT)
        await self.house.stage.processes.ready()


class Clock(Fault):
    """A process's clock is wrong, by some seconds or by minutes, fast or slow; then it is put right, by a leap."""

    name = "clock"
    lasts = (8.0, 15.0)

    async def begin(self) -> str:
        self._wrong = self.one_process()
        skew = self.rng.choice((*SLIGHT_SKEWS, *GREAT_SKEWS))
        self.house.stage.set_clock(self._wrong, skew)
        return f"{self._wrong} {skew:+d} s"

    async def end(self) -> None:
        self.house.stage.set_clock(self._wrong, 0)
