"""The HTTP API of what vendors are called."""

from collections.abc import Mapping
from typing import Any

from libs.common.events.types import Identifier
from libs.common.http.models import Parameters, View
from libs.common.http.problems import NOT_FOUND
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import EXAMS_READ
from services.exams.vendors.definition import Vendor


class ProgramPath(Parameters):
    program: Identifier


class VendorNameView(View):
    vendor: str
    """As it is called on the bus, and in all other answers."""
    name: str
    """As people read it."""
    exams: bool
    """Whether exams are taken there; else it prints and sends."""


class VendorNamesView(View):
    items: list[VendorNameView]


class VendorNamesApi:
    """The handler of the route below."""

    def __init__(self, vendors: Mapping[str, Vendor]) -> None:
        self._vendors = vendors

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (
            Route(
                method="GET",
                path="/programs/{program}/vendor-names",
                handler=self.list_vendor_names,
                summary="What the program's vendors are called: those of exams, and those who print and send",
                parameters=ProgramPath,
                response=VendorNamesView,
                scopes=EXAMS_READ,
                errors=(NOT_FOUND,),
            ),
        )

    async def list_vendor_names(self, call: Call[ProgramPath]) -> VendorNamesView:
        program = call.path.program
        call.principal.require_program(program)
        ours = (one for one in self._vendors.values() if program in one.programs)
        return VendorNamesView(items=[VendorNameView(vendor=one.id, name=one.name, exams=one.exams) for one in ours])
