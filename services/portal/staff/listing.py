"""A queue with its rows and the item beside it, as the template `staff/listing.html` shows it."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any, Final
from urllib.parse import quote

from aiohttp import web

from libs.common.csv_pages import cells
from services.portal.languages import say
from services.portal.staff.kit import Column, Number, Queue, Row, with_query
from services.portal.staff.shell import Side, on_desk
from services.portal.web.forms import Faults, Typed
from services.portal.web.visit import Visit

ROWS: Final = "50"
_APART: Final = frozenset({"item", "after", "candidate", "undo"})
"""Parameters that are about the item, and no filters."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What stands in a queue.

    Attributes:
        caption: of the table, said.
        query: the filters as they were given.
        older: cursor of the next page.
        files: pairs of address and words, of files with the same rows.
        down: what does not answer, said; its part of the list is missing.
    """

    queue: Queue
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    numbers: Sequence[Number]
    query: Mapping[str, str]
    older: str | None = None
    first: bool = True
    files: Sequence[tuple[str, str]] = ()
    down: Sequence[str] = ()

    @property
    def base(self) -> str:
        return with_query(self.queue.address, self.query)


def filters_of(request: web.Request) -> dict[str, str]:
    """The filters in the address, without empty ones."""
    return {name: value for name, value in request.query.items() if value and name not in _APART}


def page_of(request: web.Request) -> dict[str, str]:
    """Which page of a list is asked for, as a query to a service."""
    after = request.query.get("after")
    return {"limit": ROWS, **({"cursor": after} if after else {})}


def listed(
    visit: Visit,
    template: str,
    side: Side,
    listing: Listing,
    *,
    open_item: str | None = None,
    item: Mapping[str, Any] | None = None,
    faults: Faults | None = None,
    given: Typed | None = None,
    **values: Any,
) -> web.Response:
    """The page of a queue. `item`: what the template's block `item` shows; None where none is open."""
    values |= {
        "listing": listing,
        "open": open_item,
        "item": item,
        "faults": faults or {},
        "given": given or {},
        "undo": values.get("undo"),
    }
    return on_desk(visit, template, say(listing.queue.title), side, problem=bool(faults), **values)


def path_of(*parts: str) -> str:
    """Parts of an address as they may stand in one."""
    return "".join(f"/{quote(part, safe='')}" for part in parts)


def csv_file(name: str, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> web.Response:
    """A CSV file to save; no cell of it is a formula."""
    buffer = StringIO()
    writer = csv.DictWriter(buffer, columns)
    writer.writeheader()
    writer.writerows(cells(row) for row in rows)
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return web.Response(body=buffer.getvalue().encode(), content_type="text/csv", charset="utf-8", headers=headers)
