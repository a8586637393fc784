"""Whom mails go to while two accounts are one."""

from collections.abc import AsyncIterator

import pytest

from libs.common.clock import FixedClock
from libs.common.events import identity
from libs.common.mongo.client import open_client
from services.notify.store import MIGRATIONS
from tests.servers import MongoUnderTest
from tests.service.notify_station import ADA, NOON, Mailbox, Station, passed, received, registered

TWIN = "CSCO20000002"


@pytest.fixture
async def station(mongo: MongoUnderTest) -> AsyncIterator[Station]:
    mailbox = Mailbox()
    async with mailbox.open():
        client = open_client(mongo.url("notify"), application="test")
        try:
            station = Station(client, FixedClock(NOON), mailbox)
            for step in MIGRATIONS:
                await step.apply(station.database)
            yield station
        finally:
            client.close()


async def test_mails_go_to_the_account_that_goes_on_until_the_two_are_separated(station: Station) -> None:
    process = station.process("one")
    both = {"merge_id": "M1", "candidate_id": TWIN, "merged_id": ADA}
    merged = received(identity.CandidatesMerged(**both, merged_at=NOON))
    separated = received(identity.CandidatesSeparated(**both, separated_at=NOON))
    await process.handle(registered(), registered(TWIN, "twin@example.com"), merged)
    async with process.sending():
        await process.handle(passed())
        await station.settled(1)
        await process.handle(separated, merged)
        await process.handle(passed())
        await station.settled(2)
    assert [mail["To"].addresses[0].addr_spec for mail in station.mailbox.mails] == [
        "twin@example.com",
        "ada@example.com",
    ]
    log = await station.store.log_of("cisco", ADA, before=None, limit=9)
    assert [row["candidate_id"] for row in log] == [ADA]
