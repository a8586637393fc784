"""The numbers that staff and monitoring watch: what is awaited, what is late, what nobody claims, and since when."""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, ClassVar

import structlog
from prometheus_client import Gauge

from libs.common.bus.connection import wait_or_stop
from libs.common.clock import Clock
from libs.common.mongo.client import Document
from libs.common.mongo.faults import database_faults
from libs.common.programs import Program
from services.exams.domain.watch import AWAITED, PAST_PROMISE
from services.exams.store import ExamsStore

AWAITED_NOW = Gauge(
    "certrail_results_awaited", "Results of appointments that are waited for", ["program", "vendor", "state"]
)
OLDEST_LATE = Gauge(
    "certrail_results_late_oldest_seconds", "Since when the oldest late result is late", ["program", "vendor"]
)
UNMATCHED_NOW = Gauge("certrail_results_unmatched", "Results whose candidate is not known", ["program", "vendor"])
OLDEST_UNMATCHED = Gauge(
    "certrail_results_unmatched_oldest_seconds", "Age of the oldest unmatched result", ["program", "vendor"]
)
_GAUGES = (AWAITED_NOW, OLDEST_LATE, UNMATCHED_NOW, OLDEST_UNMATCHED)

_BUCKETS = ((2, "1-2"), (5, "3-5"), (10, "6-10"))
"""Business days late, up to and with; what is later is `more`."""

log = structlog.get_logger(__name__)


def figures_of(
    program: Program, awaited: Iterable[Document], unmatched: Iterable[Document], now: datetime
) -> dict[str, Any]:
    """A program's numbers, in all and by vendor."""
    vendors: dict[str, dict[str, Any]] = {}
    for row in awaited:
        _count(vendors.setdefault(row["vendor"], _nothing(row["vendor"])), row, program, program.day_of(now))
    for row in unmatched:
        one = vendors.setdefault(row["vendor"], _nothing(row["vendor"]))
        one |= {"unmatched": row["count"], "oldest_unmatched_at": row["oldest_at"]}
    each = [vendors[name] for name in sorted(vendors)]
    oldest = min((one["oldest_unmatched_at"] for one in each if one["oldest_unmatched_at"]), default=None)
    sums = {name: sum(one[name] for one in each) for name in ("expected", "late", "overdue", "unmatched")}
    return {
        **sums,
        "oldest_due_on": min((one["oldest_due_on"] for one in each if one["oldest_due_on"]), default=None),
        "oldest_unmatched_at": oldest,
        "oldest_unmatched_days": (now - oldest).days if oldest else None,
        "vendors": each,
    }


def _nothing(vendor: str) -> dict[str, Any]:
    late = {**{name: 0 for _, name in _BUCKETS}, "more": 0}
    counts = {**dict.fromkeys((stage.value for stage in AWAITED), 0), "unmatched": 0}
    ages = {"oldest_due_on": None, "oldest_unmatched_at": None}
    return {"vendor": vendor, **counts, **ages, "late_by_business_days": late}


def _count(one: dict[str, Any], row: Mapping[str, Any], program: Program, today: date) -> None:
    one[row["stage"]] += row["count"]
    if row["stage"] not in {stage.value for stage in PAST_PROMISE}:
        return
    due = date.fromisoformat(row["due_on"])
    one["oldest_due_on"] = min(one["oldest_due_on"] or due, due)
    days = program.calendar.between(due, today)
    one["late_by_business_days"][next((name for most, name in _BUCKETS if days <= most), "more")] += row["count"]


class Figures:
    """Keeps the gauges of this process: every replica tells the same, and none what another told an hour ago."""

    EVERY_SECONDS: ClassVar = 60.0

    def __init__(self, store: ExamsStore, programs: Mapping[str, Program], clock: Clock) -> None:
        self._store = store
        self._programs = programs
        self._clock = clock

    async def run(self, stopping: asyncio.Event) -> None:
        """Count once a minute until `stopping` is set."""
        while not stopping.is_set():
            async with database_faults(log):
                await self.count()
            await wait_or_stop(stopping, self.EVERY_SECONDS)

    async def count(self) -> None:
        """Set every gauge to what is so now."""
        programs = dict(self._programs)
        awaited = await self._store.watches.figures(programs)
        unmatched = await self._store.unmatched_results.figures(programs)
        for gauge in _GAUGES:
            gauge.clear()
        now = self._clock.now()
        for program in programs.values():
            ours, nobodys = ([row for row in rows if row["program"] == program.id] for rows in (awaited, unmatched))
            for one in figures_of(program, ours, nobodys, now)["vendors"]:
                _set(program, one, now)


def _set(program: Program, one: Mapping[str, Any], now: datetime) -> None:
    names = (program.id, one["vendor"])
    for stage in AWAITED:
        AWAITED_NOW.labels(*names, stage.value).set(one[stage.value])
    UNMATCHED_NOW.labels(*names).set(one["unmatched"])
    if one["oldest_due_on"]:
        OLDEST_LATE.labels(*names).set((now - program.end_of(one["oldest_due_on"])).total_seconds())
    if one["oldest_unmatched_at"]:
        OLDEST_UNMATCHED.labels(*names).set((now - one["oldest_unmatched_at"]).total_seconds())
