"""Identity on a real database: one account a person, links that work once, and no answer that tells who exists."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from argon2 import PasswordHasher

from libs.common.bus.messages import Received
from libs.common.candidate_ids import is_candidate_id
from libs.common.clock import FixedClock
from libs.common.events import identity
from libs.common.field_keys import FieldKeys
from libs.common.http.problems import Problem
from libs.common.programs import Program
from services.identity.access import Access
from services.identity.consumers import ACTIVATION_LASTS, VendorMessages
from services.identity.domain.lockout import FREE_TRIES, LONGEST
from services.identity.login.breached import Breached
from services.identity.login.even_refusals import EvenRefusals
from services.identity.login.password_changes import PasswordChanges
from services.identity.login.password_policy import PasswordPolicy
from services.identity.login.problems import LINK_INVALID
from services.identity.login.second_factor import SecondFactors
from services.identity.login.second_factor_store import SecondFactorStore
from services.identity.login.session_store import SessionStore
from services.identity.passwords import Passwords
from services.identity.registration_store import RegistrationStore
from services.identity.store import IdentityStore
from tests.service.conftest import OpenBase
from tests.service.rig import ERASURE_KEY, Base, said
from tests.service.samples import registration, reported

PASSWORD = "correct horse battery staple"
WRONG = "incorrect horse battery staple"


@dataclass
class Identity:
    """The service's handler and its door."""

    base: Base
    store: IdentityStore
    access: Access
    changes: PasswordChanges
    handler: VendorMessages

    @property
    def clock(self) -> FixedClock:
        return self.base.clock

    async def take(self, *items: Received[Any]) -> None:
        await self.base.handle(self.handler.handle, *items)

    def said(self, model: type[Any]) -> list[dict[str, Any]]:
        return [event for event in said(self.base) if event["type"] == model.event_type]

    async def account(self) -> tuple[str, str]:
        """A new person's candidate ID and the token of the link in their first mail."""
        await self.take(reported(registration()))
        (event,) = self.said(identity.AccessRequested)
        return event["data"]["candidate_id"], event["data"]["token"]

    async def enters(self, login: str, password: str) -> bool:
        """Whether a login succeeds; a refusal must be the one and only kind there is."""
        try:
            await self.access.prove("cisco", login, password)
        except Problem as refused:
            assert refused.kind.code == "unauthenticated"  # noqa: PT017 the other outcome is no error
            return False
        return True


@pytest.fixture
async def service(base_of: OpenBase, programs: dict[str, Program]) -> AsyncIterator[Identity]:
    async with base_of("identity") as base:
        yield open_service(base, programs)


async def _at_once(_seconds: float) -> None:
    """Nobody in these tests looks at a watch."""


def open_service(base: Base, programs: dict[str, Program]) -> Identity:
    store = IdentityStore(base.database)
    passwords = Passwords()
    factors = SecondFactors(SecondFactorStore(base.database, FieldKeys(ERASURE_KEY)), base.unit_of_work, base.clock)
    access = Access(store, passwords, factors, programs, base.clock, even_refusals=EvenRefusals(wait=_at_once))
    policy = PasswordPolicy(Breached(), programs)
    changes = PasswordChanges(
        store, SessionStore(base.database), base.unit_of_work, passwords=passwords, policy=policy, clock=base.clock
    )
    # The same kind of hash at the least cost: what is tested is when it is computed, not how slowly.
    passwords._hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    return Identity(base, store, access, changes, VendorMessages(store, RegistrationStore(base.database), programs))


async def test_registration_makes_an_account_and_says_all_that_follows(service: Identity) -> None:
    await service.take(reported(registration("P1")))
    (candidate,) = await service.base.rows("candidates")
    assert is_candidate_id(candidate["_id"], "CSCO", 8)
    (registered,), (linked,), (access,) = (
        service.said(model)
        for model in (identity.CandidateRegistered, identity.ExternalIdLinked, identity.AccessRequested)
    )
    assert {event["subject"] for event in (registered, linked, access)} == {candidate["_id"]}
    assert (registered["data"]["family_name"], registered["data"]["email"]) == ("Ångström", "p1@example.com")
    assert (linked["data"]["system"], linked["data"]["external_id"]) == ("vue", "P1")
    assert access["data"]["reason"] == "activation"
    versions = [event["subjectversion"] for event in (registered, linked, access)]
    assert versions == sorted(set(versions))


@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "one by one"])
async def test_every_further_registration_of_a_person_finds_the_account(service: Identity, together: bool) -> None:
    several = [reported(registration("P1", f"G{n}")) for n in range(4)]
    if together:
        await service.take(*several, several[0])
    else:
        for one in (*several, several[0]):
            await service.take(one)
    assert len(await service.base.rows("candidates")) == 1
    assert len(service.said(identity.CandidateRegistered)) == 1


async def test_same_number_at_another_vendor_or_program_is_another_person(service: Identity) -> None:
    await service.take(
        reported(registration("P1")),
        reported(registration("P1"), vendor="psi"),
        reported(registration("P1", exam_code="JN0-105"), program="juniper"),
    )
    candidates = await service.base.rows("candidates")
    assert sorted(row["program"] for row in candidates) == ["cisco", "cisco", "juniper"]
    assert sorted(row["_id"][:3] for row in candidates) == ["CSC", "CSC", "JPR"]


async def test_two_workers_with_the_same_stranger_make_one_account(
    service: Identity, base_of: OpenBase, programs: dict[str, Program]
) -> None:
    async with base_of("identity") as second:
        other = open_service(second, programs)
        for n in range(15):
            await asyncio.gather(
                service.take(reported(registration(f"P{n}", "G1"))), other.take(reported(registration(f"P{n}", "G2")))
            )
        assert len(await service.base.rows("candidates")) == 15
        assert len(await service.base.rows("external_ids")) == 15
        registered = service.said(identity.CandidateRegistered) + other.said(identity.CandidateRegistered)
        assert len(registered) == 15


async def test_a_hundred_registrations_of_one_person_at_once_make_one_account(
    service: Identity, base_of: OpenBase, programs: dict[str, Program]
) -> None:
    async with base_of("identity") as second:
        workers = service, open_service(second, programs)
        letters = [reported(registration("P1", f"G{n}")) for n in range(100)]
        await asyncio.gather(*(workers[n % 2].take(letter) for n, letter in enumerate(letters)))
        assert len(await service.base.rows("candidates")) == 1
        assert sum(len(worker.said(identity.CandidateRegistered)) for worker in workers) == 1
        assert sum(len(worker.said(identity.AccessRequested)) for worker in workers) == 1


async def test_numbers_are_never_given_twice(service: Identity) -> None:
    await asyncio.gather(*(service.take(reported(registration(f"P{n}"))) for n in range(20)))
    ids = [row["_id"] for row in await service.base.rows("candidates")]
    assert len(set(ids)) == 20
    assert all(is_candidate_id(one, "CSCO", 8) for one in ids)


async def test_link_activates_once(service: Identity) -> None:
    candidate_id, token = await service.account()
    await service.changes.by_link(token, PASSWORD)
    assert await service.enters(candidate_id, PASSWORD)
    with pytest.raises(Problem) as refused:
        await service.changes.by_link(token, "another password altogether")
    assert refused.value.kind == LINK_INVALID
    assert await service.enters(candidate_id, PASSWORD)
    assert not await service.enters(candidate_id, "another password altogether")


async def test_link_used_twice_at_the_same_moment_activates_once(service: Identity) -> None:
    _, token = await service.account()
    outcomes = await asyncio.gather(
        *(service.changes.by_link(token, PASSWORD) for _ in range(4)), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes if outcome is not None] == [Problem] * 3


async def test_link_expires(service: Identity) -> None:
    candidate_id, token = await service.account()
    service.clock.advance(ACTIVATION_LASTS + timedelta(seconds=1))
    with pytest.raises(Problem) as refused:
        await service.changes.by_link(token, PASSWORD)
    assert refused.value.kind == LINK_INVALID
    assert not await service.enters(candidate_id, PASSWORD)


async def test_database_holds_no_link_that_works(service: Identity) -> None:
    _, token = await service.account()
    stored = str([await service.base.rows(name) for name in ("links", "candidates", "external_ids")])
    assert token not in stored


async def test_account_without_a_password_cannot_be_entered(service: Identity) -> None:
    candidate_id, _ = await service.account()
    for password in ("", PASSWORD, "no account has this password"):
        assert not await service.enters(candidate_id, password)


@pytest.mark.parametrize("login", ["P1@Example.COM", " p1@example.com "])
async def test_login_takes_id_or_address_in_any_case(service: Identity, login: str) -> None:
    candidate_id, token = await service.account()
    await service.changes.by_link(token, PASSWORD)
    assert await service.enters(login, PASSWORD)
    assert await service.enters(candidate_id.lower(), PASSWORD)


async def test_account_rests_longer_after_each_wrong_password_and_opens_after(service: Identity) -> None:
    candidate_id, token = await service.account()
    await service.changes.by_link(token, PASSWORD)
    for _ in range(FREE_TRIES):
        assert not await service.enters(candidate_id, WRONG)
    assert not await service.enters(candidate_id, PASSWORD)
    service.clock.advance(timedelta(minutes=1, seconds=1))
    assert not await service.enters(candidate_id, WRONG)
    service.clock.advance(timedelta(minutes=1, seconds=1))
    assert not await service.enters(candidate_id, PASSWORD), "the second rest is longer than the first"
    service.clock.advance(LONGEST)
    assert await service.enters(candidate_id, PASSWORD)
    assert not await service.enters(candidate_id, WRONG)
    assert await service.enters(candidate_id, PASSWORD)


async def test_guesses_at_the_same_moment_are_all_counted(service: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    candidate_id, token = await service.account()
    await service.changes.by_link(token, PASSWORD)
    (account,) = await service.base.rows("candidates")
    looked_at: list[str] = []
    matches = service.access._passwords.matches

    async def counted(stored: str | None, password: str) -> bool:
        if stored == account["password"]:
            looked_at.append(password)
        return await matches(stored, password)

    monkeypatch.setattr(service.access._passwords, "matches", counted)
    guesses = [f"{WRONG} {n}" for n in range(4 * FREE_TRIES)]
    assert not any(await asyncio.gather(*(service.enters(candidate_id, guess) for guess in guesses)))
    assert len(looked_at) == FREE_TRIES
    assert not await service.enters(candidate_id, PASSWORD)


async def test_answer_is_the_same_for_every_cause(service: Identity) -> None:
    candidate_id, token = await service.account()
    await service.changes.by_link(token, PASSWORD)
    answers = set()
    for login in (candidate_id, "CSCO00000000", "nobody@example.com"):
        with pytest.raises(Problem) as refused:
            await service.access.prove("cisco", login, WRONG)
        answers.add((refused.value.kind, refused.value.detail))
    for _ in range(FREE_TRIES):
        await service.enters(candidate_id, WRONG)
    with pytest.raises(Problem) as resting:
        await service.access.prove("cisco", candidate_id, PASSWORD)
    answers.add((resting.value.kind, resting.value.detail))
    assert len(answers) == 1


async def test_unknown_login_costs_a_password_check_like_a_known_one(
    service: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    candidate_id, token = await service.account()
    await service.changes.by_link(token, PASSWORD)
    passwords = service.access._passwords
    checks: list[str] = []
    verify = passwords._verify

    async def counted(stored: str, password: str) -> bool:
        checks.append(stored)
        return await verify(stored, password)

    monkeypatch.setattr(passwords, "_verify", counted)
    for login in (candidate_id, "nobody@example.com"):
        assert not await service.enters(login, WRONG)
    assert len(checks) == 2
    assert len(set(checks)) == 2


async def test_account_of_one_program_does_not_open_another(service: Identity) -> None:
    candidate_id, token = await service.account()
    await service.changes.by_link(token, PASSWORD)
    with pytest.raises(Problem):
        await service.access.prove("juniper", candidate_id, PASSWORD)
    assert await service.store.candidate("juniper", candidate_id) is None
