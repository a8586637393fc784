"""What a fulfilment house is sent on its own queue: orders with all that is printed. Nobody else may read them.

They come as CloudEvents, and are no events of the published exchange: they hold addresses.
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from libs.common.events.types import PERSONAL, Country

PREFIX = "orders"
"""Of the names of these messages in the bus's document."""

Personal = Annotated[str, Field(json_schema_extra=PERSONAL)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ShipTo(_Model):
    """The label, as it is to be printed."""

    name: Personal
    lines: Annotated[list[Personal], Field(description="Below the name, in this order, without the country")]
    country: Annotated[Country, Field(description="ISO 3166-1, two letters")]


class CustomsDeclaration(_Model):
    """For a parcel that crosses a border."""

    description: str
    tariff_code: Annotated[str | None, Field(description="Harmonized System, 6 to 10 digits")]
    origin: Annotated[Country | None, Field(description="Where it was made")]
    value: Annotated[str | None, Field(description="Decimal number in the currency's main unit")]
    currency: Annotated[str | None, Field(description="ISO 4217")]


class OrderRequested(_Model):
    """An order to make and send. The same order number again is the same order, however often it comes."""

    order_id: str
    sending: Annotated[int, Field(ge=1, description="How often it was sent by now")]
    benefit: str
    title: Annotated[str, Field(description="What it is, as the candidate reads it")]
    item: Annotated[str | None, Field(description="The house's own number of the item")]
    choices: Annotated[dict[str, str], Field(description="What the candidate has chosen, as a size")]
    ship_to: ShipTo
    customs: CustomsDeclaration | None
    replaces: Annotated[str | None, Field(description="The order whose parcel came back, or never arrived")]
    promised_by: date


class OrderWithdrawn(_Model):
    """An order that is not to be sent any more, where it has not left the house yet."""

    order_id: str
    reason: Literal["cancelled"] = "cancelled"


ORDERS = (OrderRequested, OrderWithdrawn)


def order_type(model: type[OrderRequested] | type[OrderWithdrawn]) -> str:
    """The CloudEvents type."""
    return f"certrail.orders.{model.__name__}.v1"
