"""Who may do what on the broker and in the database, tried with the real accounts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from aiormq.exceptions import ChannelAccessRefused, ChannelPreconditionFailed
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from deploy.mongo.users import audit_database_name, database_name
from libs.common.bus import topology
from libs.common.events import SERVICES
from tests.servers import BrokerUnderTest, MongoUnderTest

RESULT = "ExamResultReported.v1"
PATIENCE_SECONDS = 10


@asynccontextmanager
async def channel_of(broker: BrokerUnderTest, user: str) -> AsyncIterator[AbstractChannel]:
    async with await aio_pika.connect(broker.url(user)) as connection:
        yield await connection.channel(on_return_raises=True)


async def publish(
    channel: AbstractChannel, exchange: str, key: str, *, user_id: str | None = None, body: bytes = b"{}"
) -> None:
    message = aio_pika.Message(body, user_id=user_id, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
    target = await channel.get_exchange(exchange, ensure=False) if exchange else channel.default_exchange
    await target.publish(message, key, timeout=PATIENCE_SECONDS)


async def take(channel: AbstractChannel, queue: str) -> AbstractIncomingMessage:
    """The next message of a queue; fails the test where none comes."""
    source = await channel.get_queue(queue, ensure=False)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            message = await source.get(no_ack=True, fail=False)
            if message is not None:
                return message
            await asyncio.sleep(0.02)


async def test_vendor_publishes_under_its_own_key_and_name(broker: BrokerUnderTest) -> None:
    async with channel_of(broker, "vue") as vendor, channel_of(broker, "exams") as exams:
        await publish(vendor, topology.VENDORS, f"vue.{RESULT}", user_id="vue", body=b"mine")
        message = await take(exams, topology.vendors_queue("exams"))
    assert (message.body, message.user_id) == (b"mine", "vue")


async def test_vendor_cannot_forge_who_it_is(broker: BrokerUnderTest) -> None:
    async with channel_of(broker, "vue") as vendor:
        with pytest.raises(ChannelPreconditionFailed):
            await publish(vendor, topology.VENDORS, f"vue.{RESULT}", user_id="psi")


@pytest.mark.parametrize("key", [f"psi.{RESULT}", f"vueX.{RESULT}", f"exams.{RESULT}", RESULT, "", "vue"])
async def test_vendor_cannot_publish_under_another_key(broker: BrokerUnderTest, key: str) -> None:
    async with channel_of(broker, "vue") as vendor:
        with pytest.raises(ChannelAccessRefused):
            await publish(vendor, topology.VENDORS, key, user_id="vue")


@pytest.mark.parametrize(
    ("exchange", "key"),
    [
        ("", "exams.vendors"),
        (topology.EVENTS, "vue.ExamPassed.v1"),
        (topology.REJECTIONS, "vue"),
        (topology.UNROUTED, f"vue.{RESULT}"),
        (topology.retry_exchange("exams"), "exams.vendors"),
    ],
)
async def test_vendor_cannot_publish_to_any_other_exchange(broker: BrokerUnderTest, exchange: str, key: str) -> None:
    async with channel_of(broker, "vue") as vendor:
        with pytest.raises(ChannelAccessRefused):
            await publish(vendor, exchange, key, user_id="vue")


@pytest.mark.parametrize("user", ["vue", "certs", "operator"])
async def test_nobody_but_the_administrator_declares_anything(broker: BrokerUnderTest, user: str) -> None:
    async with channel_of(broker, user) as channel:
        with pytest.raises(ChannelAccessRefused):
            await channel.declare_queue(f"{user}.own", durable=True)
    async with channel_of(broker, user) as channel:
        with pytest.raises(ChannelAccessRefused):
            await channel.declare_exchange(f"{user}.own")


async def test_vendor_reads_its_own_rejections_and_no_others(broker: BrokerUnderTest) -> None:
    async with channel_of(broker, "exams") as exams:
        await publish(exams, topology.REJECTIONS, f"vue.{RESULT}", body=b"why")
    async with channel_of(broker, "vue") as vendor:
        assert (await take(vendor, topology.rejections_queue("vue"))).body == b"why"
        with pytest.raises(ChannelAccessRefused):
            await take(vendor, topology.rejections_queue("psi"))


async def test_orders_are_sent_by_one_service_and_read_by_their_house_alone(broker: BrokerUnderTest) -> None:
    async with channel_of(broker, "fulfillment") as fulfillment:
        await publish(fulfillment, topology.ORDERS, "kits", body=b"order")
    for user in ("certs", "vue", "operator"):
        async with channel_of(broker, user) as channel:
            with pytest.raises(ChannelAccessRefused):
                await publish(channel, topology.ORDERS, "kits")
    for user in ("vue", "fulfillment", "operator"):
        async with channel_of(broker, user) as channel:
            with pytest.raises(ChannelAccessRefused):
                await take(channel, topology.orders_queue("kits"))
    async with channel_of(broker, "kits") as house:
        assert (await take(house, topology.orders_queue("kits"))).body == b"order"


@pytest.mark.parametrize("queue", ["exams.vendors", "exams.events", "exams.parked", topology.LOG])
async def test_vendor_reads_no_queue_of_ours(broker: BrokerUnderTest, queue: str) -> None:
    async with channel_of(broker, "vue") as vendor:
        with pytest.raises(ChannelAccessRefused):
            await take(vendor, queue)


@pytest.mark.parametrize("user", ["exams", "certs"])
async def test_service_publishes_events_under_its_own_name_only(broker: BrokerUnderTest, user: str) -> None:
    others = [service for service in SERVICES if service != user]
    async with channel_of(broker, user) as channel:
        await publish(channel, topology.EVENTS, f"{user}.Anything.v1")
    for other in others:
        async with channel_of(broker, user) as channel:
            with pytest.raises(ChannelAccessRefused):
                await publish(channel, topology.EVENTS, f"{other}.Anything.v1")


async def test_service_cannot_speak_as_a_vendor(broker: BrokerUnderTest) -> None:
    async with channel_of(broker, "certs") as channel:
        with pytest.raises(ChannelAccessRefused):
            await publish(channel, topology.VENDORS, f"vue.{RESULT}")


@pytest.mark.parametrize("queue", ["exams.events", "exams.parked", "vue.rejections", topology.LOG])
async def test_service_reads_its_own_queues_only(broker: BrokerUnderTest, queue: str) -> None:
    async with channel_of(broker, "certs") as channel:
        with pytest.raises(ChannelAccessRefused):
            await take(channel, queue)


async def test_service_reaches_its_own_retry_and_parked_queues_only(broker: BrokerUnderTest) -> None:
    async with channel_of(broker, "certs") as channel:
        await publish(channel, topology.retry_exchange("certs"), topology.parked_queue("certs"), body=b"bad")
        assert (await take(channel, topology.parked_queue("certs"))).body == b"bad"
        with pytest.raises(ChannelAccessRefused):
            await publish(channel, topology.retry_exchange("exams"), topology.parked_queue("exams"))


async def test_retried_message_comes_back_to_its_queue(broker: BrokerUnderTest) -> None:
    queue = topology.events_queue("certs")
    async with channel_of(broker, "certs") as channel:
        await publish(channel, topology.retry_exchange("certs"), topology.retry_queue(queue, 1), body=b"again")
        assert (await take(channel, queue)).body == b"again"


async def test_broker_parks_a_message_that_keeps_killing_its_consumer(broker: BrokerUnderTest) -> None:
    queue = topology.events_queue("certs")
    async with channel_of(broker, "exams") as exams:
        await publish(exams, topology.EVENTS, "exams.ExamPassed.v1", body=b"deadly")
    async with channel_of(broker, "certs") as channel:
        source = await channel.get_queue(queue, ensure=False)
        for _ in range(topology.MAX_DELIVERIES + 1):
            message = await source.get(timeout=PATIENCE_SECONDS)
            await message.reject(requeue=True)
        assert (await take(channel, topology.parked_queue("certs"))).body == b"deadly"
        assert await source.get(fail=False) is None


async def test_operator_replays_a_parked_message_and_cannot_take_work_away(broker: BrokerUnderTest) -> None:
    retry, parked = topology.retry_exchange("certs"), topology.parked_queue("certs")
    queue = topology.events_queue("certs")
    async with channel_of(broker, "certs") as certs:
        await publish(certs, retry, parked, body=b"parked")
        async with channel_of(broker, "operator") as operator:
            message = await take(operator, parked)
            await publish(operator, retry, queue, body=message.body)
        assert (await take(certs, queue)).body == b"parked"
    for forbidden in (queue, topology.vendors_queue("exams")):
        async with channel_of(broker, "operator") as operator:
            with pytest.raises(ChannelAccessRefused):
                await take(operator, forbidden)


async def test_message_of_20_megabytes_is_refused(broker: BrokerUnderTest) -> None:
    async with channel_of(broker, "vue") as vendor:
        with pytest.raises(ChannelPreconditionFailed):
            await publish(vendor, topology.VENDORS, f"vue.{RESULT}", user_id="vue", body=b"x" * 20_000_000)


async def test_vendor_message_of_no_known_kind_reaches_who_answers_vendors(broker: BrokerUnderTest) -> None:
    async with channel_of(broker, "psi") as vendor, channel_of(broker, "exams") as exams:
        await publish(vendor, topology.VENDORS, "psi.NoSuchThing.v7", user_id="psi", body=b"what")
        message = await take(exams, topology.vendors_queue("exams"))
    assert (message.body, message.routing_key) == (b"what", "psi.NoSuchThing.v7")


async def test_vendor_added_later_stands_behind_the_same_walls(broker: BrokerUnderTest) -> None:
    broker.passwords["acme"] = "a password of its own"
    await broker.management.add_vendor("acme", broker.passwords["acme"])
    try:
        async with channel_of(broker, "acme") as vendor:
            await publish(vendor, topology.VENDORS, f"acme.{RESULT}", user_id="acme")
            with pytest.raises(ChannelAccessRefused):
                await publish(vendor, topology.VENDORS, f"vue.{RESULT}", user_id="acme")
    finally:
        await broker.management.remove_user("acme")
        del broker.passwords["acme"]


@pytest.mark.parametrize("service", SERVICES)
async def test_service_reads_and_writes_its_own_database_only(mongo: MongoUnderTest, service: str) -> None:
    with MongoClient[dict[str, object]](mongo.url(service)) as client:
        own = client.get_default_database()
        own["walls"].insert_one({"_id": "mine"})
        assert own["walls"].find_one() == {"_id": "mine"}
        own["walls"].drop()  # a service accounts for every collection that it has
        for other in (database_name(name) for name in SERVICES if name != service):
            with pytest.raises(OperationFailure, match="not authorized"):
                client[other]["walls"].find_one()
            with pytest.raises(OperationFailure, match="not authorized"):
                client[other]["walls"].insert_one({})
        with pytest.raises(OperationFailure, match="not authorized"):
            client["admin"].command("usersInfo", 1)


@pytest.mark.parametrize("service", SERVICES)
async def test_service_adds_to_its_audit_log_and_can_change_nothing_in_it(mongo: MongoUnderTest, service: str) -> None:
    with MongoClient[dict[str, object]](mongo.url(service)) as client:
        own = client[audit_database_name(service)]["records"]
        own.insert_one({"_id": "walls"})
        assert own.find_one({"_id": "walls"}) == {"_id": "walls"}
        for refused in (
            lambda: own.update_one({"_id": "walls"}, {"$set": {"n": 1}}),
            lambda: own.replace_one({"_id": "walls"}, {}, upsert=True),
            lambda: own.delete_one({"_id": "walls"}),
            lambda: own.find_one_and_delete({"_id": "walls"}),
            own.drop,
            lambda: own.rename("others"),
            lambda: client.drop_database(own.database.name),
            lambda: client[database_name(service)]["mine"].aggregate(
                [{"$out": {"db": own.database.name, "coll": "records"}}]
            ),
            lambda: own.database.command("collMod", "records", changeStreamPreAndPostImages={"enabled": False}),
        ):
            with pytest.raises(OperationFailure, match="not authorized"):
                refused()
        for other in (audit_database_name(name) for name in SERVICES if name != service):
            with pytest.raises(OperationFailure, match="not authorized"):
                client[other]["records"].find_one()
            with pytest.raises(OperationFailure, match="not authorized"):
                client[other]["records"].insert_one({})
