"""The public page of transcripts: read by many at once, each asked of the database."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

from deploy.mongo.users import database_name
from services.certs.public.codes import new_code
from services.certs.transcripts.links import LinkKeys
from services.certs.transcripts.shown import Shown, certifications_held
from services.certs.transcripts.store import Transcript, row_of
from tests.bench import population
from tests.bench.holdings import ledger
from tests.bench.http_runs import HttpFigures, load_generator, measure_http
from tests.bench.pipeline import Environment, HttpRequest, Service
from tests.bench.product import ServiceApi, candidate_id, service_environment
from tests.bench.reference import databases
from tests.bench.report import table
from tests.bench.servers import Bench

NEEDED = 500
"""Requests a second that the page must answer on 2 cores."""

SHARED = 64
"""Transcripts that are asked for in turn, each by an address of its own."""


class TranscriptPage(ServiceApi):
    """The certs service, asked for pages as a browser asks that has not been there before."""

    service_name = "certs"

    def __init__(self, name: str, accept: str) -> None:
        super().__init__()
        self.name = name
        self._accept = accept
        self._tokens: list[str] = []

    async def fill(self, environment: Environment, candidates: int) -> None:
        secret = service_environment(environment, "certs")["CERTRAIL_CERTS_KEYS_SECRET"]
        keys, now = LinkKeys(secret), datetime.now(UTC)
        ledgers = [ledger(candidate_id(index)) for index in range(candidates)]
        async with databases(environment) as client:
            certs = client[database_name("certs")]
            await certs["candidates"].insert_many(ledgers)
            await certs["people"].insert_many(_person(index) for index in range(candidates))
            made = [_transcript(index, row, keys, now) for index, row in enumerate(ledgers)]
            await certs["transcripts"].insert_many(row_of(one) for one in made)
        self._tokens = [keys.opened(one.sealed) for one in made[:SHARED]]

    def service(self, environment: Environment, port: int) -> Service:
        made = super().service(environment, port)
        # One machine asks for all of them; the limit by address is in force, and has so many of them to count.
        return Service(made.name, made.argv, {**made.environment, "CERTRAIL_PUBLIC_REQUESTS": "1000000"})

    def requests(self, environment: Environment) -> Sequence[HttpRequest]:
        return [
            HttpRequest(
                f"/api/certs/v1/public/v/{token}",
                {
                    "Accept": self._accept,
                    "User-Agent": "Mozilla/5.0 (bench)",
                    "X-Forwarded-For": f"203.0.113.{index}",
                },
            )
            for index, token in enumerate(self._tokens)
        ]


async def transcript_table(bench: Bench, rounds: int, seconds: float) -> str:
    """The figures of the page and of its JSON, the median of the rounds."""
    pages = (TranscriptPage("page", "text/html"), TranscriptPage("JSON", "application/json"))
    measured: dict[str, list[HttpFigures]] = {page.name: [] for page in pages}
    for _ in range(rounds):
        for page in pages:
            measured[page.name].append(await measure_http(bench, page, seconds))
    return table(
        f"Public transcript, requests by {load_generator()} (needed: {NEEDED}/s on 2 cores)",
        ("of", "requests/s", "p99 ms", "server CPU µs", "mongod CPU µs"),
        [(name, *_medians(figures)) for name, figures in measured.items()],
    )


def _medians(figures: Sequence[HttpFigures]) -> list[str]:
    names = ("per_second", "p99_ms", "server_cpu_us", "mongod_cpu_us")
    return [f"{median(getattr(one, name) for one in figures):,.0f}" for name in names]


def _person(index: int) -> dict[str, Any]:
    return {
        "_id": candidate_id(index),
        "program": population.PROGRAM,
        "version": 1,
        "given_name": "Zoë",
        "family_name": f"Ångström {index}",
        "native_name": None,
        "email": population.email(index),
        "country": "SE",
        "language": None,
    }


def _transcript(index: int, row: dict[str, Any], keys: LinkKeys, now: datetime) -> Transcript:
    held = certifications_held(row["certifications"], now.date())
    link = keys.new()
    return Transcript(
        transcript_id=f"{index:08d}",
        program=population.PROGRAM,
        candidate_id=row["_id"],
        link=link.hashed,
        sealed=link.sealed,
        code=new_code(),
        label="Bench",
        remarks="For the tender of the campus network, lot 2.",
        kind="live",
        chosen=Shown(tuple(held.values())),
        frozen_on=None,
        frozen_name=None,
        valid_through=now.date() + timedelta(days=90),
        ends_at=now + timedelta(days=90),
        created_at=now,
        withdrawn_at=None,
    )
