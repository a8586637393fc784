"""Scale-out on one machine: each process of ours may use a small part of a core, and then there are more of them.

With so little each, servers and machine have enough to spare, so what the table shows is whether the work divides: the
same as with a machine each, at a hundredth of its price. Needs Linux' control groups and root.
"""

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from tests.bench.processes import BenchError, Running, running
from tests.bench.product import Product
from tests.bench.report import table
from tests.bench.runs import Started, load_report, start_load, until_mails, until_ready
from tests.bench.servers import Bench

SHARE: Final = 0.06
"""Of a core, that each process may use."""
REPLICAS: Final = (1, 2, 4)
_PERIOD_US: Final = 20_000
_V1 = Path("/sys/fs/cgroup/cpu")
_V2 = Path("/sys/fs/cgroup")


class Replicated(Product):
    """The services of the main job, each so many times."""

    name: ClassVar[str] = "replicas"

    def __init__(self, count: int) -> None:
        self._count = count

    def replicas(self, hop: str) -> int:
        return self._count


@dataclass(frozen=True)
class Scaled:
    """One row of the table."""

    replicas: int
    per_second: float
    doubled: int


async def scale_table(bench: Bench, results_each: int) -> str:
    """Results a second with one, two and four processes of each service.

    Args:
        bench: the servers.
        results_each: published for each replica.

    Raises:
        BenchError: there are no control groups to be had here, or results were lost or doubled.
    """
    measured = [await _measure(bench, count, count * results_each) for count in REPLICAS]
    rows = [
        [
            str(each.replicas),
            f"{each.per_second:,.0f}",
            f"{each.per_second / measured[0].per_second:.2f}",
            str(each.doubled),
        ]
        for each in measured
    ]
    title = f"Scale-out: each process has {SHARE:.0%} of a core"
    return table(title, ["processes of each service", "results/s", "times one", "doubled mails"], rows)


async def _measure(bench: Bench, count: int, results: int) -> Scaled:
    print(f"  scale-out: {count} of each service", flush=True)
    pipeline, environment = Replicated(count), bench.environment
    await pipeline.set_up(environment, results)
    try:
        async with running(pipeline.services(environment), environment.work) as services:
            await until_ready(bench, pipeline, services)
            await bench.sink.ask("reset")
            load, go, out = await start_load(bench, pipeline.vendor_door(environment), results)
            async with _limited(services):
                go.touch()
                counted = await until_mails(bench, Started(services, load, go, out), 2 * results)
            report = await load_report(Started(services, load, go, out))
            await load.stop()
            total = await bench.sink.ask("count")
    finally:
        await pipeline.tear_down(environment)
    return Scaled(count, results / (counted["last"] - report["moments"][0]), total["total"] - total["distinct"])


@asynccontextmanager
async def _limited(services: Sequence[Running]) -> AsyncIterator[None]:
    """Hold each process to its share of a core, in a control group of its own."""
    groups = [_group(number) for number, _service in enumerate(services)]
    try:
        for group, service in zip(groups, services, strict=True):
            (group / "cgroup.procs").write_text(str(service.process.pid))
        yield
    finally:
        for group in groups:
            _dissolve(group)


def _dissolve(group: Path) -> None:
    """Let everybody out, those too that were started meanwhile, and remove it."""
    while held := (group / "cgroup.procs").read_text().split():
        for pid in held:
            with suppress(ProcessLookupError):
                (group.parent / "cgroup.procs").write_text(pid)
    group.rmdir()


def _group(number: int) -> Path:
    quota = round(_PERIOD_US * SHARE)
    name = f"certrail-bench-{os.getpid()}-{number}"
    try:
        if (_V1 / "cpu.cfs_period_us").exists():
            group = _V1 / name
            group.mkdir()
            (group / "cpu.cfs_period_us").write_text(str(_PERIOD_US))
            (group / "cpu.cfs_quota_us").write_text(str(max(quota, 1000)))
        else:
            group = _V2 / name
            group.mkdir()
            (group / "cpu.max").write_text(f"{max(quota, 1000)} {_PERIOD_US}")
    except OSError as error:
        raise BenchError(f"no control group for the share of a core: {error}") from None
    return group
