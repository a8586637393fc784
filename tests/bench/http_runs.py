"""One measurement of one HTTP service: requests a second, the slowest hundredth, CPU a request."""

import asyncio
import json
import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.local.ports import free_ports, is_listening
from deploy.local.settings import PROJECT
from tests.bench.pipeline import HttpRequest, HttpTarget
from tests.bench.processes import BenchError, CpuMeter, Running, memory_mb, poll, running
from tests.bench.servers import Bench

CONNECTIONS = 32
WARM_UP_SECONDS = 2.0
CANDIDATES = 1_000

_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


@dataclass(frozen=True)
class Load:
    """What the load generator saw."""

    requests: int
    seconds: float
    p99_ms: float
    refused: int
    """Answers other than 200, and broken connections."""


@dataclass(frozen=True)
class HttpFigures:
    """CPU is in microseconds a request."""

    per_second: float
    p99_ms: float
    server_cpu_us: float
    mongod_cpu_us: float
    memory_mb: float
    foreign: float
    """The part of the machine that others took meanwhile, 0 to 1."""


async def measure_http(bench: Bench, target: HttpTarget, seconds: float) -> HttpFigures:
    """Ask for `seconds` after a warm-up. Raises `BenchError` where an answer is not 200."""
    environment = bench.environment
    await target.set_up(environment, CANDIDATES)
    try:
        (port,) = free_ports(1)
        async with running([target.service(environment, port)], environment.work) as (server,):
            await _until_listening(server, port)
            requests = target.requests(environment)
            await _load(environment.work, port, requests, WARM_UP_SECONDS)
            meter = CpuMeter({"server": [server.process.pid], **bench.server_pids()})
            load = await _load(environment.work, port, requests, seconds)
            spent = meter.stop()
            memory = memory_mb([server])[server.name]
    finally:
        await target.tear_down(environment)
    if load.refused or not load.requests:
        raise BenchError(f"{target.name} refused {load.refused} of {load.requests} requests")
    return HttpFigures(
        per_second=load.requests / load.seconds,
        p99_ms=load.p99_ms,
        server_cpu_us=1e6 * spent.parts["server"] / load.requests,
        mongod_cpu_us=1e6 * spent.parts["mongod"] / load.requests,
        memory_mb=memory,
        foreign=spent.foreign,
    )


def load_generator() -> str:
    """What the requests are made with on this machine."""
    return "wrk" if shutil.which("wrk") else "tests.bench.http_load"


async def _until_listening(server: Running, port: int) -> None:
    def up() -> bool:
        server.check()
        return is_listening(port)

    await poll(up, seconds=30, what=server.name)


async def _load(work: Path, port: int, requests: Sequence[HttpRequest], seconds: float) -> Load:
    if load_generator() == "wrk":
        return await _wrk(work, port, requests, seconds)
    path = work / "requests.json"
    path.write_text(json.dumps([[request.path, dict(request.headers)] for request in requests]))
    output = await _output(
        *(sys.executable, "-m", "tests.bench.http_load", "--port", str(port), "--requests", str(path)),
        *("--connections", str(CONNECTIONS), "--seconds", str(seconds)),
        seconds=seconds,
    )
    return Load(**json.loads(output))


async def _wrk(work: Path, port: int, requests: Sequence[HttpRequest], seconds: float) -> Load:
    script = work / "requests.lua"
    script.write_text(_lua(requests))
    output = await _output(
        *("wrk", "--threads", "1", "--connections", str(CONNECTIONS), "--duration", f"{seconds:.0f}s"),
        *("--latency", "--script", str(script), f"http://127.0.0.1:{port}"),
        seconds=seconds,
    )
    return read_wrk(output)


def read_wrk(output: str) -> Load:
    """The figures in what `wrk --latency` prints. Raises `BenchError` where they are missing."""
    total = re.search(r"(\d+) requests in ([\d.]+)(m?s)", output)
    slowest = re.search(r"99%\s+([\d.]+)(us|ms|s)", output)
    if total is None or slowest is None:
        raise BenchError(f"wrk said:\n{output}")
    refused = sum(int(count) for count in re.findall(r"Non-2xx or 3xx responses: (\d+)", output))
    broken = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", output)
    refused += sum(int(count) for count in broken.groups()) if broken else 0
    taken = float(total[2]) * _UNITS[total[3]] / 1000
    return Load(int(total[1]), taken, float(slowest[1]) * _UNITS[slowest[2]], refused)


def _lua(requests: Sequence[HttpRequest]) -> str:
    """A script that sends the requests in turn. JSON strings of printable ASCII are Lua strings as well."""
    made = (
        f"wrk.format('GET', {json.dumps(request.path)}, "
        f"{{{', '.join(f'[{json.dumps(name)}]={json.dumps(value)}' for name, value in request.headers.items())}}})"
        for request in requests
    )
    return (
        f"local all\nlocal turn = 0\nfunction init(args)\n  all = {{{', '.join(made)}}}\nend\n"
        "function request()\n  turn = turn % #all + 1\n  return all[turn]\nend\n"
    )


async def _output(*command: str, seconds: float) -> str:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=PROJECT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        async with asyncio.timeout(seconds + 30):
            output, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    if process.returncode:
        raise BenchError(f"{command[0]} failed:\n{output.decode(errors='replace')}")
    return output.decode()
