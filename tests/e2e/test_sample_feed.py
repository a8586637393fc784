"""Part of the sample feed through the bus: the services' own totals are what a count made from the files says."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zlib import crc32

import aiohttp
import pytest

from deploy.cli.raw_messages import play_messages, read_messages
from deploy.cli.sample import VENDORS
from deploy.sample.count import Count
from deploy.sample.generate import generate
from libs.common.bus import topology
from libs.common.bus.messages import Outgoing
from libs.common.bus.publisher import Publisher
from libs.common.events import SINGLE
from tests.e2e import desk
from tests.e2e.desk import Desk
from tests.e2e.stage import Stage
from tests.e2e.waiting import eventually

pytestmark = pytest.mark.timeout(300)

Row = dict[str, Any]

SEED = 7
ONE_IN = 12
"""Which share of the vendors' candidates is played, each with everything that happens to them."""
SLICE = 500
FINISH_SECONDS = 120.0
KINDS = {
    "exam_passed": "result",
    "exam_failed": "result",
    "certification_awarded": "congratulation",
    "certification_renewed": "renewal",
    "certification_revoked": "revocation",
}
"""What the count calls the mails of a template, where it has a name of its own."""


def chosen(number: str, messages: Iterable[dict[str, Any]]) -> bool:
    """Whether a candidate is played: some are, and those whose results a hand-made message contradicts."""
    contradicted = (odd["body"] for odd in messages if odd["code"] == "revision_conflict")
    return crc32(number.encode()) % ONE_IN == 0 or any(f'"{number}"' in body for body in contradicted)


def rows_of_some(path: Path, messages: Sequence[dict[str, Any]]) -> Iterator[Row]:
    """The rows about the candidates chosen; those that name only a registration follow it."""
    registrations: set[str] = set()
    with path.open(encoding="utf-8") as file:
        for row in map(json.loads, file):
            data = row["data"]
            if "vendor_candidate_id" in data and chosen(data["vendor_candidate_id"], messages):
                registrations.add(data["registration_id"])
            if data["registration_id"] in registrations:
                yield row


def slices(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Rows in parts in which no result is told twice.

    The count sees an account at the very row that opens it; on the platform that takes a moment, in which a
    second report would replace the first before anybody was told of it.
    """
    part: list[Row] = []
    told: set[str] = set()
    for row in rows:
        result = row["data"].get("result_id")
        if len(part) >= SLICE or result in told:
            yield part
            part, told = [], set()
        part.append(row)
        if result is not None:
            told.add(result)
    yield part


def message(vendor: str, row: Row) -> Outgoing:
    key = f"{vendor}.{row['type']}"
    event = {**row, "specversion": "1.0", "source": vendor, "type": key}
    body = json.dumps(event, ensure_ascii=False).encode()
    return Outgoing(row["id"], topology.VENDORS, key, key, SINGLE, body, user_id=vendor)


async def play(stage: Stage, staff: Desk, counted: Count, vendor: str, rows: Iterable[Row]) -> None:
    """Publish a vendor's rows and count them, each slice when the one before has been taken in."""
    publisher, stopping = Publisher(stage.broker.url(vendor), name="test-vendor"), asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(publisher.run(stopping))
        try:
            for part in slices(rows):
                assert set(await publisher.publish_all([message(vendor, row) for row in part])) == {None}
                for row in part:
                    counted.event(vendor, row)
                await until_agreed(staff, counted, ("accounts", "results", "unmatched"))
        finally:
            stopping.set()


async def platform_totals(staff: Desk) -> dict[str, Any]:
    """What the services say of themselves, in the words of the count."""
    exams, certs = await staff.get("exams", "/totals"), await staff.get("certs", "/totals")
    mails: Counter[str] = Counter()
    for row in (await staff.get("notify", "/totals"))["counts"]:
        if row["state"] == "sent":
            mails[KINDS.get(row["template"], row["template"])] += row["count"]
    return {
        "registrations": exams["registrations"],
        "results": exams["results"],
        "unmatched": exams["unmatched"],
        "rejected_total": exams["rejections"],
        "accounts": (await staff.get("identity", "/totals"))["accounts"],
        "certifications": {"active": certs["active"], "expired": certs["expired"]},
        "kits": (await staff.get("fulfillment", "/totals"))["kits"],
        "mails": dict(mails),
    }


async def until_agreed(staff: Desk, counted: Count, names: Iterable[str] | None = None) -> None:
    """Wait until platform and count say the same. Raises `AssertionError` with the numbers that differ."""

    async def differing() -> dict[str, Any]:
        seen, wanted = await platform_totals(staff), counted.summary()
        chosen = seen.keys() if names is None else names
        for mails in (seen["mails"], wanted["mails"]):
            # A pass that reaches certs before the certification it renews becomes part of the award, and no renewal is
            # told: on a busy machine two of a person's results may overtake each other.
            mails.pop("renewal", None)
        return {name: (seen[name], wanted[name]) for name in chosen if seen[name] != wanted[name]}

    try:
        await eventually(differing, lambda found: not found, seconds=FINISH_SECONDS)
    except TimeoutError as error:
        raise AssertionError(f"platform and count differ: {error}") from None


async def test_the_totals_of_the_services_are_what_the_files_say(
    stage: Stage, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    generate(SEED, tmp_path)
    staff, counted = desk.operator(stage, session), Count(datetime.now(UTC).date())
    messages = read_messages(tmp_path / "invalid.jsonl")
    for vendor in VENDORS:
        await play(stage, staff, counted, vendor, rows_of_some(tmp_path / f"{vendor}.jsonl", messages))
    refused = await play_messages(messages, stage.broker.url, lambda: None)
    for odd in messages:
        counted.message(odd)
    await until_agreed(staff, counted)
    summary = counted.summary()
    assert refused.total() == summary["refused_by_broker"]
    reasons = Counter([row["reasons"][0]["code"] async for row in staff.items("exams", "/rejections", limit="200")])
    assert reasons == Counter(summary["rejected"])
    # The part that was played has something of everything in it.
    assert min(summary["unmatched"], summary["revisions"], summary["kits"], *summary["mails"].values()) > 0
