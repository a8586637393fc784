"""Payment pages are data: where candidates pay what is sold to them, one file a page."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from libs.common.events.types import Line, ProgramId
from libs.common.programs.errors import ProgramError, ProgramErrors
from libs.common.programs.sign_in_shape import is_safe_url
from libs.common.programs.source import Source, read_text
from libs.common.programs.validation import validated
from libs.common.programs.written import Shape
from libs.common.secret_files import SecretName


def _target(value: str) -> str:
    if not is_safe_url(value) or "#" in value:
        raise ValueError("must be an https URL without a fragment (http only for an address of this machine)")
    return value


PageId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]{1,30}$")]


class PageShape(Shape):
    """The shape of a file."""

    id: PageId
    name: Line
    programs: Annotated[list[ProgramId], Field(min_length=1)]
    url: Annotated[str, StringConstraints(max_length=1000), AfterValidator(_target)]
    client: Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,100}$")]
    """What the page calls us."""
    secret: SecretName
    lifetime_minutes: Annotated[int, Field(ge=1, le=1440)] = 30


@dataclass(frozen=True, slots=True)
class PaymentPage:
    """Where candidates of some programs pay.

    Attributes:
        id: names it in the address of its notices.
        name: as candidates read it.
        url: where the form goes.
        client: what the page calls us.
        secret: names the file with the keys that both sides sign with.
        lifetime: how long a form is good.
    """

    id: str
    name: str
    programs: tuple[str, ...]
    url: str
    client: str
    secret: str
    lifetime: timedelta


def load_pages(folder: Path | None) -> Mapping[str, PaymentPage]:
    """All definitions (`*.yaml`) of a folder by page; none without a folder.

    Raises:
        ProgramErrors: with every fault in every file; also where the folder is not there, and where two files define
            the same page or are for the same program.
    """
    if folder is None:
        return MappingProxyType({})
    if not folder.is_dir():
        raise ProgramErrors((ProgramError(str(folder), 1, "", "is no folder"),))
    found: dict[str, PaymentPage] = {}
    faults: list[ProgramError] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            page = load_page(read_text(path), name=path.name)
        except ProgramErrors as error:
            faults += error.errors
            continue
        served = {program for each in found.values() for program in each.programs}
        if page.id in found:
            faults.append(ProgramError(path.name, 1, "id", f"{page.id!r} is defined in another file too"))
        faults += [
            ProgramError(path.name, 1, "programs", f"{program!r} pays on another page")
            for program in page.programs
            if program in served
        ]
        found[page.id] = page
    if faults:
        raise ProgramErrors(tuple(faults))
    return MappingProxyType(found)


def load_page(text: str, *, name: str) -> PaymentPage:
    """One definition from its text. Raises `ProgramErrors` with every fault, each with its line."""
    source = Source(name, text)
    shape = validated(PageShape, source.data, (), source)
    source.raise_faults()
    if shape is None:
        raise AssertionError("a shape that is missing was reported")
    return PaymentPage(
        id=shape.id,
        name=shape.name,
        programs=tuple(dict.fromkeys(shape.programs)),
        url=shape.url,
        client=shape.client,
        secret=shape.secret,
        lifetime=timedelta(minutes=shape.lifetime_minutes),
    )
