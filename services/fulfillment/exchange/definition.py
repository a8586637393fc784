"""Fulfilment houses are vendors whose definition has a section `orders`: how they take orders and what they tell us.

```yaml
orders:
  country: US                          # parcels that leave it carry a customs declaration
  resend_days: 3                       # without an answer an order goes again, under its number
  silent_days: 7                       # nothing heard for so long while orders are open: flagged
  files:                               # left out, orders go to the queue `<house>.orders`
    folder: /in
    file: orders-{program}-{number}.txt
    confirmations: {folder: /out, file: "orderack-{program}-{number}.txt"}
  lists: {folder: /out, file: "all-orders-{program}-{date}.csv"}
  stock: {folder: /out, file: "stock-{program}-{date}.csv", low: {KIT-WELCOME: 100}}
```
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import ConfigDict, Field, model_validator

from libs.common.events.types import Code, Country, Line, ProgramId
from libs.common.programs.benefits import VendorName
from libs.common.programs.errors import ProgramError, ProgramErrors
from libs.common.programs.shape import TimeZone
from libs.common.programs.source import Source, read_text
from libs.common.programs.validation import validated
from libs.common.programs.written import Shape
from libs.common.vendor_files.definition import FilesShape, Folder, Pattern
from libs.common.vendor_files.names import NamePattern
from libs.common.vendor_files.sftp import SftpShape

ORDER_COLUMNS = (
    "Action",
    "OrderID",
    "Sending",
    "Replaces",
    "Benefit",
    "Title",
    "Item",
    "Choices",
    "Name",
    *(f"Address{number}" for number in range(1, 8)),
    "Country",
    "CustomsDescription",
    "CustomsTariff",
    "CustomsOrigin",
    "CustomsValue",
    "CustomsCurrency",
    "PromisedBy",
)
_NEEDED = ("Action", "OrderID", "Name", "Address1", "Country")


class OrderFilesShape(FilesShape):
    """Orders as files."""

    columns: Annotated[list[str], Field(min_length=1, max_length=40)] = Field(
        default_factory=lambda: list(ORDER_COLUMNS)
    )
    lengths: dict[str, Annotated[int, Field(ge=1, le=1000)]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _columns_exist(self) -> "OrderFilesShape":
        for column in (*self.columns, *self.lengths):
            if column not in ORDER_COLUMNS:
                raise ValueError(f"there is no column {column!r}; there are {', '.join(ORDER_COLUMNS)}")
        missing = [column for column in _NEEDED if column not in self.columns]
        if missing:
            raise ValueError(f"`columns` needs {', '.join(missing)}")
        return self


class ListShape(Shape):
    """Files that the house puts into a folder."""

    folder: Folder
    file: Pattern

    @model_validator(mode="after")
    def _names_the_program(self) -> "ListShape":
        if "program" not in NamePattern(self.file).places:
            raise ValueError("`file` needs the place {program}")
        return self


class StockShape(ListShape):
    low: dict[Code, Annotated[int, Field(ge=0, le=100_000_000)]] = Field(default={}, max_length=1000)
    """By item: with fewer than so many on hand staff are told."""


Days = Annotated[int, Field(ge=1, le=60)]


class OrdersShape(Shape):
    """The section `orders`."""

    country: Country | None = None
    resend_days: Days = 3
    silent_days: Days = 7
    files: OrderFilesShape | None = None
    lists: ListShape | None = None
    stock: StockShape | None = None


class _VendorShape(Shape):
    """What of a vendor's file is about orders; the rest is for exams, which checks it."""

    model_config = ConfigDict(extra="ignore")

    id: VendorName
    name: Line
    programs: Annotated[list[ProgramId], Field(min_length=1)]
    time_zone: TimeZone = "UTC"
    sftp: SftpShape | None = None
    orders: OrdersShape | None = None


_UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class House:
    """A fulfilment house as the service uses it.

    Attributes:
        id: its name on the bus.
        time_zone: of the days in the names of files.
        country: where its parcels start; None for wherever, so that each carries a customs declaration.
        resend_after: an order without an answer is sent again then.
        silent_after: without a word for so long it is flagged.
        files: how it takes files; None where it reads its queue.
    """

    id: str
    name: str
    programs: tuple[str, ...] = ()
    time_zone: ZoneInfo = _UTC
    sftp: SftpShape | None = None
    country: str | None = None
    resend_after: timedelta = timedelta(days=3)
    silent_after: timedelta = timedelta(days=7)
    files: OrderFilesShape | None = None
    lists: ListShape | None = None
    stock: StockShape | None = None


class Houses:
    """Houses by name. One without a definition reads its queue."""

    def __init__(self, defined: Mapping[str, House]) -> None:
        self.defined = defined

    def __getitem__(self, name: str) -> House:
        return self.defined.get(name) or House(name, name)


def load_houses(folder: Path | None) -> Houses:
    """The houses among all definitions (`*.yaml`) of a folder. Raises `ProgramErrors` with every fault."""
    found: dict[str, House] = {}
    faults: list[ProgramError] = []
    if folder is not None and not folder.is_dir():
        raise ProgramErrors((ProgramError(str(folder), 1, "", "is no folder"),))
    for path in sorted(folder.glob("*.yaml")) if folder is not None else ():
        try:
            house = load_house(read_text(path), name=path.name)
        except ProgramErrors as error:
            faults += error.errors
            continue
        if house is not None:
            found[house.id] = house
    if faults:
        raise ProgramErrors(tuple(faults))
    return Houses(MappingProxyType(found))


def load_house(text: str, *, name: str) -> House | None:
    """The house of one definition; None of a vendor that takes no orders. Raises `ProgramErrors`."""
    source = Source(name, text)
    shape = validated(_VendorShape, source.data, (), source)
    source.raise_faults()
    if shape is None:
        raise AssertionError("a shape that is missing was reported")
    orders = shape.orders
    if orders is None:
        return None
    return House(
        id=shape.id,
        name=shape.name,
        programs=tuple(dict.fromkeys(shape.programs)),
        time_zone=ZoneInfo(shape.time_zone),
        sftp=shape.sftp,
        country=orders.country,
        resend_after=timedelta(days=orders.resend_days),
        silent_after=timedelta(days=orders.silent_days),
        files=orders.files,
        lists=orders.lists,
        stock=orders.stock,
    )
