"""The HTTP API for program managers: the policy in force, and dry runs of the next one."""

import asyncio
from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from libs.common.clock import Clock
from libs.common.events.types import Identifier
from libs.common.http.models import Body, Parameters, View
from libs.common.http.paging import Cursor, Page, PageQuery
from libs.common.http.problems import INVALID, NOT_FOUND, FieldError, Problem, invalid
from libs.common.http.routes import Call, Reply, Route
from libs.common.http.scopes import PROGRAMS_MANAGE
from libs.common.mongo.client import Document
from libs.common.programs import Program, ProgramErrors, load_definition
from services.certs.changes_csv import ChangesFile, changes_csv
from services.certs.dryrun_store import DryRunStore, certification_of
from services.certs.store import CertsStore
from services.certs.views import ProgramPath, SideView

LARGEST_DEFINITION = 900_000
"""Characters."""

Kind = Literal["gained", "lost", "moved", "changed"]

_RUNS = Cursor("dry-runs", tuple[datetime, str])
_CHANGES = Cursor("dry-run-changes", str)


class DryRunPath(ProgramPath):
    run_id: Identifier


class ChangesQuery(PageQuery):
    kind: Annotated[Kind | None, Field(description="Only changes of this kind")] = None


class FileQuery(Parameters):
    kind: Annotated[Kind | None, Field(description="Only changes of this kind")] = None


class DryRunRequest(Body):
    """A definition to try."""

    definition: Annotated[str, Field(min_length=1, max_length=LARGEST_DEFINITION, description="The YAML text")]


class PolicyView(View):
    """The policy in force, and how many ledgers it has reached."""

    program: str
    version: int
    candidates: int
    outdated: int
    """Ledgers not evaluated with this version yet; 0 once the last change is complete."""


class CountsView(View):
    """How many certifications of one kind would be different."""

    certification: str
    gained: int = 0
    lost: int = 0
    moved: int = 0
    changed: int = 0


class DryRunView(View):
    run_id: str
    program: str
    from_version: int
    to_version: int
    state: Literal["running", "finished"]
    total: int
    """Candidates when it was asked for."""
    done: int
    affected: int
    """Candidates for whom something would be different, so far."""
    counts: list[CountsView]
    created_by: str
    created_at: datetime
    finished_at: datetime | None


class ChangeView(View):
    """One certification of one candidate that would be different."""

    candidate_id: str
    certification: str
    kind: Kind
    before: SideView | None
    after: SideView | None
    because: str


class ProgramsApi:
    """Handlers of the routes below."""

    def __init__(self, store: CertsStore, dry_runs: DryRunStore, programs: Mapping[str, Program], clock: Clock) -> None:
        self._store = store
        self._dry_runs = dry_runs
        self._programs = programs
        self._clock = clock

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (
            Route(
                method="GET",
                path="/programs/{program}/policy",
                handler=self.show_policy,
                summary="The policy in force, and how many candidates it has reached",
                parameters=ProgramPath,
                response=PolicyView,
                scopes=PROGRAMS_MANAGE,
                audited=False,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="POST",
                path="/programs/{program}/dry-runs",
                handler=self.start_dry_run,
                summary="Try a new definition on every candidate, without any effect",
                parameters=ProgramPath,
                body=DryRunRequest,
                response=DryRunView,
                status=202,
                scopes=PROGRAMS_MANAGE,
                errors=(NOT_FOUND, INVALID),
                idempotent=True,
            ),
            Route(
                method="GET",
                path="/programs/{program}/dry-runs",
                handler=self.list_dry_runs,
                summary="Dry runs of the last month, the latest first",
                parameters=ProgramPath,
                query=PageQuery,
                response=Page[DryRunView],
                scopes=PROGRAMS_MANAGE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path="/programs/{program}/dry-runs/{run_id}",
                handler=self.show_dry_run,
                summary="How far a dry run has come, and what it has shown",
                parameters=DryRunPath,
                response=DryRunView,
                scopes=PROGRAMS_MANAGE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path="/programs/{program}/dry-runs/{run_id}/changes",
                handler=self.list_changes,
                summary="Whose certifications would be different, and how",
                parameters=DryRunPath,
                query=ChangesQuery,
                response=Page[ChangeView],
                scopes=PROGRAMS_MANAGE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path="/programs/{program}/dry-runs/{run_id}/changes.csv",
                handler=self.download_changes,
                summary="The same as a CSV file",
                parameters=DryRunPath,
                query=FileQuery,
                response=ChangesFile,
                scopes=PROGRAMS_MANAGE,
                errors=(NOT_FOUND,),
            ),
        )

    async def show_policy(self, call: Call[ProgramPath]) -> PolicyView:
        policy = self._policy(call)
        candidates = (await self._store.totals([policy.id], {policy.id: date.max.isoformat()}))["candidates"]
        outdated = await self._store.count_outdated(policy.id, policy.version)
        return PolicyView(program=policy.id, version=policy.version, candidates=candidates, outdated=outdated)

    async def start_dry_run(self, call: Call[ProgramPath, Any, DryRunRequest]) -> Reply[DryRunView]:
        policy = self._policy(call)
        new = await self._checked(call.body.definition, policy)
        row = await self._dry_runs.add(
            call.operation_id,
            program=policy.id,
            versions=(policy.version, new.version),
            definition=call.body.definition,
            by=call.principal.subject,
            now=self._clock.now(),
        )
        location = f"/api/certs/v1/programs/{policy.id}/dry-runs/{row['_id']}"
        return Reply(_dry_run(row), {"Location": location})

    async def list_dry_runs(self, call: Call[ProgramPath, PageQuery]) -> Page[DryRunView]:
        policy, query = self._policy(call), call.query
        rows = await self._dry_runs.latest(policy.id, before=_RUNS.decode(query.cursor), limit=query.limit + 1)
        return _RUNS.page(
            Page[DryRunView], rows, query.limit, key=lambda row: (row["created_at"], row["_id"]), show=_dry_run
        )

    async def show_dry_run(self, call: Call[DryRunPath]) -> DryRunView:
        return _dry_run(await self._run(call))

    async def list_changes(self, call: Call[DryRunPath, ChangesQuery]) -> Page[ChangeView]:
        run = await self._run(call)
        rows = await self._dry_runs.changes(
            run["_id"],
            kind=call.query.kind,
            after=_CHANGES.decode(call.query.cursor),
            limit=call.query.limit + 1,
        )
        return _CHANGES.page(
            Page[ChangeView], rows, call.query.limit, key=lambda row: str(row["_id"]), show=ChangeView.model_validate
        )

    async def download_changes(self, call: Call[DryRunPath, FileQuery]) -> ChangesFile:
        run = await self._run(call)
        name = f"{run['program']}-{run['from_version']}-to-{run['to_version']}.csv"
        return ChangesFile("text/csv", name, changes_csv(self._dry_runs, run["_id"], call.query.kind))

    def _policy(self, call: Call[Any, Any, Any]) -> Program:
        program: str = call.path.program
        policy = self._programs.get(program)
        if policy is None or not call.principal.may_enter(program):
            raise Problem(NOT_FOUND)
        return policy

    async def _run(self, call: Call[DryRunPath, Any]) -> Document:
        row = await self._dry_runs.run(self._policy(call).id, call.path.run_id)
        if row is None:
            raise Problem(NOT_FOUND)
        return row

    async def _checked(self, definition: str, policy: Program) -> Program:
        try:
            new = await asyncio.to_thread(load_definition, definition, name=f"{policy.id}.yaml")
        except ProgramErrors as error:
            faults = [
                FieldError(
                    path=f"body.definition:{fault.line}: {fault.path}"[:200],
                    code="definition",
                    message=fault.message[:500],
                )
                for fault in error.errors
            ]
            raise Problem(INVALID, errors=faults) from error
        if new.id != policy.id:
            raise invalid("body.definition", "program", f"it defines {new.id!r}, not {policy.id!r}")
        if new.version <= policy.version:
            raise invalid("body.definition", "version", f"its version must be higher than {policy.version}")
        return new


def _dry_run(row: Document) -> DryRunView:
    counts = [CountsView(certification=certification_of(key), **kinds) for key, kinds in sorted(row["counts"].items())]
    return DryRunView.model_validate({**row, "run_id": row["_id"], "counts": counts})
