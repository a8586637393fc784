"""What a program gives or sells to those it certifies: kits, plaques, gifts for many years."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from libs.common.events.types import Code, Line
from libs.common.programs.calendar import Period
from libs.common.programs.written import Length, Shape, Word

Once = Literal["certification", "level", "ever"]
VendorName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]{1,30}$")]
Amount = Annotated[str, StringConstraints(pattern=r"^(0|[1-9][0-9]{0,6})(\.[0-9]{1,3})?$")]
"""A decimal number in the currency's main unit, written as text so that nothing is rounded."""
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
"""ISO 4217."""


@dataclass(frozen=True, slots=True)
class Price:
    """An amount of money in a currency's main unit."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Customs:
    """What stands on the customs declaration of a parcel that leaves the fulfilment house's country."""

    description: str
    """Of the contents, in English (UPU, CN 22: a detailed description)."""
    tariff_code: str | None = None
    """Harmonized System, 6 to 10 digits."""
    origin: str | None = None
    """ISO 3166-1 alpha-2."""
    value: Price | None = None


@dataclass(frozen=True, slots=True)
class Benefit:
    """Something that a candidate may claim once. What is shipped leaves a fulfilment house as one parcel.

    Attributes:
        milestone: the milestone it comes with; None where it comes with the award of a certification that names it
            among its `entitlements`.
        once: for each certification, for each level, or ever; of several that are due the first one stands.
        again: whether who earns a certification anew, after it ran out or was revoked, is offered it anew.
        claim_within: how long an offer stands; None without end.
        promise: weeks from the order to the parcel, the usual and the most; the latter is the promise.
        choices: what a candidate chooses, as a size, each with what there is to choose from.
        ships: whether anything is sent at all; where not, no address is asked for.
        vendor: the fulfilment house's name on the bus.
        po_boxes: whether its carrier delivers to P.O. boxes.
        token: whether the claim takes a token that is used up by it.
        price: what is paid for it; None where it is free.
    """

    id: str
    title: str
    milestone: str | None = None
    once: Once = "certification"
    again: bool = False
    claim_within: Period | None = None
    promise: tuple[int, int] = (12, 16)
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ships: bool = True
    vendor: str = "kits"
    po_boxes: bool = False
    stock_item: str | None = None
    customs: Customs | None = None
    token: bool = False
    price: Price | None = None


INITIAL_KIT = Benefit("initial_kit", "Welcome kit")
"""What stands for the kit in programs that say nothing more of it."""
DEFAULT_BENEFITS: Mapping[str, Benefit] = MappingProxyType({INITIAL_KIT.id: INITIAL_KIT})


class PriceShape(Shape):
    amount: Amount
    currency: Currency

    def read(self) -> Price:
        return Price(Decimal(self.amount), self.currency)


class CustomsShape(Shape):
    description: Line
    tariff_code: Annotated[str | None, StringConstraints(pattern=r"^[0-9]{6,10}$")] = None
    origin: Annotated[str | None, StringConstraints(pattern=r"^[A-Z]{2}$")] = None
    value: PriceShape | None = None

    def read(self) -> Customs:
        return Customs(self.description, self.tariff_code, self.origin, self.value.read() if self.value else None)


Weeks = Annotated[int, Field(ge=1, le=104)]


class PromiseShape(Shape):
    usual: Weeks
    most: Weeks

    @model_validator(mode="after")
    def _ordered(self) -> "PromiseShape":
        if self.most < self.usual:
            raise ValueError("'most' must be no less than 'usual'")
        return self


class BenefitShape(Shape):
    title: Line
    milestone: Code | None = None
    once: Once | None = None
    when_earned_again: Literal["nothing", "offered again"] = "nothing"
    claim_within: Length | None = None
    promise_weeks: PromiseShape = PromiseShape(usual=12, most=16)
    choices: dict[Word, Annotated[list[Line], Field(min_length=1, max_length=100)]] = Field(default={}, max_length=10)
    ships: bool = True
    vendor: VendorName = INITIAL_KIT.vendor
    po_boxes: bool = False
    stock_item: Code | None = None
    customs: CustomsShape | None = None
    token: bool = False
    price: PriceShape | None = None

    @model_validator(mode="after")
    def _fits(self) -> "BenefitShape":
        if self.milestone is not None and self.once not in {None, "ever"}:
            raise ValueError("a milestone is reached once, so 'once' must be 'ever'")
        if self.when_earned_again == "offered again" and (self.once or "certification") != "certification":
            raise ValueError("what is offered again is offered once for each certification")
        if self.when_earned_again == "offered again" and self.milestone is not None:
            raise ValueError("a milestone is not earned again")
        if any(len(set(given)) < len(given) for given in self.choices.values()):
            raise ValueError("of a choice each value is listed once")
        if self.price is not None and Decimal(self.price.amount) == 0:
            raise ValueError("what costs nothing has no price")
        return self

    def read(self, name: str) -> Benefit:
        return Benefit(
            id=name,
            title=self.title,
            milestone=self.milestone,
            once=self.once or ("certification" if self.milestone is None else "ever"),
            again=self.when_earned_again == "offered again",
            claim_within=self.claim_within,
            promise=(self.promise_weeks.usual, self.promise_weeks.most),
            choices=MappingProxyType({what: tuple(given) for what, given in self.choices.items()}),
            ships=self.ships,
            vendor=self.vendor,
            po_boxes=self.po_boxes,
            stock_item=self.stock_item,
            customs=self.customs.read() if self.customs else None,
            token=self.token,
            price=self.price.read() if self.price else None,
        )


def read_benefits(written: Mapping[str, BenefitShape]) -> Mapping[str, Benefit]:
    """Every benefit by its id; the kit is there also where the section is silent about it."""
    return MappingProxyType({**DEFAULT_BENEFITS, **{name: shape.read(name) for name, shape in written.items()}})
