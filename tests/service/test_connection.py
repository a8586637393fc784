"""A connection to the broker that goes is made again, whatever its loss looks like; other errors are told."""

import asyncio
from typing import Any

import pytest
from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import AMQPConnectionError

from libs.common.bus.connection import keep_connected
from libs.common.errors import Unavailable
from tests.servers import BrokerUnderTest
from tests.service.proxy import proxy_to
from tests.service.rig import Rigs, until
from tests.service.samples import awarded, outgoing

LOSSES = [AMQPConnectionError("gone"), ConnectionResetError(), TimeoutError(), RuntimeError("closed"), Exception()]


class Failing:
    """Stands for an exchange whose connection goes while a message is on its way."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def publish(self, *_arguments: Any, **_options: Any) -> None:
        raise self._error


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
async def test_lost_connection_is_made_again(broker: BrokerUnderTest, loss: Exception) -> None:
    stopping, seen = asyncio.Event(), list[AbstractConnection]()

    async def use(connection: AbstractConnection) -> None:
        seen.append(connection)
        if len(seen) == 1:
            raise loss
        stopping.set()

    await keep_connected(broker.admin_url, name="test", use=use, stopping=stopping)
    assert len(seen) == 2
    assert all(connection.is_closed for connection in seen)


async def test_defect_is_no_lost_connection(broker: BrokerUnderTest) -> None:
    async def use(_connection: AbstractConnection) -> None:
        raise ValueError("a defect")

    with pytest.raises(ValueError, match="a defect"):
        await keep_connected(broker.admin_url, name="test", use=use, stopping=asyncio.Event())


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
async def test_message_lost_on_its_way_has_an_unknown_outcome(
    rigs: Rigs, monkeypatch: pytest.MonkeyPatch, loss: Exception
) -> None:
    async with rigs("certs") as rig:

        async def exchange(_name: str) -> Failing:
            return Failing(loss)

        monkeypatch.setattr(rig.publisher, "_exchange", exchange)
        (message,) = outgoing("certs", [awarded()])
        with pytest.raises(Unavailable):
            await rig.publisher.publish(message)


async def test_publisher_comes_back_after_an_outage(rigs: Rigs, broker: BrokerUnderTest) -> None:
    with proxy_to(broker.url("certs")) as (proxy, url):
        async with rigs("certs", amqp_url=url) as rig:
            (message,) = outgoing("certs", [awarded()])
            await rig.publisher.publish(message)
            proxy.cut()
            await until(lambda: not rig.publisher.connected)
            proxy.mend()
            await until(lambda: rig.publisher.connected)
            await rig.publisher.publish(message)
