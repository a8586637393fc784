"""Faults of the replica set."""

from tests.chaos.suite.faults import Fault
from tests.chaos.suite.mongo_set import Member
from tests.chaos.suite.network import Trouble


class StepDown(Fault):
    """The primary is told to give up its place, as before maintenance."""

    name = "step-down"
    lasts = (3.0, 6.0)

    async def begin(self) -> str:
        primary = await self.house.mongo.primary()
        await self.house.mongo.step_down()
        return primary.name

    async def end(self) -> None:
        await self.house.mongo.healthy()


class KillPrimary(Fault):
    """`kill -9` of the primary; it comes back on its data after a while."""

    name = "kill-primary"
    lasts = (4.0, 10.0)

    async def begin(self) -> str:
        self._killed = await self.house.mongo.primary()
        await self._killed.kill()
        return self._killed.name

    async def end(self) -> None:
        self._killed.launch()
        await self.house.mongo.healthy()


class FullDisk(Fault):
    """Every write of the primary fails, as on a full disk: it gives up, and is started when there is room."""

    name = "full-disk"
    lasts = (6.0, 12.0)

    async def begin(self) -> str:
        self._full: Member = await self.house.mongo.primary()
        self._full.deny_writes(denied=True)
        return f"{self._full.name} (primary)"

    async def end(self) -> None:
        if self._full.running:
            self._full.deny_writes(denied=False)
        else:
            self._full.launch()
        await self.house.mongo.healthy()


class CutOffMember(Fault):
    """A member, more often than not the primary, reaches nobody and is reached by nobody, and is not told."""

    name = "cut-off-member"
    lasts = (6.0, 15.0)

    async def begin(self) -> str:
        primary = await self.house.mongo.primary()
        member = self.rng.choice((primary, *self.house.mongo.members))
        others = frozenset(each.name for each in self.house.mongo.members) - {member.name}
        self._troubles = [
            Trouble(frozenset({member.name}), held_up=True),
            Trouble(others, pids=lambda: [member.pid], held_up=True),
        ]
        for trouble in self._troubles:
            await self.house.network.begin(trouble)
        return f"{member.name}{' (primary)' if member is primary else ''}"

    async def end(self) -> None:
        for trouble in self._troubles:
            self.house.network.end(trouble)
        await self.house.mongo.healthy()
