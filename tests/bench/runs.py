"""One measurement of one pipeline: throughput over many results, or latency at a steady rate."""

import asyncio
import json
import math
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.local.processes import spawn
from deploy.local.settings import PROJECT
from tests.bench.pipeline import Counts, Pipeline, VendorDoor
from tests.bench.population import index_of
from tests.bench.processes import BenchError, CpuMeter, Running, memory_mb, poll, running
from tests.bench.servers import Bench

READY_SECONDS = 60.0
STALL_SECONDS = 30.0
"""Without one more mail for so long, a pipeline has lost something or stands still."""
SETTLE_SECONDS = 30.0
"""For what comes after the last mail: marks, acknowledgements, the kits' own hop."""


@dataclass(frozen=True)
class Throughput:
    """What a run of many results showed. CPU is in ms a result, memory in MB by service."""

    results: int
    seconds: float
    """From the first publish to the acceptance of the last mail."""
    cpu_ms: dict[str, float]
    """By part: services, mongod, beam; and apart from the pipeline's own cost, sink and load."""
    memory_half: dict[str, float]
    memory_end: dict[str, float]
    doubled_mails: int
    foreign: float
    """The part of the machine that others took meanwhile, 0 to 1; from 0.05 on the figures are disturbed."""

    @property
    def per_second(self) -> float:
        return self.results / self.seconds

    @property
    def total_cpu_ms(self) -> float:
        """Services and servers together."""
        return sum(self.cpu_ms[part] for part in ("services", "mongod", "beam"))


@dataclass(frozen=True)
class Latency:
    """From the publish of a result to the acceptance of the last of its mails, in ms."""

    rate: float
    samples: list[float] = field(repr=False)
    foreign: float
    """As in `Throughput`."""

    def percentile(self, share: float) -> float:
        return percentile(self.samples, share)


def percentile(samples: list[float], share: float) -> float:
    """The smallest sample that at least `share` of the samples do not exceed (nearest rank)."""
    if not samples:
        raise ValueError("there are no samples")
    return sorted(samples)[max(0, math.ceil(share * len(samples)) - 1)]


@dataclass(frozen=True)
class Started:
    """A pipeline that consumes, with the load beside it waiting for its signal."""

    services: list[Running]
    load: Running
    go: Path
    out: Path

    def check(self) -> None:
        for service in self.services:
            service.check()


async def measure_throughput(bench: Bench, pipeline: Pipeline, results: int) -> Throughput:
    """Publish `results` as fast as the broker takes them and wait for the last mail.

    Raises:
        BenchError: a process died, the flow stood still, or the records are not exactly those of the results.
    """
    async with _started(bench, pipeline, results, rate=0) as started:
        meter = _meter(bench, started)
        started.go.touch()
        mails = results * pipeline.mails_per_result
        await until_mails(bench, started, (mails + 1) // 2)
        memory_half = memory_mb(started.services)
        last = (await until_mails(bench, started, mails))["last"]
        report = await load_report(started)
        await _until_recorded(bench, pipeline, results)
        spent = meter.stop(unseen=report["cpu_seconds"])
        counted = await bench.sink.ask("count")
        if counted["distinct"] != mails:
            raise BenchError(f"{pipeline.name} sent {counted['distinct']} different mails, not {mails}")
        return Throughput(
            results=results,
            seconds=last - report["moments"][0],
            cpu_ms=_per_result({**spent.parts, "load": report["cpu_seconds"]}, results),
            memory_half=memory_half,
            memory_end=memory_mb(started.services),
            doubled_mails=counted["total"] - counted["distinct"],
            foreign=spent.foreign,
        )


def _meter(bench: Bench, started: Started) -> CpuMeter:
    services = [service.process.pid for service in started.services]
    return CpuMeter({"services": services, "sink": [bench.sink.running.process.pid], **bench.server_pids()})


def _per_result(seconds: dict[str, float], results: int) -> dict[str, float]:
    return {part: spent * 1000 / results for part, spent in seconds.items()}


async def measure_latency(bench: Bench, pipeline: Pipeline, rate: float, seconds: float) -> Latency:
    """Publish `rate` results a second for `seconds`. Raises `BenchError` as `measure_throughput` does."""
    results = round(rate * seconds)
    async with _started(bench, pipeline, results, rate=rate) as started:
        meter = _meter(bench, started)
        started.go.touch()
        await until_mails(bench, started, results * pipeline.mails_per_result)
        report = await load_report(started)
        foreign = meter.stop(unseen=report["cpu_seconds"]).foreign
        await _until_recorded(bench, pipeline, results)
        accepted: dict[int, float] = {}
        for _message_id, recipient, moment in await bench.sink.mails(bench.environment.work):
            index = index_of(recipient)
            accepted[index] = max(moment, accepted.get(index, 0.0))
    published = report["moments"]
    return Latency(rate, [(accepted[index] - published[index]) * 1000 for index in range(results)], foreign)


@asynccontextmanager
async def _started(bench: Bench, pipeline: Pipeline, results: int, *, rate: float) -> AsyncIterator[Started]:
    """The pipeline on an empty state, consuming, and the load waiting for its signal."""
    environment = bench.environment
    await pipeline.set_up(environment, results)
    try:
        async with running(pipeline.services(environment), environment.work) as services:
            await until_ready(bench, pipeline, services)
            await bench.sink.ask("reset")
            load, go, out = await start_load(bench, pipeline.vendor_door(environment), results, rate=rate)
            try:
                yield Started(services, load, go, out)
            finally:
                await load.stop()
    finally:
        await pipeline.tear_down(environment)


async def until_ready(bench: Bench, pipeline: Pipeline, services: list[Running]) -> None:
    """Wait until all consume. Raises `BenchError` where one ends or does not come that far in time."""
    ready = asyncio.ensure_future(pipeline.wait_ready(bench.environment))
    try:
        async with asyncio.timeout(READY_SECONDS):
            while not ready.done():
                for service in services:
                    service.check()
                await asyncio.wait([ready], timeout=0.2)
            ready.result()
    except TimeoutError:
        raise BenchError(f"{pipeline.name} did not consume after {READY_SECONDS:.0f} s") from None
    finally:
        ready.cancel()


async def start_load(
    bench: Bench, door: VendorDoor, count: int, *, rate: float = 0, kind: str = "result", first: int = 0
) -> tuple[Running, Path, Path]:
    """A process that has `count` messages of candidates from `first` on ready, and sends them once the file is there.

    Returns:
        The process, the file that lets it begin, and the one that it will report in.
    """
    work = bench.environment.work
    go, out, log = work / "load.go", work / "load.json", work / "load.log"
    ready = out.with_suffix(".ready")
    for path in (go, out, ready, log):
        path.unlink(missing_ok=True)
    command = [sys.executable, "-m", "tests.bench.load", "--url", door.amqp_url, "--exchange", door.exchange]
    command += ["--kind", kind, "--first", str(first), "--count", str(count), "--rate", str(rate)]
    command += ["--go", str(go), "--out", str(out)]
    process = spawn(command, log=log, environment=os.environ, folder=PROJECT)
    load = Running("load", process, log)

    def prepared() -> bool:
        if not ready.exists():
            load.check()
        return ready.exists()

    await poll(prepared, seconds=READY_SECONDS, what="the load generator")
    return load, go, out


async def until_mails(bench: Bench, started: Started, wanted: int) -> dict[str, Any]:
    """Wait until the sink has `wanted` distinct mails; its count."""
    clock = asyncio.get_running_loop().time
    seen, since = -1, clock()
    while True:
        counted = await bench.sink.ask("count")
        if counted["distinct"] >= wanted:
            return counted
        if counted["distinct"] > seen:
            seen, since = counted["distinct"], clock()
        elif clock() - since > STALL_SECONDS:
            raise BenchError(f"{seen} of {wanted} mails came, and none for {STALL_SECONDS:.0f} s")
        started.check()
        if not started.out.exists():
            started.load.check()
        await asyncio.sleep(0.1)


async def load_report(started: Started) -> dict[str, Any]:
    """When each message was sent (`moments`, monotonic seconds) and what that cost (`cpu_seconds`)."""
    await poll(started.out.exists, seconds=STALL_SECONDS, what="the load's report")
    report: dict[str, Any] = json.loads(started.out.read_text())
    return report


async def _until_recorded(bench: Bench, pipeline: Pipeline, results: int) -> None:
    """Wait for the records of the last result, and see that there is not one too many."""
    wanted = Counts(results, results, results, results * pipeline.mails_per_result)
    deadline = asyncio.get_running_loop().time() + SETTLE_SECONDS
    while (seen := await pipeline.counts(bench.environment)) != wanted:
        if asyncio.get_running_loop().time() > deadline:
            raise BenchError(f"{pipeline.name} recorded {seen}, not {wanted}")
        await asyncio.sleep(0.2)
