"""What is read of identity's and fulfillment's answers about addresses."""

from typing import Literal

from pydantic import BaseModel, Field


class Address(BaseModel):
    lines: list[str] = Field(default=[])
    city: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country: str


class Region(BaseModel):
    code: str
    name: str
    latin: str


class FormField(BaseModel):
    name: Literal["lines", "city", "region", "postal_code"]
    kind: str
    required: bool
    examples: list[str] = Field(default=[])
    options: list[Region] = Field(default=[])


class AddressForm(BaseModel):
    """A country's form, its fields in the order in which people there write them."""

    country: str
    fields: list[FormField]


class Label(BaseModel):
    """Where a parcel goes, as its label has it."""

    name: str
    lines: list[str]
    country: str
