"""The HTTP API of addresses: a country's form, and whether a parcel can go somewhere."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from libs.common.events.types import Address, Code, Country, Identifier
from libs.common.http.models import Body, Nothing, Parameters, View
from libs.common.http.problems import INVALID, NOT_FOUND, Problem, invalid
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import BENEFITS_READ
from libs.common.programs import Program
from services.fulfillment.addresses import checking
from services.fulfillment.addresses.checking import Carrier, check
from services.fulfillment.addresses.countries import Region
from services.fulfillment.addresses.forms import FormField, form
from services.fulfillment.orders.addressing import carrier_of


class AddressCheckBody(Body):
    address: Address
    benefit: Annotated[Code | None, Field(description="Whose carrier is asked; left out: one that takes no boxes")] = (
        None
    )


class FormPath(Parameters):
    program: Identifier


class FormQuery(Parameters):
    country: Annotated[Country, Field(description="ISO 3166-1 alpha-2")]


class CheckPath(FormPath):
    candidate_id: Identifier


class RegionView(View):
    code: Annotated[str, Field(description="What stands on a label in the country's own script")]
    name: str
    latin: Annotated[str, Field(description="What stands on a label in Latin letters")]


class FormFieldView(View):
    """One field. `kind` is what the country calls it (`zip`, `prefecture`), for texts in other languages."""

    name: Literal["lines", "city", "region", "postal_code"]
    kind: str
    label: Annotated[str, Field(description="What the country calls it, in English")]
    required: bool
    examples: list[str]
    options: Annotated[list[RegionView], Field(description="What to choose from; empty where any text may be given")]


class FormView(View):
    """A country's form, its fields in the order in which people there write them."""

    country: str
    name: Annotated[str, Field(description="As the last line of a label")]
    fields: list[FormFieldView]


class AddressProblemView(View):
    path: Annotated[str, Field(examples=["lines.0"])]
    code: checking.Code
    message: Annotated[str, Field(description="What to do, in a sentence for the person")]


class AddressCheckView(View):
    """Whether a parcel can go there, and the label. Nothing of it is kept."""

    problems: Annotated[list[AddressProblemView], Field(description="Empty where a parcel can go there")]
    lines: Annotated[list[str], Field(description="As they are printed below the name; with problems none")]
    native_lines: Annotated[list[str], Field(description="As they would be if the printer had every letter")]
    country: Annotated[str, Field(description="The last line of the label")]


class AddressesApi:
    """Handlers of the routes below."""

    def __init__(self, programs: Mapping[str, Program]) -> None:
        self._programs = programs

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (
            Route(
                method="GET",
                path="/programs/{program}/address-form",
                handler=self.show_address_form,
                summary="What the addresses of a country are made of",
                parameters=FormPath,
                query=FormQuery,
                response=FormView,
                scopes=BENEFITS_READ,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="POST",
                path="/programs/{program}/candidates/{candidate_id}/address-checks",
                handler=self.check_address,
                summary="Whether a parcel can go to an address, and what to change if not",
                parameters=CheckPath,
                body=AddressCheckBody,
                response=AddressCheckView,
                scopes=BENEFITS_READ,
                errors=(NOT_FOUND, INVALID),
                asks=True,
            ),
        )

    async def show_address_form(self, call: Call[FormPath, FormQuery]) -> FormView:
        call.principal.require_program(call.path.program)
        shown = form(call.query.country)
        if shown is None:
            raise invalid("query.country", "unknown", "Choose a country of ISO 3166-1.")
        return FormView(country=shown.country, name=shown.name, fields=[_field(one) for one in shown.fields])

    async def check_address(self, call: Call[CheckPath, Nothing, AddressCheckBody]) -> AddressCheckView:
        call.principal.require(call.path.program, call.path.candidate_id)
        program = self._programs.get(call.path.program)
        if program is None:
            raise Problem(NOT_FOUND)
        benefit = None
        if call.body.benefit is not None:
            benefit = program.benefits.get(call.body.benefit)
            if benefit is None:
                raise invalid("body.benefit", "unknown", f"{program.name} gives no such benefit")
        checked = check(call.body.address, carrier_of(benefit) if benefit else Carrier())
        return AddressCheckView(
            problems=[
                AddressProblemView(path=one.path, code=one.code, message=one.sentence) for one in checked.problems
            ],
            lines=list(checked.lines),
            native_lines=list(checked.native_lines),
            country=checked.country,
        )


def _field(one: FormField) -> FormFieldView:
    return FormFieldView.model_validate(
        {
            "name": one.name,
            "kind": one.kind,
            "label": one.label,
            "required": one.required,
            "examples": list(one.examples),
            "options": [_region(region) for region in one.options],
        }
    )


def _region(region: Region) -> RegionView:
    return RegionView(code=region.code, name=region.name, latin=region.latin)
