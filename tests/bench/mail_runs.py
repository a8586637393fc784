"""Mails alone: from a queue full of events to an SMTP sink, with the log written; and what writing one takes."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import aio_pika
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from deploy.local.platform import PROGRAMS
from libs.common.bus import topology
from libs.common.bus.outgoing import OutgoingEvents
from libs.common.events import exams
from libs.common.programs import load_programs
from services.notify.dkim import DkimSigner, read_keys
from services.notify.domain.mails import Template
from services.notify.domain.recipients import Recipient
from services.notify.letters import Cause, Letter
from services.notify.rendering import Renderer
from services.notify.samples import SAMPLES
from services.notify.unsubscribing.links import UnsubscribeLinks
from tests.bench import population, reference
from tests.bench.pipeline import Environment, Pipeline, Service
from tests.bench.processes import BenchError, CpuMeter, Running, memory_mb, running
from tests.bench.product import Product, candidate_id
from tests.bench.reference_batched import Batched
from tests.bench.report import table
from tests.bench.runs import percentile
from tests.bench.servers import Bench

NEEDED = 1_000
"""Mails a second that must be handed over on 2 cores."""
NEEDED_MS = 2
"""For writing one."""

_STALL_SECONDS = 60.0
_MOMENT = datetime(2026, 11, 20, 10, tzinfo=UTC)


@dataclass(frozen=True)
class Sender:
    """One that takes part: the queue that its process empties, and what else its process is told."""

    name: str
    pipeline: Pipeline
    exchange: str
    candidate: Callable[[int], str]
    dkim: Path | None = None

    def service(self, environment: Environment) -> Service:
        found = next(each for each in self.pipeline.services(environment) if each.name == "notify")
        more = {"CERTRAIL_DKIM_KEYS_DIR": str(self.dkim)} if self.dkim else {}
        return Service(found.name, found.argv, {**found.environment, **more})

    async def fill(self, environment: Environment, mails: int) -> None:
        """Put one event for each mail into the queue."""
        events = OutgoingEvents("exams")
        for index in range(mails):
            data = _passed(index, self.candidate(index))
            events.add(data, program=population.PROGRAM, subject=data.candidate_id, version=1, cause=None, now=_MOMENT)
        broker = environment.broker
        url = broker.amqp_url(broker.admin_user, broker.admin_password)
        async with await aio_pika.connect(url) as connection, connection.channel() as channel:
            exchange = await channel.get_exchange(self.exchange, ensure=False)
            for one in events.messages():
                mode = aio_pika.DeliveryMode.PERSISTENT
                message = aio_pika.Message(
                    one.body, content_type=one.content_type, message_id=one.id, type=one.type, delivery_mode=mode
                )
                await exchange.publish(message, one.routing_key)


@dataclass(frozen=True)
class MailFigures:
    """What one run showed."""

    per_second: float
    cpu_ms: float
    """Of the sending process, for each mail."""
    mongod_ms: float
    memory_mb: float
    foreign: float


async def mail_tables(bench: Bench, rounds: int, mails: int) -> str:
    """The rates of all, the median of the rounds in alternating order, and the time to write each kind of mail."""
    work = bench.environment.work
    keys = {"RSA 2048": generate_private_key(65537, 2048), "Ed25519": Ed25519PrivateKey.generate()}
    folders = {name: _folder(work / f"dkim-{number}", key) for number, (name, key) in enumerate(keys.items())}
    senders = [
        Sender("certrail, unsigned", Product(), topology.EVENTS, candidate_id),
        *(
            Sender(f"certrail, DKIM {name}", Product(), topology.EVENTS, candidate_id, folder)
            for name, folder in folders.items()
        ),
        Sender("batched reference", Batched(), reference.EVENTS_EXCHANGE, "candidate-{:08d}".format),
    ]
    measured: dict[str, list[MailFigures]] = {sender.name: [] for sender in senders}
    for number in range(rounds):
        for sender in senders if number % 2 == 0 else reversed(senders):
            print(f"  mails, round {number + 1} of {rounds}: {sender.name}", flush=True)
            measured[sender.name].append(await measure_mails(bench, sender, mails))
    rows = [
        (
            name,
            f"{median(one.per_second for one in runs):,.0f}",
            f"{median(one.cpu_ms for one in runs):.3f}",
            f"{median(one.mongod_ms for one in runs):.3f}",
            f"{median(one.memory_mb for one in runs):.0f}",
            f"{max(one.foreign for one in runs):.0%}",
        )
        for name, runs in measured.items()
    ]
    heads = ("sender", "mails/s", "its CPU ms", "mongod CPU ms", "MB", "others' CPU")
    title = f"{mails:,} mails from a queue of events to the sink, one process (needed: {NEEDED:,}/s on 2 cores)"
    return f"{table(title, heads, rows)}\n{_writing_table(folders['RSA 2048'])}"


async def measure_mails(bench: Bench, sender: Sender, mails: int) -> MailFigures:
    """Let a process empty a queue of `mails` events.

    Raises:
        BenchError: it died or stood still, or its log is not that of so many mails sent.
    """
    environment, pipeline = bench.environment, sender.pipeline
    await pipeline.set_up(environment, mails)
    try:
        await sender.fill(environment, mails)
        await bench.sink.ask("reset")
        async with running([sender.service(environment)], environment.work) as services:
            (service,) = services
            await _until_sent(bench, service, 1)
            meter = CpuMeter({"sender": [service.process.pid], **_others(bench)})
            before = (await bench.sink.ask("count"))["total"]
            await _until_sent(bench, service, mails)
            spent = meter.stop()
            memory = memory_mb(services)["notify"]
            await _until_logged(pipeline, environment, mails)
        moments = [moment for _, _, moment in await bench.sink.mails(environment.work)]
    finally:
        await pipeline.tear_down(environment)
    counted = mails - before
    return MailFigures(
        per_second=(len(moments) - 1) / (max(moments) - min(moments)),
        cpu_ms=spent.parts["sender"] * 1000 / counted,
        mongod_ms=spent.parts["mongod"] * 1000 / counted,
        memory_mb=memory,
        foreign=spent.foreign,
    )


def _others(bench: Bench) -> dict[str, list[int]]:
    return {"sink": [bench.sink.running.process.pid], **bench.server_pids()}


async def _until_sent(bench: Bench, service: Running, wanted: int) -> None:
    clock = asyncio.get_running_loop().time
    seen, since = -1, clock()
    while (counted := (await bench.sink.ask("count"))["distinct"]) < wanted:
        service.check()
        if counted > seen:
            seen, since = counted, clock()
        elif clock() - since > _STALL_SECONDS:
            raise BenchError(f"{counted} of {wanted} mails came, and none for {_STALL_SECONDS:.0f} s")
        await asyncio.sleep(0.05)


async def _until_logged(pipeline: Pipeline, environment: Environment, mails: int) -> None:
    deadline = asyncio.get_running_loop().time() + _STALL_SECONDS
    while (logged := (await pipeline.counts(environment)).mails) != mails:
        if asyncio.get_running_loop().time() > deadline:
            raise BenchError(f"{logged} of {mails} mails are in the log as sent")
        await asyncio.sleep(0.1)


def _passed(index: int, candidate: str) -> exams.ExamPassed:
    return exams.ExamPassed(
        candidate_id=candidate,
        result_id=f"R{index:08d}",
        revision=1,
        registration_id=population.registration_id(index),
        exam_code=population.EXAM,
        taken_on=_MOMENT.date(),
        taken_at=_MOMENT,
        known_at=_MOMENT,
        score=870,
        passing_score=825,
    )


def _folder(path: Path, key: RSAPrivateKey | Ed25519PrivateKey) -> Path:
    """A key of the sample program's domain, as notify reads it."""
    domain = load_programs(PROGRAMS)[population.PROGRAM].branding.sender_email.partition("@")[2]
    path.mkdir(exist_ok=True)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (path / f"bench._domainkey.{domain}").write_bytes(pem)
    return path


def _writing_table(keys: Path, times: int = 200) -> str:
    """Milliseconds to write one mail, in both forms, with all of its headers."""
    links = UnsubscribeLinks("s" * 32, "https://certs.example")
    rows = []
    for name, signer in (("unsigned", DkimSigner()), ("signed, RSA 2048", DkimSigner(read_keys(keys)))):
        renderer = Renderer(load_programs(PROGRAMS), "https://certs.example", signer=signer, links=links)
        figures = {kind: _written(renderer, kind, times) for kind in Template}
        slowest = max(figures, key=lambda kind: percentile(figures[kind], 0.5))
        every = [one for each in figures.values() for one in each]
        rows.append(
            (
                name,
                f"{median(every):.3f}",
                f"{percentile(every, 0.99):.3f}",
                f"{percentile(figures[slowest], 0.5):.3f} ({slowest})",
            )
        )
    heads = ("mails", "median ms", "p99 ms", "slowest kind, median ms")
    return table(f"Writing one mail (needed: under {NEEDED_MS} ms)", heads, rows)


def _written(renderer: Renderer, kind: Template, times: int) -> list[float]:
    recipient = Recipient(candidate_id(1), population.PROGRAM, population.email(1), "Zoë", "Ångström", None, 1)
    letter = Letter(
        id="0123456789abcdef" * 2,
        program=population.PROGRAM,
        template=kind,
        context=SAMPLES[kind][0],
        created_at=_MOMENT,
        attempts=0,
        cause=Cause("e1", "e1", None),
        recipient=recipient,
        claimed_until=_MOMENT,
    )
    renderer.envelope(letter)  # compiles the template
    spent = []
    for _ in range(times):
        began = time.perf_counter()
        renderer.envelope(letter)
        spent.append((time.perf_counter() - began) * 1000)
    return spent
