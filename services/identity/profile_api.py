"""The HTTP API of profiles: what candidates say of themselves, and what their program still wants to know."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field

from libs.common.clock import Clock
from libs.common.events.types import Country, Language, Line
from libs.common.http.models import Body, View
from libs.common.http.problems import NOT_FOUND, Problem
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import PROFILE_READ, PROFILE_WRITE
from libs.common.mongo.client import Document
from libs.common.programs import Program
from services.identity.api import CandidatePath, ProgramPath, entered
from services.identity.profiles import FIELDS, Profiles, is_confirmation_due, missing
from services.identity.reachability import trouble_of
from services.identity.store import IdentityStore

MailKind = Literal["results", "reminders", "milestones", "credits", "offers"]
"""Kinds of mails that a candidate may do without; what concerns access and awards is always sent."""

Digest = Literal["daily", "weekly"]
"""How often one mail tells of what can wait, such as credits; what is urgent has a mail at once."""


def _time_zone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError("is no IANA time zone")
    return value


TimeZone = Annotated[Line, AfterValidator(_time_zone)]


class AddressBody(Body):
    """A postal address; its country says what it needs beside its lines."""

    lines: Annotated[list[Line], Field(min_length=1, max_length=6)]
    city: Line | None = None
    region: Line | None = None
    postal_code: Line | None = None
    country: Country


class NativeName(Body):
    """The name in the person's own script, beside the Latin one."""

    given_name: Line
    family_name: Line


class Consent(Body):
    given: bool
    text_version: Annotated[Line, Field(description="Of the text that was shown")]


class ProfileBody(Body):
    """What changes; null empties a field. Names are changed by a case, with evidence."""

    address: AddressBody | None = None
    native_address: AddressBody | None = None
    native_name: NativeName | None = None
    employer: Line | None = None
    job_title: Line | None = None
    time_zone: TimeZone | None = None
    language: Language | None = None
    mails: Annotated[dict[MailKind, bool], Field(default={}, description="Kinds that are wanted or not")]
    digest: Annotated[Digest | None, Field(description="One mail for what can wait; null for a mail each, at once")] = (
        None
    )
    marketing: Annotated[Consent | None, Field(description="Apart from mails of the service")] = None
    confirmed: Annotated[Literal[True] | None, Field(description="That all of it is right, with what changes here")] = (
        None
    )


class ConsentView(View):
    """A consent or its withdrawal; none is ever overwritten."""

    kind: Literal["marketing"]
    given: bool
    text_version: str
    at: datetime
    by: str


class AddressView(View):
    lines: list[str]
    city: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country: str


class NativeNameView(View):
    given_name: str
    family_name: str


class MailTroubleView(View):
    """Nothing is sent to the candidate's address, until they give another one or staff say so."""

    reason: Literal["bounced", "complained"]
    """Mails came back, or one was reported as unwanted."""
    since: datetime


class ProfileView(View):
    candidate_id: str
    given_name: str
    family_name: str
    native_name: NativeNameView | None = None
    email: str
    country: str
    address: AddressView | None = None
    native_address: AddressView | None = None
    employer: str | None = None
    job_title: str | None = None
    time_zone: str | None = None
    language: str | None = None
    mails: dict[MailKind, bool] = Field(default={})
    """Kinds that were chosen; what is not in it is sent."""
    digest: Digest | None = None
    consents: list[ConsentView] = Field(default=[])
    """The oldest first; the last one holds."""
    mail_trouble: MailTroubleView | None
    """Why no mails are sent to this address; null where they are."""
    missing: list[str]
    """What the program wants to know first, such as `employer` or `address.postal_code`; empty opens everything."""
    confirmed_at: datetime | None = None
    """When the candidate last said that all of it is right."""
    confirmation_due: bool
    """Whether the program wants that to be said again."""


class EmployersView(View):
    """What may be chosen from; any other name may be given too."""

    items: list[str]


class ProfileApi:
    """Handlers of the routes below."""

    def __init__(self, store: IdentityStore, profiles: Profiles, programs: Mapping[str, Program], clock: Clock) -> None:
        self._store = store
        self._profiles = profiles
        self._programs = programs
        self._clock = clock

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        path = "/programs/{program}/candidates/{candidate_id}/profile"
        return (
            Route(
                method="GET",
                path="/programs/{program}/employers",
                handler=self.list_employers,
                summary="The employers that the program offers to choose from",
                parameters=ProgramPath,
                response=EmployersView,
                scopes=PROFILE_READ,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path=path,
                handler=self.show_profile,
                summary="A candidate's profile, and what is missing in it",
                parameters=CandidatePath,
                response=ProfileView,
                scopes=PROFILE_READ,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="PATCH",
                path=path,
                handler=self.change_profile,
                summary="Change a profile, but for the names",
                parameters=CandidatePath,
                body=ProfileBody,
                response=ProfileView,
                scopes=PROFILE_WRITE,
                errors=(NOT_FOUND,),
            ),
        )

    async def list_employers(self, call: Call[ProgramPath]) -> EmployersView:
        program = self._programs.get(entered(call))
        if program is None:
            raise Problem(NOT_FOUND)
        return EmployersView(items=list(program.employers))

    async def show_profile(self, call: Call[CandidatePath]) -> ProfileView:
        program = self._program(call)
        row = await self._store.standing(program.id, call.path.candidate_id)
        if row is None:
            raise Problem(NOT_FOUND)
        return _profile(row, program, self._clock.now())

    async def change_profile(self, call: Call[CandidatePath, Any, ProfileBody]) -> ProfileView:
        program = self._program(call)
        given = call.body.model_dump(exclude_unset=True)
        row = await self._profiles.change(
            program.id,
            call.path.candidate_id,
            fields={name: given[name] for name in FIELDS if name in given},
            mails=given.get("mails", {}),
            marketing=given.get("marketing"),
            digest={name: given[name] for name in ("digest",) if name in given},
            confirmed=bool(given.get("confirmed")),
            by=call.principal.subject,
        )
        return _profile(row, program, self._clock.now())

    def _program(self, call: Call[CandidatePath, Any, Any]) -> Program:
        call.principal.require(call.path.program, call.path.candidate_id)
        program = self._programs.get(call.path.program)
        if program is None:
            raise Problem(NOT_FOUND)
        return program


def _profile(row: Document, program: Program, now: datetime) -> ProfileView:
    return ProfileView.model_validate(
        {
            **row,
            "candidate_id": row["_id"],
            "missing": missing(row, program),
            "confirmation_due": is_confirmation_due(row, program, now),
            "mail_trouble": trouble_of(row),
        }
    )
