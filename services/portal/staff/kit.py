"""What a queue is made of: its description, its numbers, its rows, and the item beside it. Pure."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from urllib.parse import urlencode

from markupsafe import Markup

from services.portal.languages import mark
from services.portal.web.chips import Chip
from services.portal.web.visit import Visit

Group = Literal["waiting", "candidates", "results", "credits", "vendors", "program"]
GROUPS: Final[Mapping[Group, str]] = {
    "waiting": mark("Waiting for you"),
    "candidates": mark("Candidates"),
    "results": mark("Results"),
    "credits": mark("Credits and kits"),
    "vendors": mark("Vendors"),
    "program": mark("Program"),
}
"""In the order of the list, by what queues name."""


@dataclass(frozen=True, slots=True)
class Count:
    """How much waits.

    Attributes:
        waiting: all of it, as far as one page of the service's list goes.
        late: of these, what is past its promise.
        more: whether there are more than were counted.
        at: when it was counted, of a number that is remembered.
    """

    waiting: int
    late: int = 0
    more: bool = False
    at: datetime | None = None

    @property
    def words(self) -> str:
        return f"{self.waiting}+" if self.more else str(self.waiting)


NONE: Final = "\N{EN DASH}"
"""What stands where there is nothing."""

PAST_PROMISE: Final = Chip("warn", mark("Past its promise"))
"""Before an item's own state, because somebody waits."""

Counting = Callable[[Visit], Awaitable[Count]]


@dataclass(frozen=True, slots=True)
class Queue:
    """A list of what waits for staff, or a page of the program's, as the list at the side names it.

    Attributes:
        name: the last part of its address, `/staff/{name}`.
        title: marked for translation, as `sentence`.
        sentence: what it is, in one sentence.
        scopes: what somebody needs to open it; whoever lacks one does not see it.
        count: asks the services how much waits; None for pages that are no queue.
    """

    name: str
    title: str
    group: Group
    sentence: str = ""
    scopes: frozenset[str] = frozenset()
    count: Counting | None = None

    @property
    def address(self) -> str:
        return f"/staff/{self.name}"


@dataclass(frozen=True, slots=True)
class Number:
    """One of a queue's three numbers: 6 waiting."""

    value: int | str
    words: str


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a queue.

    Attributes:
        title: said.
        sorted: how the list is sorted by it: ascending, descending, or not.
        sort: the address that sorts by it, where that can be chosen.
    """

    title: str
    sorted: Literal["ascending", "descending"] | None = None
    sort: str | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a column.

    Attributes:
        text: said, or Markup (as the filters of days make it).
        second: a smaller line below it.
        chip: a state instead of the text.
        link: whether it opens the item; one cell of a row does.
        href: where it leads, where that is no item of the list.
        own: whether the text is a name, an ID or a code, which keeps its own direction.
    """

    text: str | Markup = ""
    second: str | Markup = ""
    chip: Chip | None = None
    link: bool = False
    href: str = ""
    own: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """An item in a queue."""

    item: str
    """Its id, as `?item=` has it."""
    cells: Sequence[Cell]


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact of an item: what came in, what we hold, and whether they fit; None where there is nothing to compare."""

    name: str
    came: str | Markup
    held: str | Markup | None = None
    fits: bool | None = None


def with_query(path: str, query: Mapping[str, str], **changed: str | None) -> str:
    """An address with its query, where `changed` names what is different; None takes a parameter away."""
    kept = {name: value for name, value in {**query, **changed}.items() if value}
    return f"{path}?{urlencode(kept)}" if kept else path


def next_after(items: Sequence[str], done: str) -> str | None:
    """Which item opens after one was dealt with: the one behind it, else the first that is left."""
    left = [item for item in items if item != done]
    if not left:
        return None
    place = items.index(done) if done in items else 0
    return left[place] if place < len(left) else left[0]
