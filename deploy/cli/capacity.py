"""`certrail capacity`: machines for so many candidates."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from deploy.capacity.figures import FIGURES, read_figures
from deploy.capacity.model import BROKER_NODES, DATABASE_MEMBERS, Demand, Machine, Plan, plan
from deploy.cli.console import output, say, say_json, table
from deploy.cli.errors import CliError

SIZES = [1_000_000, 10_000_000, 100_000_000]


def capacity(
    candidates: Annotated[list[int] | None, typer.Argument(help="How many; several make several columns")] = None,
    *,
    exams: Annotated[float, typer.Option(help="Exams that a candidate has taken in all")] = Demand.exams,
    results_a_year: Annotated[float, typer.Option(help="Results of one candidate in a year")] = Demand.results_a_year,
    reads_a_year: Annotated[
        float, typer.Option(help="Requests to the API about one candidate in a year")
    ] = Demand.reads_a_year,
    busiest: Annotated[
        float, typer.Option(help="Times the mean that comes in the busiest hour of a year")
    ] = Demand.busiest,
    cores: Annotated[int, typer.Option(help="Cores of a machine")] = Machine.cores,
    memory_gb: Annotated[float, typer.Option(help="Memory of a machine")] = Machine.memory_gb,
    disk_gb: Annotated[float, typer.Option(help="Disk of a machine")] = Machine.disk_gb,
    used: Annotated[float, typer.Option(help="Part of the cores in use in the busiest hour")] = Machine.used,
    figures: Annotated[Path, typer.Option(help="What `make bench` has measured")] = FIGURES,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON")] = False,
) -> None:
    """Say how many machines, processes and shards a platform needs, from measured costs.

    What is assumed of candidates and machines are the options; measure on your own machines and give in the figures.
    """
    try:
        measured = read_figures(figures)
        machine = Machine(cores, memory_gb, disk_gb, used)
        plans = [
            plan(measured, Demand(count, exams, results_a_year, reads_a_year, busiest), machine)
            for count in candidates or SIZES
        ]
    except ValueError as error:
        raise CliError(str(error)) from None
    if as_json:
        say_json([{**asdict(one), "machines": one.machines} for one in plans])
        return
    rows = table("", *(f"{one.demand.candidates:,}" for one in plans))
    for name, cells in lines(plans):
        rows.add_row(name, *cells)
    output().print(rows)
    say(f"measured on {measured.machine}")


def lines(plans: list[Plan]) -> list[tuple[str, list[str]]]:
    """The rows of the table: a name and a cell for each plan."""

    def row(name: str, *cells: str) -> tuple[str, list[str]]:
        return name, list(cells)

    services = list(plans[0].processes)
    return [
        row("results a second, busiest hour", *(f"{one.demand.results:,.1f}" for one in plans)),
        row("requests a second, busiest hour", *(f"{one.demand.reads:,.0f}" for one in plans)),
        *(row(f"processes of {name}", *(str(one.processes[name]) for one in plans)) for name in services),
        row("cores of all services", *(f"{one.service_cores:,.2f}" for one in plans)),
        row("machines for services", *(str(one.service_machines) for one in plans)),
        row("shards", *(str(one.shards) for one in plans)),
        row("cores of a primary", *(f"{one.shard_cores:,.2f}" for one in plans)),
        row("memory of a member, GB", *(f"{one.shard_memory_gb:,.0f}" for one in plans)),
        row("disk of a member, GB", *(f"{one.shard_disk_gb:,.0f}" for one in plans)),
        row(f"machines for databases ({DATABASE_MEMBERS} a shard)", *(str(one.database_machines) for one in plans)),
        row("cores of a broker node", *(f"{one.broker_cores:,.2f}" for one in plans)),
        row("disk of a broker node, GB", *(f"{one.broker_disk_gb:,.0f}" for one in plans)),
        row("machines for the broker", *(str(BROKER_NODES) for _ in plans)),
        row("machines in all", *(str(one.machines) for one in plans)),
    ]
