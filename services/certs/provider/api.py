"""The HTTP API about badges at a provider: for their candidates, and for staff who keep the two sides together."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from libs.common.clock import Clock
from libs.common.events.types import Identifier
from libs.common.http.models import View
from libs.common.http.paging import Cursor, Page, PageQuery
from libs.common.http.problems import CONFLICT, NOT_FOUND, Problem
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import CERTS_DECIDE, CERTS_READ, OPERATIONS_READ
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.programs import Program
from services.certs.policies import Policies
from services.certs.provider.chains import Link, again
from services.certs.provider.rows import LONG_AGO, chain_of, fields_of
from services.certs.provider.store import ProviderStore
from services.certs.store import CertsStore
from services.certs.views import CandidatePath, ProgramPath

_TROUBLES = Cursor("badge-troubles", str)
_STRAYS = Cursor("badge-strays", str)

Kind = Literal["refused", "revoked_there", "missing_there"]


class TroublePath(ProgramPath):
    trouble_id: Identifier


class TroublesQuery(PageQuery):
    kind: Annotated[
        Kind | None,
        Field(
            description="`refused`: the provider refuses a step for good; `revoked_there`: it has revoked a badge of a "
            "valid credential; `missing_there`: it does not have the badge any more"
        ),
    ] = None


class ProviderBadgeView(View):
    """A badge at the provider."""

    certification: str
    credential_id: str
    state: Annotated[
        Literal["waiting", "pending", "accepted", "rejected", "revoked", "missing"],
        Field(description="`waiting`: not there yet; `pending`: not accepted yet; `missing`: not there any more"),
    ]
    url: str | None
    """Its page at the provider."""
    since: datetime | None
    """When the provider said so."""


class ProviderBadgesView(View):
    items: list[ProviderBadgeView]


class ProviderView(View):
    """How the program's badge provider is doing."""

    on: bool
    failing_since: datetime | None
    failures: int
    """In a row."""
    silent_until: datetime | None
    """Until when nothing is sent."""
    error: str | None
    waiting: int
    """Badges about which something is to be sent or asked."""
    trouble: int
    """Badges that wait for a person."""
    compared_at: datetime | None
    """When the last comparison of everything began that has ended."""


class TroubleView(View):
    """A badge that waits for a person."""

    trouble_id: str
    kind: Kind
    candidate_id: str
    certification: str
    credential_id: str | None
    badge_id: str | None
    state: str | None
    """Of the badge at the provider."""
    text: str
    """What the provider says of a refusal."""
    since: datetime


class RetriedView(View):
    """A badge that is tried again."""

    trouble_id: str
    retried: bool


class StrayView(View):
    """A standing badge under a key of ours that we know nothing of."""

    badge_id: str
    key: str
    state: str
    seen_at: datetime


class ProviderApi:
    """Handlers of the routes below."""

    def __init__(  # noqa: PLR0917 parts
        self,
        store: ProviderStore,
        ledgers: CertsStore,
        policies: Policies,
        programs: Mapping[str, Program],
        unit_of_work: UnitOfWork,
        clock: Clock,
    ) -> None:
        self._store = store
        self._ledgers = ledgers
        self._policies = policies
        self._programs = programs
        self._unit_of_work = unit_of_work
        self._clock = clock

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        staff = "/programs/{program}/badge-provider"
        return (
            Route(
                method="GET",
                path="/programs/{program}/candidates/{candidate_id}/provider-badges",
                handler=self.list_provider_badges,
                summary="A candidate's badges at the program's provider",
                parameters=CandidatePath,
                response=ProviderBadgesView,
                scopes=CERTS_READ,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path=staff,
                handler=self.show_badge_provider,
                summary="How the program's badge provider is doing",
                parameters=ProgramPath,
                response=ProviderView,
                scopes=OPERATIONS_READ,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path=f"{staff}/troubles",
                handler=self.list_badge_troubles,
                summary="Badges that differ at the provider, or that it refuses",
                parameters=ProgramPath,
                query=TroublesQuery,
                response=Page[TroubleView],
                scopes=OPERATIONS_READ,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="POST",
                path=f"{staff}/troubles/{{trouble_id}}/retry",
                handler=self.retry_badge,
                summary="Try again: what was refused is sent once more, what is gone is issued anew",
                parameters=TroublePath,
                response=RetriedView,
                scopes=CERTS_DECIDE,
                errors=(NOT_FOUND, CONFLICT),
            ),
            Route(
                method="GET",
                path=f"{staff}/strays",
                handler=self.list_stray_badges,
                summary="Badges at the provider that bear a key of ours and that we know nothing of",
                parameters=ProgramPath,
                query=PageQuery,
                response=Page[StrayView],
                scopes=OPERATIONS_READ,
                errors=(NOT_FOUND,),
            ),
        )

    async def list_provider_badges(self, call: Call[CandidatePath]) -> ProviderBadgesView:
        program, candidate_id = call.path.program, call.path.candidate_id
        policy = await self._policies.entered(call.principal, program, candidate_id)
        if await self._ledgers.certifications(program, candidate_id) is None:
            raise Problem(NOT_FOUND)
        rows = await self._store.of_accounts(program, await self._ledgers.accounts(program, candidate_id))
        return ProviderBadgesView(items=[view for row in rows if (view := _shown(row, policy)) is not None])

    async def show_badge_provider(self, call: Call[ProgramPath]) -> ProviderView:
        policy = await self._policies.entered(call.principal, call.path.program)
        state, counts = await self._store.state(policy.id), await self._store.counts(policy.id)
        try_at = state["try_at"]
        return ProviderView(
            on=policy.badge_provider is not None,
            failing_since=state["failing_since"],
            failures=state["failures"],
            silent_until=try_at if try_at is not None and try_at > self._clock.now() else None,
            error=state["error"],
            waiting=counts["waiting"],
            trouble=counts["trouble"],
            compared_at=state["walked_at"],
        )

    async def list_badge_troubles(self, call: Call[ProgramPath, TroublesQuery]) -> Page[TroubleView]:
        policy, query = await self._policies.entered(call.principal, call.path.program), call.query
        rows = await self._store.troubled(policy.id, query.kind, _TROUBLES.decode(query.cursor), query.limit + 1)
        return _TROUBLES.page(Page[TroubleView], rows, query.limit, key=lambda row: str(row["_id"]), show=_trouble)

    async def list_stray_badges(self, call: Call[ProgramPath, PageQuery]) -> Page[StrayView]:
        policy, query = await self._policies.entered(call.principal, call.path.program), call.query
        rows = await self._store.strays(policy.id, _STRAYS.decode(query.cursor), query.limit + 1)
        return _STRAYS.page(
            Page[StrayView], rows, query.limit, key=lambda row: str(row["_id"]), show=StrayView.model_validate
        )

    async def retry_badge(self, call: Call[TroublePath]) -> RetriedView:
        policy = await self._policies.entered(call.principal, call.path.program)

        async def work(transaction: Transaction) -> None:
            row = await self._store.chain(transaction.session, call.path.trouble_id)
            if row is None or row["program"] != policy.id:
                raise Problem(NOT_FOUND)
            if row["trouble"] is None:
                raise Problem(CONFLICT, "nothing is wrong with it, or it is being tried already")
            row |= fields_of(again(chain_of(row)))
            row |= {"due_at": transaction.now, "lease_until": LONG_AGO, "trouble": None, "tries": 0}
            await self._store.save(transaction.session, row)

        await self._unit_of_work.run(work)
        return RetriedView(trouble_id=call.path.trouble_id, retried=True)


def _shown(row: Document, policy: Program) -> ProviderBadgeView | None:
    """The badge of the latest credential that has one, or is to have one."""
    chain = chain_of(row)
    link = next((one for one in reversed(chain.links) if one.badge is not None), None)
    wanted = chain.wanted
    provider = policy.badge_provider
    if wanted is not None and wanted.badge is None and row["due_at"] is not None and provider is not None:
        link = wanted if row["certification"] in provider.templates else link
    if link is None:
        return None
    badge = link.badge
    return ProviderBadgeView(
        certification=row["certification"],
        credential_id=link.credential_id,
        state=badge.state if badge else "waiting",
        url=badge.url if badge else None,
        since=badge.at if badge else None,
    )


def _trouble(row: Document) -> TroubleView:
    chain, trouble = chain_of(row), row["trouble"]
    link: Link | None = chain.wanted or (chain.links[-1] if chain.links else None)
    badge = link.badge if link is not None else None
    return TroubleView(
        trouble_id=row["_id"],
        kind=trouble["kind"],
        candidate_id=row["candidate_id"],
        certification=row["certification"],
        credential_id=link.credential_id if link else None,
        badge_id=badge.badge_id if badge else None,
        state=badge.state if badge else None,
        text=trouble["text"],
        since=trouble["since"],
    )
