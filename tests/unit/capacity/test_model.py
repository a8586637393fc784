"""From measured costs to machines: every need is met, and more is never asked for less."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.capacity.figures import Figures, Growth, Work, read_figures
from deploy.capacity.model import Demand, Machine, plan
from libs.common.events import SERVICES

PARTS = (*SERVICES, "mongod", "beam")


def work(ms: float) -> Work:
    return Work(count=1_000, seconds=1.0, cpu_ms=dict.fromkeys(PARTS, ms), foreign=0.0)


def grown(candidates: int, ms: float) -> Growth:
    return Growth(
        candidates=candidates,
        registrations=work(ms),
        results=work(ms),
        reads=work(ms / 4),
        read_ms={"p50": 1.0, "p99": 2.0},
        data_bytes=dict.fromkeys(SERVICES, 2_000 * candidates),
        index_bytes=dict.fromkeys(SERVICES, 500 * candidates),
        memory_mb=dict.fromkeys(PARTS, 100.0),
        broker_bytes=10_000,
    )


FIGURES = Figures(machine="a machine", growth=(grown(10_000, 0.2), grown(100_000, 0.3)))
COUNTS = st.integers(min_value=1, max_value=300_000_000)


def test_cores_are_events_a_second_times_what_each_costs() -> None:
    small = replace(Demand(40_000), results_a_year=1, reads_a_year=1e-9, exams=1, busiest=1)
    planned = plan(FIGURES, small, Machine())
    a_second = 40_000 / (365.25 * 24 * 3600)
    assert planned.service_cores == pytest.approx(a_second * 2 * 0.3 / 1000 * len(SERVICES))
    assert planned.broker_cores == pytest.approx(a_second * 2 * 0.3 / 1000)


def test_cost_grows_with_the_platform_as_it_did_between_the_two_largest_measured() -> None:
    """0.1 ms a decade: ten times the largest measured costs 0.4 ms."""
    demand = replace(Demand(1_000_000), results_a_year=1, reads_a_year=1e-9, exams=1, busiest=1)
    planned = plan(FIGURES, demand, Machine(disk_gb=1e9, memory_gb=1e9))
    a_second = 1_000_000 / (365.25 * 24 * 3600)
    assert planned.broker_cores == pytest.approx(a_second * 2 * 0.4 / 1000)


@given(candidates=COUNTS)
def test_every_shard_fits_its_machine(candidates: int) -> None:
    machine = Machine()
    planned = plan(FIGURES, Demand(candidates), machine)
    assert planned.shard_cores <= machine.cores * machine.used
    assert planned.shard_memory_gb <= machine.memory_gb
    assert planned.shard_disk_gb <= machine.disk_gb


@given(candidates=COUNTS, more=st.integers(min_value=2, max_value=5))
def test_more_candidates_never_need_less(candidates: int, more: int) -> None:
    some, many = (plan(FIGURES, Demand(count), Machine()) for count in (candidates, candidates * more))
    assert many.shards >= some.shards
    assert many.service_machines >= some.service_machines
    assert all(many.processes[service] >= some.processes[service] for service in SERVICES)


def test_each_service_keeps_one_process_when_one_is_stopped() -> None:
    assert set(plan(FIGURES, Demand(1), Machine()).processes.values()) == {2}


@pytest.mark.parametrize("field", ["candidates", "exams", "results_a_year", "reads_a_year", "busiest"])
def test_a_demand_of_nothing_is_refused_by_name(field: str) -> None:
    with pytest.raises(ValueError, match=field):
        replace(Demand(1_000), **{field: 0})


def test_a_file_of_other_figures_is_refused_with_the_place(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    path.write_text(FIGURES.model_dump_json().replace('"broker_bytes":10000', '"broker_bytes":-1', 1))
    with pytest.raises(ValueError, match=r"growth\.0\.broker_bytes"):
        read_figures(path)
    with pytest.raises(ValueError, match="cannot read"):
        read_figures(tmp_path / "none.json")
