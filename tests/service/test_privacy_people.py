"""What fulfillment and notify say of a person, and how they forget one."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from libs.common.clock import FixedClock
from libs.common.events import identity
from libs.common.privacy.holdings import everything
from libs.common.programs import Program
from services.fulfillment import privacy as fulfillment_privacy
from services.notify import privacy
from services.notify.app import SERVICE as NOTIFY
from tests.service.conftest import OpenBase
from tests.service.notify_station import NOON, Mailbox, registered
from tests.service.notify_station import passed as passed_to
from tests.service.notify_station import received as told
from tests.service.privacy_station import PrivacyStation
from tests.service.rig import eventually
from tests.service.samples import awarded, received
from tests.unit.certs.desk import merged

ADA, TWIN = "CSCO10000001", "CSCO20000002"
WORDS = ("ada@example.com", "Lovelace", ADA)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOON)


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    mailbox = Mailbox()
    async with mailbox.open():
        yield mailbox


@pytest.fixture
async def notify(base_of: OpenBase, programs: dict[str, Program], mailbox: Mailbox) -> AsyncIterator[PrivacyStation]:
    async with base_of("notify") as base:
        for step in NOTIFY.migrations:
            await step.apply(base.database)
        yield PrivacyStation(base, programs, smtp_port=mailbox.port, public_url="https://certs.example")


@pytest.fixture
async def fulfillment(base_of: OpenBase, programs: dict[str, Program]) -> AsyncIterator[PrivacyStation]:
    async with base_of("fulfillment") as base:
        yield PrivacyStation(base, programs)


async def sent(station: PrivacyStation, mailbox: Mailbox, count: int) -> None:
    """Send until so many mails have arrived and are settled."""
    stopping = asyncio.Event()
    (send,) = station.parts.background
    task = asyncio.create_task(send(stopping))
    try:
        await eventually(lambda: station.base.rows("messages", state="sent"), lambda rows: len(mailbox.mails) >= count)
    finally:
        stopping.set()
        await task


async def test_last_mail_goes_out_before_its_address_goes(notify: PrivacyStation, mailbox: Mailbox) -> None:
    await notify.take(registered(), passed_to(ADA))
    await sent(notify, mailbox, 1)
    await notify.take(told(notify.erased(ADA)))
    await notify.run("forgetting")
    assert len(await notify.base.rows("recipients")) == 1, "the mail has not gone yet"
    await notify.take(passed_to(ADA), registered(version=9))
    await sent(notify.another(), mailbox, 2)
    assert [str(mail["Subject"]) for mail in mailbox.mails][1:] == ["Your Cisco Certification Program data is erased"]
    await notify.run("forgetting")
    await notify.take(told(notify.erased(ADA)))
    await notify.run("forgetting")
    left = await notify.stored()
    assert not [word for word in WORDS if word in left]
    assert len(mailbox.mails) == 2, "told again, it is not mailed again"


async def test_mail_server_that_is_away_keeps_no_address_for_ever(notify: PrivacyStation) -> None:
    await notify.take(registered())
    await notify.take(told(notify.erased(ADA)))
    notify.base.clock.advance(privacy.Forgetting.PATIENCE + timedelta(seconds=1))
    await notify.run("forgetting")
    assert not [word for word in WORDS if word in await notify.stored()]


async def test_late_events_make_no_recipient_and_no_mail(notify: PrivacyStation) -> None:
    await notify.take(told(notify.erased(ADA)))
    await notify.take(registered(), passed_to(ADA), passed_to("erased-1"))
    assert await notify.base.rows("recipients") == []
    assert await notify.base.rows("messages") == []


async def test_who_comes_back_by_a_late_event_is_forgotten_without_a_mail(notify: PrivacyStation) -> None:
    """A process that had not heard yet took it in; then the erasure is told again."""
    await notify.take(registered())
    await notify.take(told(notify.erased(ADA).model_copy(update={"again": True})))
    assert await notify.base.rows("recipients") == []
    assert await notify.base.rows("messages") == []


async def test_merged_accounts_get_one_last_mail(notify: PrivacyStation, mailbox: Mailbox) -> None:
    both = identity.CandidatesMerged(merge_id="M1", candidate_id=ADA, merged_id=TWIN, merged_at=NOON)
    await notify.take(registered(), registered(TWIN, "twin@example.com"), told(both))
    await notify.take(told(notify.erased(ADA, TWIN)))
    await sent(notify, mailbox, 1)
    await notify.run("forgetting")
    assert [mail["To"].addresses[0].addr_spec for mail in mailbox.mails] == ["ada@example.com"]
    assert not [word for word in (*WORDS, TWIN, "twin@") if word in await notify.stored()]


async def test_notify_says_recipient_and_mails_without_links_that_open(notify: PrivacyStation) -> None:
    access = identity.AccessRequested(
        candidate_id=ADA, reason="activation", token="open-sesame", expires_at=NOON + timedelta(days=2)
    )
    await notify.take(registered(), told(access))
    files = await notify.exported(ADA)
    assert files["recipient.json"][0]["email"] == "ada@example.com"
    assert files["mails.json"][0]["template"] == "activation"
    assert "open-sesame" not in str(files)


async def test_mails_are_kept_for_two_years(notify: PrivacyStation) -> None:
    (period,) = [period for period in privacy.PERIODS if period.collection == "messages"]
    old = notify.base.clock.now() - period.kept - timedelta(days=1)
    rows: list[dict[str, Any]] = [
        {"_id": "settled", "created_at": old},
        {"_id": "under way", "created_at": old, "due_at": NOON},
        {"_id": "new", "created_at": NOON},
    ]
    await notify.base.database["messages"].insert_many(rows)
    await notify.run("retention")
    assert {row["_id"] for row in await notify.base.rows("messages")} == {"under way", "new"}


async def test_offers_to_the_erased_are_gone_and_none_is_made(fulfillment: PrivacyStation) -> None:
    await fulfillment.take(received(awarded()), received(merged("C0", "C1", NOON)), received(merged("X", "Y", NOON)))
    assert len((await fulfillment.exported("C1"))["offers.json"]) == 1
    await fulfillment.erase("C1", "C0")
    assert await fulfillment.base.rows("offers") == []
    await fulfillment.take(received(awarded()), received(awarded("erased-1")))
    assert await fulfillment.base.rows("offers") == []
    left = await fulfillment.stored()
    assert "'C1'" not in left
    assert "'C0'" not in left
    assert len(await fulfillment.base.rows("merges")) == 1


async def test_every_collection_is_accounted_for(notify: PrivacyStation, fulfillment: PrivacyStation) -> None:
    for station, holdings in ((notify, privacy.HOLDINGS), (fulfillment, fulfillment_privacy.HOLDINGS)):
        found = set(await station.base.database.list_collection_names())
        assert found | {"schema_version"} == set(everything(holdings))
