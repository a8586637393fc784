"""The page of what somebody has taken, of whatever kind."""

import asyncio

from aiohttp import web

from services.portal.languages import say
from services.portal.languages.days import short_day
from services.portal.staff.kit import NONE, Cell, Column, Number, Row, with_query
from services.portal.staff.listing import Listing, listed
from services.portal.staff.mine.queues import MINE
from services.portal.staff.mine.shelves import Taken, counted, shelves_of
from services.portal.staff.shell import side_of
from services.portal.web.visit import VISIT


class MyWork:
    """The handler of `/staff/mine`. Items open in their own queues, where they are worked on."""

    def routes(self) -> list[web.RouteDef]:
        return [web.get(MINE.address, self.show)]

    async def show(self, request: web.Request) -> web.Response:
        visit = request[VISIT]
        side, shelves = await asyncio.gather(side_of(visit), shelves_of(visit))
        there = [shelf for _, shelf in shelves if shelf]
        taken = sorted((one for shelf in there for one in shelf.items), key=lambda one: (one.due_on, one.item))
        count = counted(there)
        listing = Listing(
            MINE,
            say("What you have taken, what is due first at the front"),
            [
                Column(say("Due"), sorted="ascending"),
                Column(say("What")),
                Column(say("Where")),
                Column(say("Candidate")),
                Column(say("State")),
            ],
            [_row_of(one) for one in taken],
            [Number(count.words, say("waiting")), Number(count.late, say("past their promise"))],
            {},
            down=[say(queue.title) for queue, shelf in shelves if shelf is None],
        )
        return listed(visit, "staff/listing.html", side, listing)


def _row_of(one: Taken) -> Row:
    there = with_query(one.queue.address, {"owner": "me"}, item=one.item)
    return Row(
        one.item,
        (
            Cell(short_day(one.due_on)),
            Cell(one.name, second=one.second, href=there, own=True),
            Cell(say(one.queue.title)),
            Cell(one.candidate or NONE, own=one.candidate is not None),
            Cell(chip=one.chip),
        ),
    )
