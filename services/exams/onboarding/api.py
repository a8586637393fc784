"""The HTTP API of vendors: their credentials for the operator, what became of their messages for staff as well."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from libs.common.bus import topology
from libs.common.clock import Clock
from libs.common.events.types import ProgramId
from libs.common.http.models import Body, Nothing, Parameters, View
from libs.common.http.paging import Page
from libs.common.http.problems import CONFLICT, NOT_FOUND, Problem, invalid
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import OPERATIONS_READ, VENDORS_MANAGE
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.programs import Program
from services.exams.onboarding.credentials import Credentials, NewCredential
from services.exams.onboarding.tally import Tallies, counted, last_heard, parts_of

VendorName = Annotated[str, StringConstraints(pattern=f"^{topology.VENDOR_NAME.pattern}$")]
Days = Annotated[int, Field(ge=1, le=400, description="How far back, today included")]


class VendorPath(Parameters):
    vendor: VendorName


class ProgramPath(Parameters):
    program: ProgramId


class VendorOfProgramPath(ProgramPath):
    vendor: VendorName


class DaysQuery(Parameters):
    days: Days = 30


class Admission(Body):
    programs: Annotated[list[ProgramId], Field(min_length=1, max_length=100, description="Whose results it reports")]


class Renewal(Body):
    kind: Annotated[
        Literal["token", "signing_secret"],
        Field(description="A bearer token, or a secret that signs (Standard Webhooks)"),
    ]
    old_works_hours: Annotated[
        int, Field(ge=0, le=720, description="Hours that the one of before goes on; 0 where it has leaked")
    ] = 24


class CredentialView(View):
    """A credential, by when it works. What it is has been shown once."""

    made_at: datetime
    valid_until: datetime | None
    """Null until another follows it."""


class CountView(View):
    """How many messages turned out to be what."""

    channel: Literal["bus", "file", "notification", "dry_run"]
    verdict: str
    code: str | None
    """Why they were refused."""
    count: int


class VendorView(View):
    """A vendor, as far as exams knows it: by its credentials, or by messages of its broker user."""

    vendor: str
    state: Literal["active", "removed", "broker_only"]
    """`broker_only`: it has never had credentials to notify with."""
    programs: list[str]
    tokens: list[CredentialView]
    signing_secrets: list[CredentialView]
    last_heard_at: datetime | None
    today: list[CountView]
    """Of the present day in UTC."""
    in_all: list[CountView]


class NewCredentialView(View):
    """A credential, shown this once."""

    vendor: str
    kind: Literal["token", "signing_secret"]
    secret: str


class DayView(View):
    day: str
    counts: list[CountView]


class VerdictsView(View):
    """What became of what a vendor has sent for a program."""

    vendor: str
    program: str
    last_heard_at: datetime | None
    days: list[DayView]
    """Days with messages, the latest first."""


class SampleView(View):
    """Where to look a message up."""

    message_id: str | None
    """As its vendor chose it: of an event, a notification or the AMQP message."""
    about: str | None
    """The key of the result or registration that it speaks of."""
    at: datetime


class SamplesView(View):
    """The last few messages of one kind, the latest first."""

    channel: Literal["bus", "file", "notification", "dry_run"]
    verdict: str
    code: str | None
    messages: list[SampleView]


class OnboardingApi:
    """Handlers of the routes below."""

    def __init__(
        self,
        credentials: Credentials,
        tallies: Tallies,
        unit_of_work: UnitOfWork,
        programs: Mapping[str, Program],
        clock: Clock,
    ) -> None:
        self._credentials = credentials
        self._tallies = tallies
        self._unit_of_work = unit_of_work
        self._programs = programs
        self._clock = clock

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        one = "/vendors/{vendor}"
        of_program = "/programs/{program}/vendors"
        return (
            Route(
                method="GET",
                path="/vendors",
                handler=self.list_vendors,
                summary="Every vendor, with what became of its messages",
                response=Page[VendorView],
                scopes=VENDORS_MANAGE,
            ),
            Route(
                method="PUT",
                path=one,
                handler=self.admit_vendor,
                summary="Let a vendor notify us for these programs",
                parameters=VendorPath,
                body=Admission,
                response=VendorView,
                scopes=VENDORS_MANAGE,
            ),
            Route(
                method="DELETE",
                path=one,
                handler=self.remove_vendor,
                summary="End a vendor's credentials; what it has said stays",
                parameters=VendorPath,
                response=None,
                status=204,
                scopes=VENDORS_MANAGE,
                errors=(NOT_FOUND,),
            ),
            # Not idempotent by key: the answer would be kept, and the secret with it.
            Route(
                method="POST",
                path=one + "/credentials",
                handler=self.renew_credential,
                summary="Give a vendor a token or a signing secret; shows it, this once",
                parameters=VendorPath,
                body=Renewal,
                response=NewCredentialView,
                status=201,
                scopes=VENDORS_MANAGE,
                errors=(NOT_FOUND, CONFLICT),
            ),
            Route(
                method="GET",
                path=of_program,
                handler=self.list_verdicts,
                summary="What became of vendors' messages for a program",
                parameters=ProgramPath,
                query=DaysQuery,
                response=Page[VerdictsView],
                scopes=OPERATIONS_READ,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path=of_program + "/{vendor}/samples",
                handler=self.list_samples,
                summary="The last few messages of a vendor by what became of them",
                parameters=VendorOfProgramPath,
                response=Page[SamplesView],
                scopes=OPERATIONS_READ,
                errors=(NOT_FOUND,),
            ),
        )

    async def list_vendors(self, _call: Call) -> Page[VendorView]:
        known = {row["_id"]: row for row in await self._credentials.all()}
        heard = _by_vendor(await self._days(None, None))
        names = sorted(known.keys() | heard.keys())
        return Page[VendorView](items=[self._vendor(name, known.get(name), heard.get(name, [])) for name in names])

    async def admit_vendor(self, call: Call[VendorPath, Nothing, Admission]) -> VendorView:
        for place, program in enumerate(call.body.programs):
            if program not in self._programs:
                raise invalid(f"body.programs.{place}", "unknown_program", f"there is no program {program!r}")
        vendor = call.path.vendor
        row = await self._credentials.admit(vendor, call.body.programs, by=call.principal.subject)
        return self._vendor(vendor, row, await self._days(None, vendor))

    async def remove_vendor(self, call: Call[VendorPath]) -> None:
        await self._credentials.end(call.path.vendor)

    async def renew_credential(self, call: Call[VendorPath, Nothing, Renewal]) -> NewCredentialView:
        old_works_for = timedelta(hours=call.body.old_works_hours)
        made: NewCredential = await self._credentials.renew(call.path.vendor, call.body.kind, old_works_for)
        return NewCredentialView(vendor=call.path.vendor, kind=call.body.kind, secret=made.secret)

    async def list_verdicts(self, call: Call[ProgramPath, DaysQuery]) -> Page[VerdictsView]:
        program = call.path.program
        call.principal.require_program(program)
        since = (self._clock.now() - timedelta(days=call.query.days - 1)).date().isoformat()
        by_vendor = _by_vendor(row for row in await self._days([program], None) if row["day"] >= since)
        return Page[VerdictsView](
            items=[_verdicts(vendor, program, rows) for vendor, rows in sorted(by_vendor.items())]
        )

    async def list_samples(self, call: Call[VendorOfProgramPath]) -> Page[SamplesView]:
        program, vendor = call.path.program, call.path.vendor
        call.principal.require_program(program)

        async def work(transaction: Transaction) -> dict[str, list[Document]]:
            return await self._tallies.samples(transaction.session, program, vendor)

        found = await self._unit_of_work.run(work)
        if not found:
            raise Problem(NOT_FOUND)
        return Page[SamplesView](items=[_samples(key, rows) for key, rows in sorted(found.items())])

    async def _days(self, programs: Sequence[str] | None, vendor: str | None) -> list[Document]:
        """In one snapshot: what is being added up meanwhile counts once."""

        async def work(transaction: Transaction) -> list[Document]:
            return await self._tallies.days(transaction.session, programs, vendor)

        return await self._unit_of_work.run(work)

    def _vendor(self, name: str, row: Document | None, days: Sequence[Document]) -> VendorView:
        today = self._clock.now().date().isoformat()
        state = "broker_only" if row is None else "removed" if row["ended_at"] else "active"
        credentials = row or {"programs": [], "tokens": [], "signing_secrets": []}
        return VendorView.model_validate(
            {
                **credentials,
                "vendor": name,
                "state": state,
                "last_heard_at": last_heard(days),
                "today": _counts(days, today),
                "in_all": _counts(days),
            }
        )


def _by_vendor(rows: Iterable[Document]) -> dict[str, list[Document]]:
    found: dict[str, list[Document]] = defaultdict(list)
    for row in rows:
        found[row["vendor"]].append(row)
    return found


def _counts(rows: Iterable[Document], day: str | None = None) -> list[dict[str, Any]]:
    return [
        {"channel": one.channel, "verdict": one.verdict, "code": one.code, "count": one.n} for one in counted(rows, day)
    ]


def _verdicts(vendor: str, program: str, rows: Sequence[Document]) -> VerdictsView:
    days = sorted({row["day"] for row in rows}, reverse=True)
    return VerdictsView.model_validate(
        {
            "vendor": vendor,
            "program": program,
            "last_heard_at": last_heard(rows),
            "days": [{"day": day, "counts": _counts(rows, day)} for day in days],
        }
    )


def _samples(key: str, rows: Sequence[Document]) -> SamplesView:
    channel, verdict, code = parts_of(key)
    return SamplesView.model_validate({"channel": channel, "verdict": verdict, "code": code, "messages": rows})
