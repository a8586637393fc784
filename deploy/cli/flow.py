"""Waits until everything that was published has flowed through all services to the last mail."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import aio_pika
import aiohttp

from deploy.cli.access import Access
from deploy.cli.client import operator_client
from deploy.cli.errors import CliError
from deploy.cli.metrics import read_figures
from deploy.cli.queues import depths, working_queues
from deploy.cli.totals import Totals, read_totals
from libs.common.events import SERVICES

POLL_SECONDS = 1.0
QUIET_READINGS = 3
"""Readings in a row without any change before a quiet platform counts as done: a batch in hand takes less."""
STALL_SECONDS = 60.0
"""The longest that nothing may move while something waits."""


@dataclass(frozen=True)
class Reading:
    """The platform at one moment."""

    totals: Totals
    waiting: int
    """Messages in queues and retry queues, and unsent rows of the outboxes."""

    @property
    def quiet(self) -> bool:
        return self.waiting == 0 and self.totals.mails_under_way == 0


async def until_settled(access: Access, show: Callable[[Reading], None]) -> Totals:
    """Read until nothing waits and nothing changes any more; `show` sees every reading.

    Raises:
        CliError: something waits and has not moved for `STALL_SECONDS`.
    """
    readings: list[Reading] = []
    since_change = 0
    async with (
        operator_client(access) as client,
        aiohttp.ClientSession() as session,
        await aio_pika.connect(access.operator_amqp, timeout=10) as connection,
    ):
        while True:
            totals = await read_totals(client, reasons=False)
            waiting = sum(depth.ready for depth in (await depths(connection, working_queues())).values())
            reading = Reading(totals, waiting + await _unsent(session, access))
            show(reading)
            since_change = since_change + 1 if readings[-1:] == [reading] else 0
            readings = [reading]
            if reading.quiet and since_change >= QUIET_READINGS:
                return await read_totals(client, reasons=True)
            if since_change * POLL_SECONDS > STALL_SECONDS:
                raise CliError(
                    f"nothing has moved for {STALL_SECONDS:.0f} s: {reading.waiting} messages wait, "
                    f"{totals.mails_under_way} mails are under way",
                    hint="see `certrail status`",
                )
            await asyncio.sleep(POLL_SECONDS)


async def _unsent(session: aiohttp.ClientSession, access: Access) -> int:
    services: Sequence[str] = SERVICES
    figures = await asyncio.gather(*(read_figures(session, access.local, service) for service in services))
    return sum(int(figure.total("certrail_outbox_unsent")) for figure in figures if figure)
