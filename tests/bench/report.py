"""The figures as Markdown tables, readable in a terminal as they are."""

import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from statistics import median

import psutil

from tests.bench.http_runs import HttpFigures, load_generator
from tests.bench.runs import Latency, Throughput

DISTURBED = 0.05
"""From this part of the machine on, what others take makes a figure doubtful."""

_PACKAGES = ("aio-pika", "motor", "pymongo", "aiohttp", "pydantic", "faststream", "fastapi", "uvicorn", "aiosmtplib")


def table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose columns line up; all but the first are set to the right."""
    if not rows:
        return f"### {title}\n\nNobody finished.\n"
    widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(len(heads))]

    def line(cells: Sequence[str]) -> str:
        first, *others = zip(cells, widths, strict=True)
        return "| " + " | ".join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]) + " |"

    rule = "|" + "|".join(["-" * (widths[0] + 2), *("-" * (width + 1) + ":" for width in widths[1:])]) + "|"
    return "\n".join([f"### {title}", "", line(heads), rule, *map(line, rows), ""])


def machine() -> str:
    """Where and when, and how busy the machine was with other things just before."""
    memory = psutil.virtual_memory().total / 1e9
    packages = ", ".join(f"{package} {version(package)}" for package in _PACKAGES)
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores, {memory:.0f} GB, "
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}, {packages}. "
        f"Load average at the start: {os.getloadavg()[0]:.1f}.\n"
    )


def throughput_tables(measured: Mapping[str, Sequence[Throughput]]) -> str:
    """Rates with their spread, CPU by part, memory by service. Medians of the rounds."""
    return "\n".join([_rates(measured), _cpu(measured), _memory(measured)])


def _foreign(runs: Sequence[Throughput | Latency | HttpFigures]) -> str:
    """How much of the machine something else had, at worst; the figures are marked where that disturbs them."""
    worst = max(run.foreign for run in runs)
    return f"{worst:.0%}{' !' if worst >= DISTURBED else ''}"


def _rates(measured: Mapping[str, Sequence[Throughput]]) -> str:
    rows = []
    for name, runs in measured.items():
        rates = [run.per_second for run in runs]
        spread = f"{min(rates):,.0f}-{max(rates):,.0f}" if len(rates) > 1 else "one round"
        doubled = sum(run.doubled_mails for run in runs)
        cells = [f"{runs[0].results:,}", f"{median(rates):,.0f}", spread, str(doubled), _foreign(runs)]
        rows.append([name, *cells])
    heads = ["pipeline", "results a round", "results/s", "rounds", "doubled mails", "others' CPU"]
    return table("From the vendor's first publish to the last mail accepted", heads, rows)


def _cpu(measured: Mapping[str, Sequence[Throughput]]) -> str:
    parts = ("services", "mongod", "beam", "sink", "load")
    rows = []
    for name, runs in measured.items():
        split = [f"{median(run.cpu_ms[part] for run in runs):.3f}" for part in parts]
        rows.append([name, f"{median(run.total_cpu_ms for run in runs):.3f}", *split])
    heads = ["pipeline", "total", "services", "mongod", "beam", "(sink)", "(load)"]
    return table("CPU a result, ms; the total is without sink and load", heads, rows)


def _memory(measured: Mapping[str, Sequence[Throughput]]) -> str:
    services = sorted({service for runs in measured.values() for service in runs[0].memory_end})
    rows = []
    for name, runs in measured.items():
        cells = []
        for service in services:
            half = max(run.memory_half.get(service, 0.0) for run in runs)
            end = max(run.memory_end.get(service, 0.0) for run in runs)
            cells.append(f"{half:.0f} -> {end:.0f}" if end else "-")
        rows.append([name, f"{runs[0].results:,}", *cells])
    heads = ["pipeline", "results", *services]
    return table("Memory by service, MB: after half of the results -> after all", heads, rows)


def latency_table(measured: Mapping[str, Sequence[Latency]]) -> str:
    rows = []
    for name, runs in measured.items():
        middle = median(run.percentile(0.5) for run in runs)
        slow = median(run.percentile(0.99) for run in runs)
        cells = [f"{runs[0].rate:.0f}/s", str(len(runs[0].samples)), f"{middle:.0f}", f"{slow:.0f}", _foreign(runs)]
        rows.append([name, *cells])
    heads = ["pipeline", "rate", "results", "p50 ms", "p99 ms", "others' CPU"]
    return table("From the vendor's publish to the last mail of the result accepted", heads, rows)


def http_table(measured: Mapping[str, Sequence[HttpFigures]]) -> str:
    rows = []
    for name, runs in measured.items():
        rows.append(
            [
                name,
                f"{median(run.per_second for run in runs):,.0f}",
                f"{median(run.p99_ms for run in runs):.1f}",
                f"{median(run.server_cpu_us for run in runs):.0f}",
                f"{median(run.mongod_cpu_us for run in runs):.0f}",
                f"{median(run.memory_mb for run in runs):.0f}",
                _foreign(runs),
            ]
        )
    heads = ["server", "requests/s", "p99 ms", "server CPU us", "mongod CPU us", "MB", "others' CPU"]
    return table(f"A candidate reads their certifications (one process, {load_generator()})", heads, rows)


def ratio_table(title: str, rates: Mapping[str, float]) -> str:
    """Each participant's rate as a multiple of each other's."""
    rows = [[name, *(f"{rate / other:.2f}" for other in rates.values())] for name, rate in rates.items()]
    return table(title, ["", *(f"/ {name}" for name in rates)], rows)


def rates_of(measured: Mapping[str, Sequence[Throughput | HttpFigures]]) -> dict[str, float]:
    return {name: median(run.per_second for run in runs) for name, runs in measured.items()}
