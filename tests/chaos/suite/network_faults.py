"""Faults of the network: nobody is told that anything is wrong."""

from typing import ClassVar

from tests.chaos.suite.faults import Fault
from tests.chaos.suite.house import BROKER, MAIL
from tests.chaos.suite.network import Trouble


class _OnLinks(Fault):
    """A trouble that begins and ends."""

    breaking: ClassVar[bool] = False
    """Whether what was held up breaks at the end."""
    trouble: Trouble

    def databases(self) -> frozenset[str]:
        return frozenset(member.name for member in self.house.mongo.members)

    async def start(self, trouble: Trouble) -> int:
        self.trouble = trouble
        return await self.house.network.begin(trouble)

    async def end(self) -> None:
        self.house.network.end(self.trouble, breaking=self.breaking)


class CutFromBroker(_OnLinks):
    """A process's packets to the broker are dropped, and the broker's to it."""

    name = "cut-from-broker"
    lasts = (5.0, 30.0)

    async def begin(self) -> str:
        name = self.one_process()
        count = await self.start(Trouble(frozenset({BROKER}), lambda: self.house.pids([name]), held_up=True))
        return f"{name}, {count} connections"


class CutFromDatabase(_OnLinks):
    """A process's packets to all members of the replica set are dropped, and theirs to it."""

    name = "cut-from-database"
    lasts = (5.0, 30.0)

    async def begin(self) -> str:
        name = self.one_process()
        count = await self.start(Trouble(self.databases(), lambda: self.house.pids([name]), held_up=True))
        return f"{name}, {count} connections"


class HalfOpen(_OnLinks):
    """The connections of a process lead nowhere any more, as when a firewall forgets them; new ones work."""

    name = "half-open"
    lasts = (20.0, 50.0)
    breaking = True

    async def begin(self) -> str:
        name = self.one_process()
        links = self.rng.choice((frozenset({BROKER}), self.databases()))
        count = await self.start(Trouble(links, lambda: self.house.pids([name]), held_up=True, only_open=True))
        return f"{name} to {min(links)}, {count} connections"


class SlowLinks(_OnLinks):
    """Every byte to broker or database, or both, comes late, unevenly and slowly."""

    name = "slow-links"
    lasts = (8.0, 20.0)

    async def begin(self) -> str:
        links = self.rng.choice((frozenset({BROKER}), self.databases(), frozenset({BROKER}) | self.databases()))
        delay, rate = self.rng.choice((0.005, 0.02, 0.05)), self.rng.choice((0, 500_000))
        await self.start(Trouble(links, delay_seconds=delay, jitter_seconds=delay * 2, bytes_per_second=rate))
        return f"{' '.join(sorted(links))}: {delay * 1000:.0f} ms and up to twice that more, {rate or 'all'} bytes/s"


class SlowMail(_OnLinks):
    """The mail server takes its time."""

    name = "slow-mail"
    lasts = (8.0, 20.0)

    async def begin(self) -> str:
        await self.start(Trouble(frozenset({MAIL}), delay_seconds=0.2, jitter_seconds=0.8))
        return "the mail server"


class NoMail(_OnLinks):
    """The mail server is away: connections break, and no new one comes about."""

    name = "no-mail"
    lasts = (5.0, 20.0)

    async def begin(self) -> str:
        await self.start(Trouble(frozenset({MAIL}), broken=True))
        return "the mail server"
