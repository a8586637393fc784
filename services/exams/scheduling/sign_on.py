"""The section of a vendor's definition that says how candidates are handed over: by a signed form, or by OpenID."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from libs.common.events.types import Code, ProgramId
from libs.common.programs.sign_in_shape import is_safe_url
from libs.common.programs.source import Source
from libs.common.programs.written import Shape
from libs.common.secret_files import SecretName


def _target(value: str) -> str:
    if not is_safe_url(value):
        raise ValueError("must be an https URL (http only for an address of this machine)")
    if "#" in value:
        raise ValueError("must have no fragment")
    return value


Target = Annotated[str, StringConstraints(max_length=1000), AfterValidator(_target)]
OurName = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,100}$")]
"""What the vendor calls us, or a program of ours."""
Lifetime = Annotated[int, Field(ge=30, le=900)]
Tolerance = Annotated[int, Field(ge=0, le=300)]
CandidateField = Literal["vendor_candidate_id"]


class _WayShape(Shape):
    programs: Annotated[list[ProgramId] | None, Field(min_length=1)] = None
    """Left out: all programs of the vendor that no other entry names."""
    exams: Annotated[list[Code] | None, Field(min_length=1)] = None
    """What the vendor delivers; left out: every exam of the program."""
    url: Target
    client: OurName
    lifetime_seconds: Lifetime = 120
    clock_tolerance_seconds: Tolerance = 60


class DigestShape(_WayShape):
    """The browser brings a form that is signed with a shared key."""

    kind: Literal["digest"]
    program_code: OurName | None = None
    """What the vendor calls the program; left out: its id."""
    secret: SecretName
    candidate_fields: list[CandidateField] = Field(default=[])
    """What the form says of the candidate beside our candidate ID."""


class OpenIdShape(_WayShape):
    """The browser goes to the vendor, which sends it to our OpenID provider (OpenID Connect Core 1.0, 4)."""

    kind: Literal["openid"]


SignOnShape = Annotated[DigestShape | OpenIdShape, Field(discriminator="kind")]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOn:
    """How candidates of a program are handed over to a vendor.

    Attributes:
        url: where the form goes; with OpenID where the vendor begins a login.
        client: what the vendor calls us; with OpenID the id that we know the vendor by.
        lifetime: how long what is handed over is good.
        tolerance: how far the vendor's clock may be from ours.
        exams: what the vendor delivers; None for every exam of the program.
    """

    kind: Literal["digest", "openid"]
    url: str
    client: str
    program_code: str | None
    secret: str | None
    lifetime: timedelta
    tolerance: timedelta
    exams: frozenset[str] | None
    candidate_fields: tuple[CandidateField, ...] = ()

    def delivers(self, exam: str) -> bool:
        return self.exams is None or exam in self.exams


@dataclass(frozen=True, slots=True)
class SignOns:
    """All ways to one vendor."""

    by_program: dict[str, SignOn]
    for_all: SignOn | None = None

    def find(self, program: str) -> SignOn | None:
        return self.by_program.get(program, self.for_all)


NOWHERE = SignOns({})
"""What holds for a vendor whose definition has no such section."""


def read_sign_ons(shapes: Sequence[DigestShape | OpenIdShape], programs: Collection[str], source: Source) -> SignOns:
    """The section as it is used. Where two entries are for one program, or for one of another's, that is reported."""
    by_program: dict[str, SignOn] = {}
    for_all: SignOn | None = None
    for position, shape in enumerate(shapes):
        if shape.programs is None:
            if for_all is not None:
                source.report(("sign_on", position), "only one entry may leave 'programs' out")
            for_all = _read(shape)
        for place, program in enumerate(shape.programs or ()):
            path = ("sign_on", position, "programs", place)
            if program in by_program:
                source.report(path, f"another entry is for {program!r} too")
            if program not in programs:
                source.report(path, f"{program!r} is none of the vendor's programs")
            by_program[program] = _read(shape)
    return SignOns(by_program, for_all)


def _read(shape: DigestShape | OpenIdShape) -> SignOn:
    digest = shape if isinstance(shape, DigestShape) else None
    return SignOn(
        kind=shape.kind,
        url=shape.url,
        client=shape.client,
        program_code=digest.program_code if digest else None,
        secret=digest.secret if digest else None,
        lifetime=timedelta(seconds=shape.lifetime_seconds),
        tolerance=timedelta(seconds=shape.clock_tolerance_seconds),
        exams=None if shape.exams is None else frozenset(shape.exams),
        candidate_fields=tuple(dict.fromkeys(digest.candidate_fields)) if digest else (),
    )
