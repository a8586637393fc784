"""The HTTP API of the certification agreement: its text, and its acceptance by candidates."""

from datetime import date
from typing import Any

from libs.common.clock import Clock
from libs.common.events import certs
from libs.common.events.types import Code
from libs.common.http.models import Body, View
from libs.common.http.principal import Kind
from libs.common.http.problems import CONFLICT, FORBIDDEN, NOT_FOUND, Problem
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import CERTS_CLAIM, CERTS_READ
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.programs import Program
from libs.common.programs.policy import Agreement
from services.certs.domain.facts import AgreementFact, Fact
from services.certs.ledger import facts_at
from services.certs.ledgers import Ledgers
from services.certs.policies import Policies
from services.certs.store import CertsStore
from services.certs.views import CandidatePath, ProgramPath


class AgreementView(View):
    version: str
    title: str
    text: str
    required: bool
    """Whether an award waits for its acceptance."""


class AcceptedView(View):
    version: str | None
    """Null where an older system recorded no version."""
    accepted_on: date


class CandidateAgreementView(AgreementView):
    """The present text, and what the candidate has accepted."""

    accepted: bool
    """Whether the present version is."""
    acceptances: list[AcceptedView]


class Acceptance(Body):
    version: Code
    """Of the text that the candidate has read."""


class AgreementApi:
    """Handlers of the routes below."""

    def __init__(
        self, store: CertsStore, ledgers: Ledgers, policies: Policies, unit_of_work: UnitOfWork, clock: Clock
    ) -> None:
        self._store = store
        self._ledgers = ledgers
        self._policies = policies
        self._unit_of_work = unit_of_work
        self._clock = clock

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (
            Route(
                method="GET",
                path="/programs/{program}/agreement",
                handler=self.show_agreement,
                summary="The certification agreement in force",
                parameters=ProgramPath,
                response=AgreementView,
                scopes=CERTS_READ,
                audited=False,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path="/programs/{program}/candidates/{candidate_id}/agreement",
                handler=self.show_acceptance,
                summary="The agreement in force, and what the candidate has accepted",
                parameters=CandidatePath,
                response=CandidateAgreementView,
                scopes=CERTS_READ,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="POST",
                path="/programs/{program}/candidates/{candidate_id}/agreement/acceptance",
                handler=self.accept_agreement,
                summary="Accept the agreement in force; what was earned meanwhile is awarded",
                parameters=CandidatePath,
                body=Acceptance,
                response=CandidateAgreementView,
                scopes=CERTS_CLAIM,
                errors=(NOT_FOUND, FORBIDDEN, CONFLICT),
                idempotent=True,
            ),
        )

    async def show_agreement(self, call: Call[ProgramPath]) -> AgreementView:
        agreement = _stated(await self._policies.entered(call.principal, call.path.program))
        return AgreementView(**_text(agreement))

    async def show_acceptance(self, call: Call[CandidatePath]) -> CandidateAgreementView:
        path = call.path
        policy = await self._policies.entered(call.principal, path.program, path.candidate_id)
        row = await self._store.ledger(policy.id, path.candidate_id)
        return _view(_stated(policy), facts_at(row, self._clock.now()) if row else [])

    async def accept_agreement(self, call: Call[CandidatePath, Any, Acceptance]) -> CandidateAgreementView:
        path = call.path
        policy = await self._policies.entered(call.principal, path.program, path.candidate_id)
        agreement = _stated(policy)
        if call.principal.kind is not Kind.CANDIDATE:
            raise Problem(FORBIDDEN, "only the candidate accepts the agreement")
        if call.body.version != agreement.version:
            raise Problem(CONFLICT, f"version {agreement.version} is in force: show that one first")

        async def work(transaction: Transaction) -> CandidateAgreementView:
            opened = await self._ledgers.open(transaction, [(policy.id, path.candidate_id)])
            ledger = opened[policy.id, path.candidate_id]
            if not _accepted(agreement, ledger.facts):
                today = policy.day_of(transaction.now)
                ledger.add(
                    AgreementFact(ledger.next_moment(transaction.now), today, agreement.version), transaction, None
                )
                said = certs.AgreementAccepted(
                    candidate_id=path.candidate_id, agreement=agreement.version, accepted_on=today
                )
                ledger.say(said, transaction, None)
                await self._ledgers.save(transaction, [ledger])
            return _view(agreement, ledger.facts)

        return await self._unit_of_work.run(work)


def _stated(policy: Program) -> Agreement:
    agreement = policy.policy.agreement
    if agreement is None:
        raise Problem(NOT_FOUND, f"{policy.name} has no agreement")
    return agreement


def _acceptances(facts: list[Fact]) -> list[AgreementFact]:
    return [fact for fact in facts if isinstance(fact, AgreementFact) and fact.accepted_on is not None]


def _accepted(agreement: Agreement, facts: list[Fact]) -> bool:
    return any(fact.version == agreement.version for fact in _acceptances(facts))


def _text(agreement: Agreement) -> dict[str, Any]:
    return {
        "version": agreement.version,
        "title": agreement.title,
        "text": agreement.text,
        "required": agreement.required,
    }


def _view(agreement: Agreement, facts: list[Fact]) -> CandidateAgreementView:
    return CandidateAgreementView(
        **_text(agreement),
        accepted=_accepted(agreement, facts),
        acceptances=[
            AcceptedView(version=fact.version, accepted_on=fact.accepted_on)
            for fact in _acceptances(facts)
            if fact.accepted_on is not None
        ],
    )
