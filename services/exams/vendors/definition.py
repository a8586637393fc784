"""Vendors are data: what each of them offers and expects beside the bus, one file a vendor."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import Field, StringConstraints, model_validator

from libs.common.events.types import Line, ProgramId, Url
from libs.common.programs.errors import ProgramError, ProgramErrors
from libs.common.programs.shape import TimeZone
from libs.common.programs.source import Source, read_text
from libs.common.programs.validation import validated
from libs.common.programs.written import Shape
from libs.common.vendor_files.sftp import SftpShape
from services.exams.feeds.shape import FeedsShape
from services.exams.outgoing.definition import AuthorizationsShape, DemographicsShape
from services.exams.reconciliation.definition import RegistrationsShape
from services.exams.scheduling.sign_on import NOWHERE, SignOns, SignOnShape, read_sign_ons


class VendorShape(Shape):
    """The shape of a file."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]{1,30}$")]
    name: Line
    programs: Annotated[list[ProgramId], Field(min_length=1)]
    time_zone: TimeZone = "UTC"
    portal_url: Url | None = None
    sign_on: list[SignOnShape] = Field(default=[])
    sftp: SftpShape | None = None
    feeds: FeedsShape | None = None
    demographics: DemographicsShape | None = None
    authorizations: AuthorizationsShape | None = None
    registrations: RegistrationsShape | None = None
    orders: dict[str, Any] | None = None
    """Read and checked by fulfillment."""

    @model_validator(mode="after")
    def _feeds_fit(self) -> "VendorShape":
        if self.feeds is not None and self.feeds.sftp is not None and self.sftp is None:
            raise ValueError("feeds.sftp needs a section `sftp`")
        unknown = sorted(set(self.feeds.exams.values()) - set(self.programs)) if self.feeds else []
        if unknown:
            raise ValueError(f"feeds.exams names {unknown[0]!r}, which is none of the vendor's programs")
        return self


@dataclass(frozen=True, slots=True)
class Vendor:
    """A vendor as the service uses it.

    Attributes:
        id: its name on the bus.
        name: as candidates read it.
        programs: whose exams it delivers.
        time_zone: of moments that it writes without one.
        portal_url: its own page for candidates.
        sign_ons: how candidates are handed over to it.
        sftp: the server on which we exchange files.
        feeds: how its result files are read and fetched.
        demographics: how it is told who the candidates are.
        authorizations: how it is told who may sit which exam.
        registrations: where it puts lists of registrations.
        exams: whether exams are taken there. One that only prints and sends has no section but `orders`.
    """

    id: str
    name: str
    programs: tuple[str, ...]
    time_zone: ZoneInfo
    portal_url: str | None
    sign_ons: SignOns
    sftp: SftpShape | None = None
    feeds: FeedsShape | None = None
    demographics: DemographicsShape | None = None
    authorizations: AuthorizationsShape | None = None
    registrations: RegistrationsShape | None = None
    exams: bool = True


def name_of(vendor: str, vendors: Mapping[str, Vendor]) -> str:
    """What people call a vendor; one that nothing is agreed with beside the bus is called as it is there."""
    known = vendors.get(vendor)
    return known.name if known is not None else vendor


def load_vendors(folder: Path | None) -> Mapping[str, Vendor]:
    """All definitions (`*.yaml`) of a folder by vendor; none without a folder.

    Raises:
        ProgramErrors: with every fault in every file; also where the folder is not there, or two files define the
            same vendor.
    """
    if folder is None:
        return MappingProxyType({})
    if not folder.is_dir():
        raise ProgramErrors((ProgramError(str(folder), 1, "", "is no folder"),))
    found: dict[str, Vendor] = {}
    faults: list[ProgramError] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            vendor = load_vendor(read_text(path), name=path.name)
        except ProgramErrors as error:
            faults += error.errors
            continue
        if vendor.id in found:
            faults.append(ProgramError(path.name, 1, "id", f"{vendor.id!r} is defined in another file too"))
        found[vendor.id] = vendor
    if faults:
        raise ProgramErrors(tuple(faults))
    return MappingProxyType(found)


def load_vendor(text: str, *, name: str) -> Vendor:
    """One definition from its text. Raises `ProgramErrors` with every fault, each with its line."""
    source = Source(name, text)
    shape = validated(VendorShape, source.data, (), source)
    sign_ons = read_sign_ons(shape.sign_on, shape.programs, source) if shape else NOWHERE
    source.raise_faults()
    if shape is None:
        raise AssertionError("a shape that is missing was reported")
    return Vendor(
        id=shape.id,
        name=shape.name,
        programs=tuple(dict.fromkeys(shape.programs)),
        time_zone=ZoneInfo(shape.time_zone),
        portal_url=shape.portal_url,
        sign_ons=sign_ons,
        sftp=shape.sftp,
        feeds=shape.feeds,
        demographics=shape.demographics,
        authorizations=shape.authorizations,
        registrations=shape.registrations,
        exams=shape.orders is None or bool(shape.portal_url or shape.sign_on or shape.feeds),
    )
