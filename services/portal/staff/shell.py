"""What stands around every page of staff: the list of queues with their numbers, and who is there."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from services.portal.backend.client import Down, Refused
from services.portal.languages import mark, say, say_many
from services.portal.languages.days import clock_time
from services.portal.staff.kit import GROUPS, Count, Queue
from services.portal.staff.queues import QUEUES
from services.portal.web.look import shown
from services.portal.web.visit import Visit

ROLES: Final = {
    "support": mark("Support"),
    "reviewer": mark("Reviewer"),
    "manager": mark("Manager"),
    "auditor": mark("Auditor"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A queue in the list at the side. `count` is None where it has none, or its service does not answer."""

    queue: Queue
    here: bool
    count: Count | None

    @property
    def said(self) -> str:
        """The number for whoever does not see its colour."""
        if self.count is None:
            return ""
        if self.count.at is not None:
            return say("{number} waiting, counted at {time}", number=self.count.words, time=self.counted)
        late = say_many("{count} is past its promise", "{count} are past their promise", self.count.late)
        waiting = say("{number} waiting", number=self.count.words)
        return say(", ").join((waiting, late)) if self.count.late else waiting

    @property
    def counted(self) -> str:
        """When it was counted, of a number that is remembered; else empty."""
        return "" if self.count is None or self.count.at is None else clock_time(self.count.at)


@dataclass(frozen=True, slots=True)
class Side:
    """The list at the side, in groups of which none is empty."""

    groups: Sequence[tuple[str, Sequence[Entry]]]


def may_open(visit: Visit, queue: Queue) -> bool:
    return visit.at_desk.may(*queue.scopes)


async def side_of(visit: Visit) -> Side:
    """The list for whoever is there, with numbers; ask for it beside what the page itself needs.

    Raises `SignedOut`.
    """
    open_to = [queue for queue in QUEUES if may_open(visit, queue)]
    counts = await asyncio.gather(*(_count(visit, queue) for queue in open_to))
    return _side(visit, open_to, counts)


async def _count(visit: Visit, queue: Queue) -> Count | None:
    try:
        return await queue.count(visit) if queue.count else None
    except (Down, Refused):
        # The list leads everywhere also while a service is away, or a role was taken a minute ago.
        return None


def _side(visit: Visit, queues: Sequence[Queue], counts: Sequence[Count | None]) -> Side:
    entries = [
        Entry(queue, visit.path == queue.address or visit.path.startswith(f"{queue.address}/"), count)
        for queue, count in zip(queues, counts, strict=True)
    ]
    groups = [(title, [entry for entry in entries if entry.queue.group == name]) for name, title in GROUPS.items()]
    return Side([(title, found) for title, found in groups if found])


def on_desk(visit: Visit, template: str, heading: str, side: Side, **values: Any) -> web.Response:
    """A page of staff; as `shown`, with the list at its side."""
    return shown(visit, template, heading, side=side, roles=ROLES, **values)
