"""The harness measures what it says: mails are told apart, messages are confirmed, tables keep what they hold."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.bench import http_runs, report, runs
from tests.bench.case import Letter
from tests.bench.command import BEGIN, END, Rounds, write_figures
from tests.bench.population import email, index_of
from tests.bench.processes import BenchError
from tests.bench.sink import Ledger, SmtpSession
from tests.bench.smtp_senders import PipeliningSender, PlainSender, Sender

WRK = """Running 8s test @ http://127.0.0.1:1
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency    12.96ms    3.17ms  50.14ms   83.55%
  Latency Distribution
     50%   12.18ms
     99%    1.02s
  19808 requests in 8.01s, 3.40MB read
"""


class Named:
    def __init__(self, name: str) -> None:
        self.name = name


def letter(number: int, text: str = "Dear candidate") -> Letter:
    content = f"Subject: {number}\r\nMessage-ID: <{number}@bench.example>\r\n\r\n{text}\r\n"
    return Letter(str(number), email(number), content.encode())


@asynccontextmanager
async def sink() -> AsyncIterator[tuple[Ledger, int]]:
    ledger = Ledger()
    loop = asyncio.get_running_loop()
    async with await loop.create_server(lambda: SmtpSession(ledger), "127.0.0.1", 0) as server:
        listener: socket.socket = server.sockets[0]
        yield ledger, int(listener.getsockname()[1])


OpenSender = Callable[[str, int], Awaitable[Sender]]
with_both_senders = pytest.mark.parametrize("open_sender", [PlainSender.open, PipeliningSender.open])


@with_both_senders
async def test_sink_counts_a_mail_sent_twice_as_one_mail_and_one_double(open_sender: OpenSender) -> None:
    async with sink() as (ledger, port):
        sender = await open_sender("127.0.0.1", port)
        await sender.send_all([letter(1), letter(2), letter(1)])
        await sender.close()
    assert (ledger.count()["total"], ledger.count()["distinct"]) == (3, 2)


@with_both_senders
async def test_text_that_looks_like_the_end_of_a_mail_does_not_end_it(open_sender: OpenSender) -> None:
    async with sink() as (ledger, port):
        sender = await open_sender("127.0.0.1", port)
        await sender.send_all([letter(1, "one\r\n.\r\nMessage-ID: <9@bench.example>"), letter(2)])
        await sender.close()
    assert [recipient for _id, recipient, _moment in ledger.mails] == [email(1), email(2)]


async def test_a_mail_without_an_id_is_not_counted() -> None:
    with pytest.raises(ValueError, match="message-id"):
        Ledger().accept(email(1), b"Subject: x\r\n\r\nMessage-ID: <1@bench.example>")


def test_an_address_leads_back_to_its_candidate() -> None:
    assert index_of(email(4711)) == 4711
    with pytest.raises(ValueError, match="no address"):
        index_of("someone@elsewhere.example")


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50), (0.99, 99), (1.0, 100), (0.001, 1)])
def test_percentile_is_the_nearest_rank(share: float, expected: int) -> None:
    assert runs.percentile([float(value) for value in range(100, 0, -1)], share) == expected


def test_wrk_is_read_with_its_units_and_its_refusals() -> None:
    read = http_runs.read_wrk(
        WRK + "  Non-2xx or 3xx responses: 7\n  Socket errors: connect 0, read 1, write 2, timeout 0\n"
    )
    assert (read.requests, read.seconds, read.p99_ms, read.refused) == (19808, 8.01, 1020, 10)
    assert http_runs.read_wrk(WRK).refused == 0


def test_wrk_that_failed_is_an_error() -> None:
    with pytest.raises(BenchError, match="unable to connect"):
        http_runs.read_wrk("unable to connect to 127.0.0.1")


async def test_every_other_round_runs_in_the_opposite_order() -> None:
    order: list[str] = []

    async def measure(named: Named) -> int:
        order.append(named.name)
        return len(order)

    measured = await Rounds(pause=0).run([Named("a"), Named("b")], 2, "nothing", measure)
    assert order == ["a", "b", "b", "a"]
    assert measured == {"a": [1, 4], "b": [2, 3]}


async def test_a_participant_that_fails_once_has_no_figures_and_the_others_keep_theirs() -> None:
    turns: list[str] = []

    async def measure(named: Named) -> int:
        turns.append(named.name)
        if turns == ["a", "b", "b"]:
            raise BenchError("lost one")
        return 1

    rounds = Rounds(pause=0)
    assert await rounds.run([Named("a"), Named("b")], 3, "something", measure) == {"a": [1, 1, 1]}
    assert rounds.failures == ["b, something: lost one"]


def test_figures_replace_the_old_ones_and_leave_the_text_around_them(tmp_path: Path) -> None:
    document = tmp_path / "performance.md"
    document.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    write_figures(document, "new")
    assert document.read_text() == f"before\n{BEGIN}\n\nnew\n{END}\nafter\n"


def test_a_document_without_marks_is_not_overwritten(tmp_path: Path) -> None:
    document = tmp_path / "performance.md"
    document.write_text("by hand")
    with pytest.raises(ValueError, match="no lines"):
        write_figures(document, "new")
    assert document.read_text() == "by hand"


def test_ratios_are_of_the_row_to_the_column() -> None:
    assert "| a | 1.00 | 0.50 |" in report.ratio_table("", {"a": 10.0, "b": 20.0})
