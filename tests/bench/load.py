"""The load: publishes results or registrations as a vendor does, persistent, mandatory and confirmed, at least cost.

It runs as a process of its own. Every frame is made before the first is sent, and the confirms are read from a plain
socket, because an ordinary client would take as much CPU as the pipeline it feeds. A message that the broker refuses or
returns ends it with an error.
"""

import argparse
import json
import select
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote, urlsplit

from pamqp import body, commands, frame, header
from pamqp.common import FieldTable

from libs.common.events import SINGLE
from tests.bench import population

_CHANNEL = 1
_WINDOW = 2_000
"""Messages that may be unconfirmed at a time."""


class Publisher:
    """One AMQP 0-9-1 connection with one confirming channel."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self.user = unquote(address.username or "")
        self._password = unquote(address.password or "")
        self._virtual_host = unquote(address.path[1:]) or "/"
        self._socket = socket.create_connection((address.hostname or "127.0.0.1", address.port or 5672), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = b""
        self.sent = 0
        self.confirmed = 0

    def open(self) -> None:
        """Handshake, channel, confirms (AMQP 0-9-1, sections 2.2.4 and 4.7)."""
        self._socket.sendall(b"AMQP\x00\x00\x09\x01")
        self._expect(commands.Connection.Start)
        capabilities: FieldTable = {"capabilities": {"publisher_confirms": True, "basic.nack": True}}
        response = f"\0{self.user}\0{self._password}"
        self._send(commands.Connection.StartOk(capabilities, "PLAIN", response, "en_US"), 0)
        tune = cast("commands.Connection.Tune", self._expect(commands.Connection.Tune))
        self._send(commands.Connection.TuneOk(tune.channel_max, tune.frame_max, heartbeat=0), 0)
        self._send(commands.Connection.Open(self._virtual_host), 0)
        self._expect(commands.Connection.OpenOk)
        self._send(commands.Channel.Open(), _CHANNEL)
        self._expect(commands.Channel.OpenOk)
        self._send(commands.Confirm.Select(), _CHANNEL)
        self._expect(commands.Confirm.SelectOk)

    def publish(self, packet: bytes) -> None:
        """Send one prepared message; waits while too many are unconfirmed."""
        while self.sent - self.confirmed >= _WINDOW:
            self.read_confirms(timeout=30)
        self._socket.sendall(packet)
        self.sent += 1
        if self.sent % 100 == 0:
            self.read_confirms(timeout=0)

    def finish(self) -> None:
        """Wait for all confirms and say goodbye."""
        while self.confirmed < self.sent:
            self.read_confirms(timeout=30)
        self._send(commands.Connection.Close(200, "done", 0, 0), 0)
        self._socket.close()

    def read_confirms(self, timeout: float) -> None:
        """Take what has arrived, waiting up to `timeout` seconds. Raises `TimeoutError` after waiting in vain."""
        if not select.select([self._socket], [], [], timeout)[0]:
            if timeout > 1:
                raise TimeoutError(f"the broker confirmed nothing in {timeout} s")
            return
        self._received += self._read()
        while (value := self._next_frame()) is not None:
            self._confirm(value)

    def _confirm(self, value: Any) -> None:
        if isinstance(value, commands.Basic.Ack):
            tag = value.delivery_tag or 0
            self.confirmed = max(self.confirmed, tag) if value.multiple else self.confirmed + 1
        elif not isinstance(value, commands.Connection.Blocked | commands.Connection.Unblocked):
            raise _unexpected(value)

    def _send(self, command: Any, channel: int) -> None:
        self._socket.sendall(frame.marshal(command, channel))

    def _expect(self, kind: Callable[..., Any]) -> Any:
        while (value := self._next_frame()) is None:
            self._received += self._read()
        if not isinstance(value, cast("type", kind)):
            raise _unexpected(value)
        return value

    def _read(self) -> bytes:
        received = self._socket.recv(65_536)
        if not received:
            raise ConnectionError("the broker closed the connection")
        return received

    def _next_frame(self) -> Any:
        if len(self._received) < 7 or len(self._received) < 8 + int.from_bytes(self._received[3:7], "big"):
            return None
        size, _, value = frame.unmarshal(self._received)
        self._received = self._received[size:]
        return value


def _unexpected(value: Any) -> ConnectionError:
    return ConnectionError(f"the broker answered {getattr(value, 'name', value)}: {vars(value)}")


@dataclass(frozen=True)
class Kind:
    """What is published: its id and body, by the candidate's index."""

    event: str
    event_id: Callable[[int], str]
    body: Callable[[int], bytes]


KINDS = {
    "result": Kind("ExamResultReported.v1", population.result_event_id, population.result_message),
    "registration": Kind("ExamRegistered.v1", population.registration_event_id, population.registration_message),
}


def prepare(exchange: str, kind: Kind, user: str, first: int, count: int) -> list[bytes]:
    """The messages from `first` on, as the bytes that go over the wire."""
    routing_key = f"{population.VENDOR}.{kind.event}"
    publish = frame.marshal(
        commands.Basic.Publish(exchange=exchange, routing_key=routing_key, mandatory=True), _CHANNEL
    )
    return [publish + _content(kind, index, user) for index in range(first, first + count)]


def _content(kind: Kind, index: int, user: str) -> bytes:
    message = kind.body(index)
    properties = commands.Basic.Properties(
        content_type=SINGLE,
        delivery_mode=2,
        message_id=kind.event_id(index),
        message_type=f"{population.VENDOR}.{kind.event}",
        user_id=user,
    )
    content = header.ContentHeader(body_size=len(message), properties=properties)
    return frame.marshal(content, _CHANNEL) + frame.marshal(body.ContentBody(message), _CHANNEL)


def run(publisher: Publisher, packets: list[bytes], rate: float) -> list[float]:
    """Publish all, `rate` a second (0: as fast as the broker takes them). The moments of sending, monotonic seconds."""
    moments: list[float] = []
    began = time.monotonic()
    for index, packet in enumerate(packets):
        while rate and (wait := began + index / rate - time.monotonic()) > 0:
            publisher.read_confirms(timeout=min(wait, 1))
        moments.append(time.monotonic())
        publisher.publish(packet)
    publisher.finish()
    return moments


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m tests.bench.load", description=__doc__)
    options.add_argument("--url", required=True)
    options.add_argument("--exchange", required=True)
    options.add_argument("--kind", choices=KINDS, default="result")
    options.add_argument("--first", type=int, default=0, help="index of the first candidate")
    options.add_argument("--count", type=int, required=True)
    options.add_argument("--rate", type=float, default=0.0)
    options.add_argument("--go", type=Path, required=True, help="begin once this file exists")
    options.add_argument("--out", type=Path, required=True, help="where to write when each message was sent")
    chosen = options.parse_args()
    publisher = Publisher(chosen.url)
    packets = prepare(chosen.exchange, KINDS[chosen.kind], publisher.user, chosen.first, chosen.count)
    publisher.open()
    chosen.out.with_suffix(".ready").touch()
    while not chosen.go.exists():
        time.sleep(0.02)
    cpu = time.process_time()
    moments = run(publisher, packets, chosen.rate)
    report = {"moments": moments, "cpu_seconds": time.process_time() - cpu}
    staged = chosen.out.with_suffix(".part")
    staged.write_text(json.dumps(report))
    staged.replace(chosen.out)


if __name__ == "__main__":
    main()
