"""A plain HTTP load of our own, for machines without `wrk`: keep-alive connections that ask again when answered.

It runs as a process of its own and prints `{"requests", "seconds", "p99_ms", "refused"}`. It costs several times the
CPU of `wrk`, so its figures compare with each other only.
"""

import argparse
import asyncio
import itertools
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import uvloop

from tests.bench.runs import percentile

_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


@dataclass
class Tally:
    """What all connections saw."""

    latencies: list[float] = field(default_factory=list)
    refused: int = 0


class Connection(asyncio.Protocol):
    """Sends the next request as soon as an answer is whole. Answers must say their length."""

    def __init__(self, requests: Iterator[bytes], tally: Tally) -> None:
        self._requests = requests
        self._tally = tally
        self._buffer = b""
        self._sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not found or length is None or len(body) < int(length[1]):
            return
        self._tally.latencies.append((time.monotonic() - self._sent) * 1000)
        self._tally.refused += not head.startswith(b"HTTP/1.1 200")
        self._buffer = b""
        self._send()

    def _send(self) -> None:
        self._sent = time.monotonic()
        self._transport.write(next(self._requests))


async def run(port: int, requests: list[bytes], connections: int, seconds: float) -> dict[str, float]:
    tally, turns = Tally(), itertools.cycle(requests)
    loop = asyncio.get_running_loop()
    opened = [
        await loop.create_connection(lambda: Connection(turns, tally), "127.0.0.1", port) for _ in range(connections)
    ]
    began = time.monotonic()
    await asyncio.sleep(seconds)
    taken = time.monotonic() - began
    for transport, _protocol in opened:
        transport.abort()
    return {
        "requests": len(tally.latencies),
        "seconds": taken,
        "p99_ms": percentile(tally.latencies, 0.99),
        "refused": tally.refused,
    }


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m tests.bench.http_load", description=__doc__)
    options.add_argument("--port", type=int, required=True)
    options.add_argument("--connections", type=int, required=True)
    options.add_argument("--seconds", type=float, required=True)
    options.add_argument("--requests", type=Path, required=True, help="JSON list of [path, headers]")
    chosen = options.parse_args()
    requests = [
        (f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers.items()) + "\r\n")
        for path, headers in json.loads(chosen.requests.read_text())
    ]
    packets = [request.encode() for request in requests]
    print(json.dumps(uvloop.run(run(chosen.port, packets, chosen.connections, chosen.seconds))))


if __name__ == "__main__":
    main()
