"""The command line: which participants, how much, and in which order."""

import argparse
import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

from deploy.capacity.figures import Figures, Growth
from tests.bench import report
from tests.bench.certificate_runs import certificate_table
from tests.bench.feed_runs import IMPORTS, FeedFigures, FeedImport, import_table, measure_import
from tests.bench.growth_runs import growth_tables, measure_growth
from tests.bench.history_runs import history_table
from tests.bench.http_runs import HttpFigures, measure_http
from tests.bench.mail_runs import mail_tables
from tests.bench.page_runs import page_table
from tests.bench.participants import http_targets, pipelines
from tests.bench.pipeline import HttpTarget, Pipeline
from tests.bench.policy_runs import (
    QUICK_POLICY,
    PolicySizes,
    dry_run_table,
    evaluation_table,
    sweep_table,
)
from tests.bench.processes import BenchError
from tests.bench.runs import Latency, Throughput, measure_latency, measure_throughput
from tests.bench.scale_runs import scale_table
from tests.bench.servers import Bench, bench_servers
from tests.bench.sharding_runs import sharding_table
from tests.bench.signing_runs import signing_table
from tests.bench.transcript_runs import transcript_table

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
_PAUSE_SECONDS = 2.0
"""Between two measurements: the broker and the database finish what the last one left to do."""


@dataclass(frozen=True)
class Sizes:
    """How much of everything."""

    rounds: int = 3
    results: int = 20_000
    """For a pipeline with a share of 1."""
    least_results: int = 500
    rate: float = 50.0
    latency_seconds: float = 20.0
    http_seconds: float = 8.0
    history_requests: int = 1_000
    """Of each kind of page."""
    page_requests: int = 50
    """Of each page of the portal."""
    certificates: int = 200
    """Of each script."""
    mails: int = 20_000
    feed_rows: int = 100_000
    """Of the file that is imported."""
    growth: tuple[int, ...] = (10_000, 100_000, 1_000_000)
    """Candidates of the platforms that are grown."""
    growth_results: int = 5_000
    """Registrations, and as many results, on each of them."""
    scale_results: int = 1_500
    """For each process of a service."""
    policy: PolicySizes = field(default_factory=PolicySizes)

    def results_of(self, pipeline: Pipeline) -> int:
        return max(min(self.least_results, self.results), round(self.results * pipeline.share))


QUICK = Sizes(
    rounds=1,
    results=5_000,
    least_results=300,
    latency_seconds=6.0,
    http_seconds=4.0,
    history_requests=200,
    page_requests=10,
    certificates=30,
    mails=5_000,
    feed_rows=10_000,
    growth=(1_000, 3_000),
    growth_results=500,
    scale_results=300,
    policy=QUICK_POLICY,
)

POLICY = {"evaluate": "one evaluation", "dry-run": "a dry run", "sweep": "the daily sweep"}
"""What is measured of the policy engine alone."""

HISTORY = "history"
PAGES = "pages"
"""Pages of a long history of exams."""

SIGNING = "signing"
"""Credentials signed in the worker while the API is read."""


TRANSCRIPT = "transcript"
"""The public page of a transcript."""

CERTIFICATE = "certificate"
"""One certificate drawn."""


GROWTH = "growth"
"""The main job on platforms of ten thousand to a million candidates."""

SCALE = "scale"
"""More processes of each service."""

SHARDING = "sharding"
"""Keys that the main job's operations would have in a sharded database."""

APART = (GROWTH, SCALE, SHARDING)
"""Measured only when they are named: they take long, or need rights of their own."""

MAILS = "mails"
"""Mails alone, handed to the sink, and written."""


_ONLY_HELP = "{}; and, where they are named, {}"


class _Named(Protocol):
    @property
    def name(self) -> str: ...


P = TypeVar("P", bound=_Named)
M = TypeVar("M")


class Rounds:
    """Measures participants in turn, and goes on without one that fails: the others' figures are still good."""

    def __init__(self, *, pause: float = _PAUSE_SECONDS) -> None:
        self._pause = pause
        self.failures: list[str] = []

    async def run(
        self, participants: Sequence[P], rounds: int, what: str, measure: Callable[[P], Awaitable[M]]
    ) -> dict[str, list[M]]:
        """Measure each participant once a round, every other round in the opposite order.

        What drifts on the machine, and what one leaves to the next, then weighs on all alike. The result has no entry
        for a participant that failed in any round: figures of a pipeline that loses something mean nothing.
        """
        measured: dict[str, list[M]] = {participant.name: [] for participant in participants}
        for number in range(rounds):
            for participant in participants if number % 2 == 0 else reversed(participants):
                if participant.name not in measured:
                    continue
                print(f"  {what}, round {number + 1} of {rounds}: {participant.name}", flush=True)
                try:
                    measured[participant.name].append(await measure(participant))
                except BenchError as error:
                    del measured[participant.name]
                    self.failures.append(f"{participant.name}, {what}: {error}")
                    print(f"  FAILED {self.failures[-1]}", flush=True)
                await asyncio.sleep(self._pause)
        return measured


async def measure_pipelines(bench: Bench, chosen: Sequence[Pipeline], sizes: Sizes, rounds: Rounds) -> list[str]:
    async def throughput(pipeline: Pipeline) -> Throughput:
        return await measure_throughput(bench, pipeline, sizes.results_of(pipeline))

    async def latency(pipeline: Pipeline) -> Latency:
        return await measure_latency(bench, pipeline, sizes.rate, sizes.latency_seconds)

    rates = await rounds.run(chosen, sizes.rounds, "throughput", throughput)
    latencies = await rounds.run(chosen, 1, "latency", latency)
    return [
        report.throughput_tables(rates),
        report.latency_table(latencies),
        report.ratio_table("Ratios of results/s: row / column", report.rates_of(rates)),
    ]


async def measure_servers(bench: Bench, chosen: Sequence[HttpTarget], sizes: Sizes, rounds: Rounds) -> list[str]:
    async def read(target: HttpTarget) -> HttpFigures:
        return await measure_http(bench, target, sizes.http_seconds)

    figures = await rounds.run(chosen, sizes.rounds, "HTTP", read)
    return [
        report.http_table(figures),
        report.ratio_table("Ratios of requests/s: row / column", report.rates_of(figures)),
    ]


async def measure_imports(bench: Bench, chosen: Sequence[FeedImport], sizes: Sizes, rounds: Rounds) -> list[str]:
    async def import_file(each: FeedImport) -> FeedFigures:
        return await measure_import(bench, each, sizes.feed_rows)

    return [import_table(await rounds.run(chosen, sizes.rounds, "file import", import_file))]


async def measure_policy(bench: Bench, chosen: Sequence[str], sizes: PolicySizes) -> list[str]:
    tables = []
    for name in chosen:
        print(f"  policy: {POLICY[name]}", flush=True)
        if name == "evaluate":
            tables.append(evaluation_table(sizes.evaluations))
        elif name == "dry-run":
            tables.append(await dry_run_table(bench.environment, sizes.population))
        else:
            tables.append(await sweep_table(bench.environment, sizes.sweeps))
    return tables


async def measure_alone(bench: Bench, chosen: Sequence[str], sizes: Sizes) -> list[str]:
    """What has a table of its own."""
    parts: list[str] = []
    if HISTORY in chosen:
        print("  history of exams", flush=True)
        parts.append(await history_table(bench, sizes.history_requests))
    if PAGES in chosen:
        print("  pages of the portal", flush=True)
        parts.append(await page_table(sizes.page_requests))
    if CERTIFICATE in chosen:
        print("  a certificate", flush=True)
        parts.append(await certificate_table(sizes.certificates))
    if TRANSCRIPT in chosen:
        print("  the page of a transcript", flush=True)
        parts.append(await transcript_table(bench, sizes.rounds, sizes.http_seconds))
    if SIGNING in chosen:
        print("  signing of credentials", flush=True)
        parts.append(await signing_table(bench, sizes.rounds))
    if MAILS in chosen:
        print("  mails", flush=True)
        parts.append(await mail_tables(bench, sizes.rounds, sizes.mails))
    if SCALE in chosen:
        parts.append(await scale_table(bench, sizes.scale_results))
    if SHARDING in chosen:
        print("  shard keys", flush=True)
        parts.append(await sharding_table(bench))
    return parts


def write_costs(path: Path, grown: Sequence[Growth]) -> None:
    """Put what was measured of platforms of growing size where `certrail capacity` can read it."""
    measured = Figures(machine=report.machine().strip(), growth=tuple(grown))
    path.write_text(measured.model_dump_json(indent=2) + "\n")


def write_figures(path: Path, figures: str) -> None:
    """Put the figures between the marks of a document. Raises `ValueError` where it has no marks."""
    text = path.read_text() if path.exists() else f"# Performance\n\n{BEGIN}\n{END}\n"
    before, found, rest = text.partition(BEGIN)
    _old, closed, after = rest.partition(END)
    if not found or not closed:
        raise ValueError(f"{path} has no lines {BEGIN!r} and {END!r} to write between")
    path.write_text(f"{before}{BEGIN}\n\n{figures}\n{END}{after}")


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    names = [
        *(each.name for each in pipelines()),
        *(each.name for each in http_targets()),
        HISTORY,
        PAGES,
        SIGNING,
        CERTIFICATE,
        TRANSCRIPT,
        MAILS,
        *POLICY,
    ]
    names += [each.name for each in IMPORTS]
    all_names = [*names, *APART]
    options = argparse.ArgumentParser(prog="python -m tests.bench", description="Certrail beside its references.")
    options.add_argument("--quick", action="store_true", help="one short round: to see that all works")
    options.add_argument(
        "--only",
        nargs="+",
        metavar="NAME",
        choices=all_names,
        default=names,
        help=_ONLY_HELP.format(", ".join(names), ", ".join(APART)),
    )
    options.add_argument("--rounds", type=int, help="repetitions, in alternating order")
    options.add_argument("--results", type=int, help="results a round; the slow references get a twentieth")
    options.add_argument("--feed-rows", type=int, help="rows of the file that is imported")
    options.add_argument("--rate", type=float, help="results a second in the measurement of latency")
    options.add_argument("--candidates", type=int, nargs="+", help="of the platforms that `growth` measures")
    options.add_argument("--figures", type=Path, metavar="FILE", help="also put what `growth` measures into this file")
    options.add_argument("--write", type=Path, metavar="FILE", help="also put the tables into this document")
    return options.parse_args(arguments)


def sizes_of(options: argparse.Namespace) -> Sizes:
    base = QUICK if options.quick else Sizes()
    return Sizes(
        rounds=options.rounds or base.rounds,
        results=options.results or base.results,
        least_results=base.least_results,
        rate=options.rate or base.rate,
        latency_seconds=base.latency_seconds,
        http_seconds=base.http_seconds,
        history_requests=base.history_requests,
        page_requests=base.page_requests,
        certificates=base.certificates,
        mails=base.mails,
        feed_rows=options.feed_rows or base.feed_rows,
        growth=tuple(options.candidates) if options.candidates else base.growth,
        growth_results=base.growth_results,
        scale_results=base.scale_results,
        policy=base.policy,
    )


async def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark and print its tables. Leaves with status 1 where a participant failed."""
    options = parse(arguments)
    sizes = sizes_of(options)
    rounds = Rounds()
    parts = [report.machine()]
    print(parts[0], flush=True)
    try:
        with tempfile.TemporaryDirectory(prefix="certrail-bench-") as work:
            async with bench_servers(Path(work)) as bench:
                await _measure(bench, options, sizes, rounds, parts)
    finally:  # what was measured before something failed is worth reading, too
        figures = "\n".join(parts)
        print(f"\n{figures}")
    if rounds.failures:
        raise SystemExit("\n".join(["FAILED", *rounds.failures]))
    if options.write:
        write_figures(options.write, figures)


async def _measure(bench: Bench, options: argparse.Namespace, sizes: Sizes, rounds: Rounds, parts: list[str]) -> None:
    """Everything that was asked for; each table goes to `parts` when it is done."""
    chosen = [each for each in pipelines() if each.name in options.only]
    if chosen:
        parts += await measure_pipelines(bench, chosen, sizes, rounds)
    targets = [each for each in http_targets() if each.name in options.only]
    if targets:
        parts += await measure_servers(bench, targets, sizes, rounds)
    parts += await measure_alone(bench, options.only, sizes)
    if GROWTH in options.only:
        grown: list[Growth] = []
        try:
            async for one in measure_growth(bench, sizes.growth, sizes.growth_results):
                grown.append(one)  # noqa: PERF401 those before a failure, too
        finally:
            if grown:
                parts.append(growth_tables(grown))
        if options.figures:
            write_costs(options.figures, grown)
    imports = [each for each in IMPORTS if each.name in options.only]
    if imports:
        parts += await measure_imports(bench, imports, sizes, rounds)
    parts += await measure_policy(bench, [name for name in POLICY if name in options.only], sizes.policy)
