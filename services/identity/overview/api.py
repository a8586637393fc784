"""The HTTP API of the overview of a candidate."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from urllib.parse import quote

from pydantic import Field

from libs.common.clock import Clock
from libs.common.http.models import View
from libs.common.http.problems import NOT_FOUND, Problem
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import OPERATIONS_READ, PROFILE_READ
from libs.common.mongo.client import Document
from services.identity.api import CandidatePath, ExternalIdView, entered
from services.identity.merge_api import MergeView
from services.identity.overview.store import OverviewStore, Surroundings
from services.identity.profile_api import AddressView, MailTroubleView, NativeNameView
from services.identity.reachability import trouble_of
from services.identity.store import IdentityStore

_ELSEWHERE: Final[Mapping[str, str]] = {
    "results": "exams/v1/programs/{}/candidates/{}/results",
    "appointments": "exams/v1/programs/{}/candidates/{}/appointments",
    "certifications": "certs/v1/programs/{}/candidates/{}/certifications",
    "progress": "certs/v1/programs/{}/candidates/{}/progress",
    "history": "certs/v1/programs/{}/candidates/{}/history",
    "credits": "certs/v1/programs/{}/candidates/{}/credits",
    "decisions": "certs/v1/programs/{}/candidates/{}/decisions",
    "offers": "fulfillment/v1/programs/{}/candidates/{}/offers",
    "messages": "notify/v1/programs/{}/candidates/{}/messages",
    "suppression": "notify/v1/programs/{}/candidates/{}/suppression",
    "audit": "identity/v1/programs/{}/audit?candidate={}",
}
"""What other services have to say, below `/api`."""


ViewReason = Literal["item", "asked", "colleague", "check", "misuse"]


class FormerNameView(View):
    given_name: str
    family_name: str
    native_name: NativeNameView | None = None
    until: datetime


class AccessView(View):
    """How the candidate gets in, and whether they can."""

    activated_at: datetime | None
    """Null means "not activated": no password was ever set."""
    locked_until: datetime | None
    """Set while wrong passwords keep everybody out."""
    second_factor_since: datetime | None
    """Null where logins ask for the password alone."""
    open_sessions: int


class CaseLine(View):
    case_id: str
    reference: str | None = None
    """What people read out on the phone."""
    kind: str
    state: str
    opened_at: datetime


class OverviewView(View):
    """A candidate at a glance. Lists begin with the latest, and hold fifty at most."""

    candidate_id: str
    program: str
    asked_for: str
    """The ID that was asked for; another than `candidate_id` where that account was merged into this one."""
    given_name: str
    family_name: str
    native_name: NativeNameView | None = None
    former_names: list[FormerNameView]
    email: str
    mail_trouble: MailTroubleView | None
    country: str
    language: str | None = None
    time_zone: str | None = None
    address: AddressView | None = None
    employer: str | None = None
    job_title: str | None = None
    created_at: datetime
    access: AccessView
    external_ids: list[ExternalIdView]
    merged_from: list[str]
    merges: list[MergeView]
    cases: list[CaseLine]
    links: dict[str, str]
    """Where the rest stands, by what it is; ask with the same token."""


class ViewPath(CandidatePath):
    why: Annotated[
        ViewReason,
        Field(
            description="`item`: something that waits for staff led there; `asked`: the candidate asks, by phone or "
            "mail; `colleague`: somebody of staff asks; `check`: data or a decision is checked; `misuse`: misuse is "
            "looked into"
        ),
    ]


class OverviewApi:
    """Handlers of the routes below."""

    def __init__(self, accounts: IdentityStore, store: OverviewStore, clock: Clock) -> None:
        self._accounts = accounts
        self._store = store
        self._clock = clock

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (
            Route(
                method="GET",
                path="/programs/{program}/candidates/{candidate_id}/view",
                handler=self.show_overview,
                summary="A candidate at a glance, for staff",
                parameters=CandidatePath,
                response=OverviewView,
                scopes=OPERATIONS_READ | PROFILE_READ,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="POST",
                path="/programs/{program}/candidates/{candidate_id}/views/{why}",
                handler=self.give_reason,
                summary="Say why staff look at a candidate; it stands in the audit log",
                parameters=ViewPath,
                response=None,
                status=204,
                scopes=OPERATIONS_READ | PROFILE_READ,
                errors=(NOT_FOUND,),
            ),
        )

    async def give_reason(self, call: Call[ViewPath]) -> None:
        # The record of this call is all that is kept of it: the reason is part of its path, as ids are.
        if await self._accounts.standing(entered(call), call.path.candidate_id) is None:
            raise Problem(NOT_FOUND)

    async def show_overview(self, call: Call[CandidatePath]) -> OverviewView:
        account = await self._accounts.standing(entered(call), call.path.candidate_id)
        if account is None:
            raise Problem(NOT_FOUND)
        now = self._clock.now()
        return _view(account, call.path.candidate_id, await self._store.around(account, now), now)


def _view(account: Document, asked_for: str, around: Surroundings, now: datetime) -> OverviewView:
    program, candidate_id = account["program"], account["_id"]
    locked = account["locked_until"]
    access = AccessView(
        activated_at=account["activated_at"],
        locked_until=locked if locked and locked > now else None,
        second_factor_since=(around.second_factor or {}).get("since"),
        open_sessions=around.open_sessions,
    )
    where = (quote(program, safe=""), quote(candidate_id, safe=""))
    shown = {
        **account,
        "candidate_id": candidate_id,
        "asked_for": asked_for,
        "former_names": account.get("former_names", [])[::-1],
        "access": access,
        "mail_trouble": trouble_of(account),
        "external_ids": around.external_ids,
        "merged_from": account.get("merged_from", []),
        "merges": [{**row, "merge_id": row["_id"]} for row in around.merges],
        "cases": [{**row, "case_id": row["_id"]} for row in around.cases],
        "links": {name: f"/api/{path.format(*where)}" for name, path in _ELSEWHERE.items()},
    }
    return OverviewView.model_validate(shown)
