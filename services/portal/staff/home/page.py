"""The first page of staff: what waits, and what is past its promise."""

from aiohttp import web

from services.portal.languages import say, say_many
from services.portal.staff.shell import Side, on_desk, side_of
from services.portal.web.visit import VISIT


class StaffHome:
    """The handler of `/staff`."""

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/staff", self.show)]

    async def show(self, request: web.Request) -> web.Response:
        visit = request[VISIT]
        side = await side_of(visit)
        answer = answer_of(side)
        waiting = [entry for _, entries in side.groups for entry in entries if entry.count]
        return on_desk(visit, "staff/home/home.html", answer, side, answer=answer, waiting=waiting)


def answer_of(side: Side) -> str:
    """The heading: what is late, else how much waits."""
    counts = [entry.count for _, entries in side.groups for entry in entries if entry.count]
    late = sum(count.late for count in counts)
    if late:
        return say_many("{count} item is past its promise", "{count} items are past their promise", late)
    waiting = sum(count.waiting for count in counts)
    if waiting:
        return say_many("{count} item waits, in time", "{count} items wait, all in time", waiting)
    return say("Nothing waits")
