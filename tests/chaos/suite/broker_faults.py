"""Faults of the RabbitMQ cluster."""

from tests.chaos.suite.broker_cluster import NO_DISK_IS_ENOUGH, NORMAL_DISK_LIMIT, Node
from tests.chaos.suite.faults import Fault


class _OfOneNode(Fault):
    """What begins with the choice of a node."""

    def choose(self) -> Node:
        self.node = self.rng.choice(self.house.broker.nodes)
        return self.node


class RestartNode(_OfOneNode):
    """A node is stopped, as before an update, and started again."""

    name = "restart-node"
    lasts = (1.0, 4.0)

    async def begin(self) -> str:
        await self.choose().stop()
        return self.node.name

    async def end(self) -> None:
        self.node.launch()
        await self.node.ready()


class KillNode(_OfOneNode):
    """`kill -9` of a node; it comes back on its data after a while."""

    name = "kill-node"
    lasts = (2.0, 8.0)

    async def begin(self) -> str:
        await self.choose().kill()
        return self.node.name

    async def end(self) -> None:
        self.node.launch()
        await self.node.ready()


class LoseNode(_OfOneNode):
    """A node is gone with its data: the cluster forgets it, and a new one of its name joins and gets its replicas."""

    name = "lose-node"
    lasts = (3.0, 6.0)

    async def begin(self) -> str:
        await self.choose().kill()
        self.node.wipe()
        return self.node.name

    async def end(self) -> None:
        await self.house.broker.forget(self.node)
        await self.house.broker.join_again(self.node)


class DiskAlarm(Fault):
    """A node is short of disk space: no node takes a message until there is room again; what is there can be read."""

    name = "disk-alarm"
    lasts = (5.0, 15.0)

    async def begin(self) -> str:
        await self.house.broker.limit_disk(NO_DISK_IS_ENOUGH)
        return self.house.broker.nodes[0].name

    async def end(self) -> None:
        await self.house.broker.limit_disk(NORMAL_DISK_LIMIT)
