"""The HTTP API for looking beyond today: what is missing, what was, and what would be.

Everything here is derived anew from the ledger's facts by the same `evaluate` that decides, and changes nothing.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from libs.common.accounts import survivor
from libs.common.clock import Clock
from libs.common.events.types import Identifier
from libs.common.http.models import Day
from libs.common.http.paging import Cursor, Page, PageQuery
from libs.common.http.problems import INVALID, NOT_FOUND, Problem, invalid
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import CERTS_READ, OPERATIONS_READ, PROGRAMS_MANAGE
from libs.common.mongo.client import Document
from libs.common.programs import Program
from services.certs.cases import Case, CaseError, answer, read_inputs
from services.certs.domain.chain import chain
from services.certs.domain.evaluate import evaluate, moment
from services.certs.domain.facts import CreditFact, Fact
from services.certs.domain.history import history
from services.certs.domain.merges import LINKS, ends
from services.certs.domain.milestones import coming, reached
from services.certs.domain.progress import progress
from services.certs.domain.renewals import renewals
from services.certs.domain.rule_words import defined
from services.certs.domain.whatif import Assumption, what_if
from services.certs.ledger import facts_at, facts_on, stored_facts
from services.certs.milestone_views import MilestonesView, milestones_view
from services.certs.outlook_views import (
    FlaggedView,
    HistoryView,
    ProgressView,
    RenewalsView,
    SeenView,
    SimulationBody,
    SimulationView,
    WhatIfBody,
    WhatIfView,
    flagged_view,
    goal_view,
    history_view,
    renewal_view,
    seen_view,
    what_if_view,
)
from services.certs.policies import Policies
from services.certs.reasons_views import ReasonsView, reasons_view
from services.certs.store import CertsStore
from services.certs.views import CandidatePath, ProgramPath

FARTHEST = timedelta(days=366 * 30)
"""A plan may look so far ahead."""

WAITED_FOR = timedelta(days=90)
"""A plan may count on what happened so long ago and is not known yet: a result on its way, credits not yet claimed."""

_FLAGGED = Cursor("flagged", str)

T = TypeVar("T")


class DayPath(CandidatePath):
    day: Day


class HeldPath(CandidatePath):
    certification: Identifier


class OutlookApi:
    """Handlers of the routes below."""

    def __init__(self, store: CertsStore, policies: Policies, clock: Clock) -> None:
        self._store = store
        self._policies = policies
        self._clock = clock

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        candidate = "/programs/{program}/candidates/{candidate_id}"
        return (
            Route(
                method="GET",
                path=f"{candidate}/progress",
                handler=self.show_progress,
                summary="What is missing for each certification, and when a pass in hand stops counting",
                parameters=CandidatePath,
                response=ProgressView,
                scopes=CERTS_READ,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path=f"{candidate}/milestones",
                handler=self.list_milestones,
                summary="Which milestones are reached by years without a gap, and which comes next",
                parameters=CandidatePath,
                response=MilestonesView,
                scopes=CERTS_READ,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path=f"{candidate}/renewals",
                handler=self.list_renewals,
                summary="How each certification that expires can be renewed, the cheapest way first",
                parameters=CandidatePath,
                response=RenewalsView,
                scopes=CERTS_READ,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="POST",
                path=f"{candidate}/what-if",
                handler=self.try_assumptions,
                summary="What would follow from passes or credits on days to come",
                parameters=CandidatePath,
                body=WhatIfBody,
                response=WhatIfView,
                scopes=CERTS_READ,
                asks=True,
                errors=(NOT_FOUND, INVALID),
            ),
            Route(
                method="GET",
                path=f"{candidate}/certifications/as-seen-on/{{day}}",
                handler=self.show_as_seen_on,
                summary="What a verifier would have seen on a day, with every reason",
                parameters=DayPath,
                response=SeenView,
                scopes=CERTS_READ,
                errors=(NOT_FOUND, INVALID),
            ),
            Route(
                method="GET",
                path=f"{candidate}/certifications/{{certification}}/reasons",
                handler=self.show_reasons,
                summary="Why a certification is what it is: facts with since when they are known, then rules",
                parameters=HeldPath,
                response=ReasonsView,
                scopes=CERTS_READ,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path=f"{candidate}/history",
                handler=self.show_history,
                summary="All that ever happened: when it took effect, when it was known, and whether it was withdrawn",
                parameters=CandidatePath,
                response=HistoryView,
                scopes=CERTS_READ,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path="/programs/{program}/flags",
                handler=self.list_flagged,
                summary="Candidates with facts that a person should look at",
                parameters=ProgramPath,
                query=PageQuery,
                response=Page[FlaggedView],
                scopes=OPERATIONS_READ,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="POST",
                path="/programs/{program}/simulations",
                handler=self.simulate,
                summary="What the policy in force makes of histories that are nobody's",
                parameters=ProgramPath,
                body=SimulationBody,
                response=SimulationView,
                scopes=PROGRAMS_MANAGE,
                audited=False,
                errors=(NOT_FOUND, INVALID),
            ),
        )

    async def show_progress(self, call: Call[CandidatePath]) -> ProgressView:
        policy, facts, today = await self._opened(call)
        goals = await _apart(lambda: progress(policy, facts, today))
        goals.sort(key=lambda goal: not goal.in_hand)
        return ProgressView(as_of=today, goals=[goal_view(goal) for goal in goals])

    async def list_milestones(self, call: Call[CandidatePath]) -> MilestonesView:
        policy, row = await self._ledger(call)
        today = self._today(policy)
        standing = await _apart(lambda: evaluate(policy, facts_on(row, policy, today), today))
        milestones = policy.policy.milestones
        return milestones_view(
            row["_id"] if row else call.path.candidate_id,
            policy,
            standing.as_of,
            reached(milestones, standing),
            coming(milestones, standing),
        )

    async def list_renewals(self, call: Call[CandidatePath]) -> RenewalsView:
        policy, facts, today = await self._opened(call)
        found = await _apart(lambda: renewals(policy, facts, today))
        fees = policy.policy.fees
        return RenewalsView(
            as_of=today, currency=fees.currency if fees else None, renewals=[renewal_view(each) for each in found]
        )

    async def try_assumptions(self, call: Call[CandidatePath, Any, WhatIfBody]) -> WhatIfView:
        policy, facts, today = await self._opened(call)
        assumptions = [
            Assumption(each.on or today, each.exam, each.credits, each.submission, each.held_until)
            for each in call.body.assume
        ]
        for number, each in enumerate(assumptions):
            _check_assumption(f"body.assume.{number}", each, policy, facts, today)
        return what_if_view(await _apart(lambda: what_if(policy, facts, assumptions, today)))

    async def show_as_seen_on(self, call: Call[DayPath]) -> SeenView:
        current, row = await self._ledger(call)
        if call.path.day > self._today(current):
            raise invalid("path.day", "day", "nobody has seen that day yet")
        row = await self._stood_for(call, row, moment(call.path.day, ZoneInfo(current.time_zone))[1])
        facts = facts_on(row, current, call.path.day)
        end = datetime.combine(call.path.day + timedelta(days=1), time.min, ZoneInfo(current.time_zone))
        policy = await self._policies.in_force_at(current.id, end)
        standing = await _apart(lambda: evaluate(policy, facts, call.path.day))
        return seen_view(row["_id"] if row else call.path.candidate_id, policy, standing)

    async def show_reasons(self, call: Call[HeldPath]) -> ReasonsView:
        policy, row = await self._ledger(call)
        today = self._today(policy)
        facts = facts_on(row, policy, today)
        standing = await _apart(lambda: evaluate(policy, facts, today))
        entry = standing.certifications.get(call.path.certification)
        if row is None or entry is None:
            raise Problem(NOT_FOUND)
        certification = defined(policy, entry, facts, today)
        return reasons_view(row["_id"], policy, today, entry, chain(entry, facts), certification=certification)

    async def show_history(self, call: Call[CandidatePath]) -> HistoryView:
        policy, row = await self._ledger(call)
        if row is None:
            return HistoryView(candidate_id=call.path.candidate_id, lines=[])
        policies = await self._policies.timeline(policy.id)
        lines = await _apart(lambda: history(stored_facts(row), partial(facts_at, row), policies, self._clock.now()))
        return history_view(row["_id"], lines)

    async def list_flagged(self, call: Call[ProgramPath, PageQuery]) -> Page[FlaggedView]:
        policy = await self._policy(call)
        after = _FLAGGED.decode(call.query.cursor)
        rows = await self._store.flagged(policy.id, after=after, limit=call.query.limit + 1)
        return _FLAGGED.page(
            Page[FlaggedView], rows, call.query.limit, key=lambda row: str(row["_id"]), show=flagged_view
        )

    async def simulate(self, call: Call[ProgramPath, Any, SimulationBody]) -> SimulationView:
        policy = await self._policy(call)
        today = self._today(policy)
        return SimulationView(answers=await _apart(lambda: _simulated(policy, call.body.cases, today)))

    async def _policy(self, call: Call[Any, Any, Any]) -> Program:
        return await self._policies.entered(call.principal, call.path.program)

    async def _ledger(self, call: Call[Any, Any, Any]) -> tuple[Program, Document | None]:
        """The policy, and the ledger of who stands for the candidate now; none where nothing is known."""
        policy = await self._policies.entered(call.principal, call.path.program, call.path.candidate_id)
        return policy, await self._store.ledger(policy.id, call.path.candidate_id)

    async def _stood_for(self, call: Call[DayPath], now: Document | None, known_until: datetime) -> Document | None:
        """The ledger of who stood for the candidate at a moment, where the caller may see that one too.

        A merge that was undone is no leave to look at a stranger: what both were taken for is shown to staff, and to
        the one who was shown it then.
        """
        if now is None or "kin" not in now:
            return now
        links = [fact for fact in stored_facts(now) if isinstance(fact, LINKS) and fact.known_at <= known_until]
        then = survivor(call.path.candidate_id, ends(links))
        if then == now["_id"]:
            return now
        if then != call.path.candidate_id:
            call.principal.require(call.path.program, then)
        return await self._store.own_ledger(call.path.program, then)

    async def _opened(self, call: Call[Any, Any, Any]) -> tuple[Program, list[Fact], date]:
        """The policy, the candidate's facts, and the program's day. One without facts yet is no error."""
        policy, row = await self._ledger(call)
        today = self._today(policy)
        return policy, facts_on(row, policy, today), today

    def _today(self, policy: Program) -> date:
        return policy.day_of(self._clock.now())


def _check_assumption(path: str, each: Assumption, policy: Program, facts: Sequence[Fact], today: date) -> None:
    if not today - WAITED_FOR <= each.on <= today + FARTHEST:
        raise invalid(f"{path}.on", "day", "must be a day of the last ninety days or of the next thirty years")
    if each.exam is not None and policy.find_exam(each.exam) is None:
        raise invalid(f"{path}.exam", "unknown_exam", f"{policy.id} has no such exam")
    claims = {fact.claim_id for fact in facts if isinstance(fact, CreditFact)}
    if each.claim is not None and each.claim not in claims:
        raise invalid(f"{path}.submission", "unknown", "there is no such claim of credits")
    if each.held_until is not None:
        rules = policy.policy.credits
        if rules is None or not rules.may_be_held:
            raise invalid(f"{path}.held_until", "not_allowed", f"{policy.name} lets no credits be held")
        if not today <= each.held_until <= today + FARTHEST:
            raise invalid(f"{path}.held_until", "day", "must be today or a day of the next thirty years")


async def _apart(work: Callable[[], T]) -> T:
    """Run what may take tens of milliseconds where it holds up no other request."""
    return await asyncio.to_thread(work)


def _simulated(policy: Program, rows: Sequence[dict[str, Any]], today: date) -> list[dict[str, Any]]:
    answers = []
    for number, row in enumerate(rows):
        try:
            case = Case.model_validate(row)
            facts = read_inputs(case.inputs, policy)
        except CaseError as error:
            raise invalid(f"body.cases.{number}", "case", str(error)[:500]) from None
        except ValueError:
            raise invalid(f"body.cases.{number}", "case", "needs `inputs`, and `as_of` as a date") from None
        if case.program not in (None, policy.id):
            raise invalid(
                f"body.cases.{number}.program", "program", f"it is a case of another program than {policy.id}"
            )
        answers.append(answer(case, policy, evaluate(policy, facts, case.as_of or today), facts))
    return answers
