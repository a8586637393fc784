"""From measured costs to machines. Pure arithmetic: what is assumed are the fields of `Demand` and `Machine`."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from deploy.capacity.figures import Figures, Growth, Work
from libs.common.events import SERVICES

YEAR_SECONDS: Final = 365.25 * 24 * 3600
SERVERS: Final = ("mongod", "beam")
LEAST_PROCESSES: Final = 2
"""Of each service, so that one may be stopped."""
DATABASE_MEMBERS: Final = 3
BROKER_NODES: Final = 3
EVENT_LOG_DAYS: Final = 14
DISK_HEADROOM: Final = 1.5
"""For the oplog, the journal, index builds and the time until somebody adds a disk."""
DATA_IN_MEMORY: Final = 0.1
"""Of the data, beside all indexes: what was written lately and what is looked at."""


@dataclass(frozen=True)
class Demand:
    """What is expected of a platform."""

    candidates: int
    exams: float = 2.4
    """That one candidate has taken in all; each is kept with its mails, for good."""
    results_a_year: float = 0.8
    """Of one candidate."""
    reads_a_year: float = 150.0
    """Requests to the API about one candidate: what their pages ask for, and other systems."""
    busiest: float = 12.0
    """How many times the mean the busiest hour of the year has."""

    def __post_init__(self) -> None:
        for name in ("candidates", "exams", "results_a_year", "reads_a_year", "busiest"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be more than 0")

    @property
    def results(self) -> float:
        """A second, in the busiest hour; as many registrations come."""
        return self.candidates * self.results_a_year * self.busiest / YEAR_SECONDS

    @property
    def reads(self) -> float:
        """A second, in the busiest hour."""
        return self.candidates * self.reads_a_year * self.busiest / YEAR_SECONDS


@dataclass(frozen=True)
class Machine:
    """One machine, and how much of it may be in use in the busiest hour."""

    cores: int = 16
    memory_gb: float = 64.0
    disk_gb: float = 4_000.0
    used: float = 0.5
    """Of the cores: the rest is for the loss of a third of the machines, and for what was not foreseen."""

    def __post_init__(self) -> None:
        if min(self.cores, self.memory_gb, self.disk_gb) <= 0 or not 0 < self.used <= 1:
            raise ValueError("a machine has cores, memory and a disk, and more than none and at most all of it is used")


@dataclass(frozen=True)
class Plan:
    """What it takes."""

    demand: Demand
    processes: Mapping[str, int]
    """Of each service, workers and API together."""
    service_cores: float
    """Of all services together, in the busiest hour."""
    shards: int
    shard_cores: float
    """Of a shard's primary, in the busiest hour."""
    shard_memory_gb: float
    shard_disk_gb: float
    broker_cores: float
    """Of each node."""
    broker_disk_gb: float
    service_machines: int

    @property
    def database_machines(self) -> int:
        return self.shards * DATABASE_MEMBERS

    @property
    def machines(self) -> int:
        return self.service_machines + self.database_machines + BROKER_NODES


def plan(figures: Figures, demand: Demand, machine: Machine) -> Plan:
    """The machines for a demand.

    A replica set is split into as many shards as the cores of its primary, the memory for its indexes, or its disk ask
    for. What an operation costs grows with the size of the shard as it did between the two largest platforms measured.
    """
    shards = 1
    while not _fits(shard := _shard(figures, demand, shards), machine):
        shards = max(shards + 1, math.ceil(shards * min(1.5, _worst(shard, machine))))
    costs = _costs(figures, demand, shards)
    service_cores = sum(costs[service] for service in SERVICES)
    processes = {service: max(LEAST_PROCESSES, math.ceil(costs[service] / machine.used)) for service in SERVICES}
    growth = figures.growth[-1]
    memory_gb = sum(processes[service] * growth.memory_mb[service] / 1000 for service in SERVICES)
    by_cores = service_cores / (machine.cores * machine.used)
    events = demand.candidates * demand.results_a_year * growth.broker_bytes * EVENT_LOG_DAYS / 365.25
    return Plan(
        demand=demand,
        processes=processes,
        service_cores=service_cores,
        shards=shards,
        shard_cores=shard.cores,
        shard_memory_gb=shard.memory_gb,
        shard_disk_gb=shard.disk_gb,
        broker_cores=costs["beam"],
        broker_disk_gb=events * DISK_HEADROOM / 1e9,
        service_machines=max(2, math.ceil(max(by_cores, memory_gb / machine.memory_gb))),
    )


@dataclass(frozen=True)
class _Shard:
    cores: float
    memory_gb: float
    disk_gb: float


def _shard(figures: Figures, demand: Demand, shards: int) -> _Shard:
    growth = figures.growth[-1]
    kept = demand.candidates * demand.exams / shards / growth.candidates
    data, indexes = (sum(held.values()) * kept / 1e9 for held in (growth.data_bytes, growth.index_bytes))
    cores = _costs(figures, demand, shards)["mongod"] / shards
    return _Shard(cores, indexes + data * DATA_IN_MEMORY, (data + indexes) * DISK_HEADROOM)


def _worst(shard: _Shard, machine: Machine) -> float:
    """How many times too large a shard is, by what is scarcest."""
    return max(
        shard.cores / (machine.cores * machine.used),
        shard.memory_gb / (machine.memory_gb * 0.75),  # the rest is the system's, and of open connections
        shard.disk_gb / machine.disk_gb,
    )


def _fits(shard: _Shard, machine: Machine) -> bool:
    return _worst(shard, machine) <= 1


def _costs(figures: Figures, demand: Demand, shards: int) -> dict[str, float]:
    """Cores that each service and server needs in the busiest hour."""
    per_shard = demand.candidates * demand.exams / shards
    parts = {*SERVICES, *SERVERS}
    return {
        part: (
            demand.results
            * (_cost(figures, "registrations", part, per_shard) + _cost(figures, "results", part, per_shard))
            + demand.reads * _cost(figures, "reads", part, per_shard)
        )
        / 1000
        for part in parts
    }


def _cost(figures: Figures, what: str, part: str, size: float) -> float:
    """CPU ms of one operation in one part, on a platform of `size` candidates with one exam each."""

    def measured(growth: Growth) -> float:
        work: Work = getattr(growth, what)
        return work.cpu_ms.get(part, 0.0)

    largest = figures.growth[-1]
    cost = measured(largest)
    if len(figures.growth) == 1 or size <= largest.candidates:
        return cost
    before = figures.growth[-2]
    decades = math.log10(largest.candidates / before.candidates)
    per_decade = max(0.0, cost - measured(before)) / decades
    return cost + per_decade * math.log10(size / largest.candidates)
