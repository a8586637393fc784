"""Merging and separating accounts: identity on a real database, and all services together on real servers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from collections.abc import Mapping as Keyed
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from joserfc.jwk import OKPKey

from libs.common.casework.evidence import EvidenceStore
from libs.common.events import identity
from libs.common.field_keys import FieldKeys
from libs.common.http.auth import TokenVerifier
from libs.common.http.jwks import StaticKeys
from libs.common.http.principal import Kind, Principal
from libs.common.http.problems import Problem
from libs.common.http.server import build_app
from libs.common.http.tokens import sign
from libs.common.mongo.unit_of_work import Transaction
from libs.common.programs import Program
from services.certs.app import SERVICE as CERTS
from services.exams.app import SERVICE as EXAMS
from services.exams.store import ExamsStore
from services.fulfillment.app import SERVICE as FULFILLMENT
from services.fulfillment.store import FulfillmentStore
from services.identity.api import IdentityApi
from services.identity.app import SERVICE as IDENTITY
from services.identity.cases.acts import Acts
from services.identity.cases.candidate_api import CandidateCasesApi
from services.identity.cases.casework import Cases
from services.identity.cases.staff_api import StaffCasesApi
from services.identity.cases.store import CaseStore
from services.identity.claiming import Claiming
from services.identity.domain.one_time_codes import STEP_SECONDS, code_at
from services.identity.duplicates.api import DuplicatesApi
from services.identity.duplicates.comparing import Comparing
from services.identity.duplicates.store import DuplicateStore
from services.identity.mapping import Mapping
from services.identity.mapping_api import MappingApi
from services.identity.mapping_store import MappingStore
from services.identity.merge_api import MergeApi
from services.identity.merge_store import MergeStore
from services.identity.merging import MERGE_REFUSED, Merging
from services.identity.profile_api import ProfileApi
from services.identity.profiles import Profiles
from services.identity.registration_store import RegistrationStore
from services.identity.store import IdentityStore
from services.notify.app import SERVICE as NOTIFY
from tests.service.conftest import OpenBase
from tests.service.rig import ERASURE_KEY, Base, Rigs, eventually, kept_answers, open_base, said
from tests.service.samples import letter, registration, reported, result
from tests.service.test_identity import PASSWORD, Identity, open_service
from tests.service.world import World

SCOPES = frozenset({"accounts:manage", "profile:read", "operations:read"})
KEY = OKPKey.generate_key("Ed25519", parameters={"kid": "k1"})
CHANGES = (
    identity.CandidatesMerged,
    identity.CandidatesSeparated,
    identity.ExternalIdLinked,
    identity.ExternalIdUnlinked,
)


Ask = Callable[..., Awaitable[tuple[int, Any]]]


def staff(program: str = "cisco") -> Principal:
    return Principal("staff:1", Kind.STAFF, frozenset({program}), SCOPES)


class KilledError(Exception):
    """Stands for the death of a process."""


class Mortal(Merging):
    """A process that dies between two steps."""

    steps_left = 99

    async def _step(self, transaction: Transaction, *, merge_id: str) -> dict[str, Any]:
        if not self.steps_left:
            raise KilledError
        self.steps_left -= 1
        return await super()._step(transaction, merge_id=merge_id)


class Torn(Merging):
    """A process that dies within a step, when everything is written and nothing is committed."""

    steps_left = 99

    async def _step(self, transaction: Transaction, *, merge_id: str) -> dict[str, Any]:
        row = await super()._step(transaction, merge_id=merge_id)
        if not self.steps_left:
            raise KilledError
        self.steps_left -= 1
        return row


@dataclass
class People:
    """Identity with what merges accounts."""

    base: Base
    identity: Identity
    merging: Merging
    programs: dict[str, Program]

    def process(self, kind: type[Merging] = Merging) -> Any:
        mapping = Mapping(MappingStore(self.base.database), self.identity.store)
        return kind(
            MergeStore(self.base.database), self.identity.store, mapping, self.base.unit_of_work, self.base.clock
        )

    async def account(self, person: str, program: str = "cisco") -> str:
        await self.identity.take(reported(registration(person), program=program))
        (row,) = await self.base.rows("external_ids", _id=f"{program}:vue:{person}")
        return str(row["candidate_id"])

    async def merge(self, source: str, into: str, merge_id: str = "M1") -> dict[str, Any]:
        return await self.merging.merge(
            merge_id, program="cisco", source=source, into=into, by="staff:1", reason="one person"
        )

    async def reverse(self, merge_id: str = "M1") -> dict[str, Any]:
        return await self.merging.reverse(merge_id, program="cisco", by="staff:2", reason="two persons")

    async def owners(self) -> dict[str, str | None]:
        return {row["external_id"]: row["candidate_id"] for row in await self.base.rows("external_ids")}

    @asynccontextmanager
    async def asking(self, callers: Keyed[str, Principal]) -> AsyncIterator[Ask]:
        """Asks the API below a program, as any of the callers."""
        store = self.identity.store
        routes = (
            *MergeApi(store, self.merging).routes(),
            *MappingApi(self.claiming()).routes(),
            *CandidateCasesApi(self.cases()).routes(),
            *StaffCasesApi(self.cases()).routes(),
            *self.profiles().routes(),
            *DuplicatesApi(self.duplicates, store, self.base.unit_of_work, self.base.clock).routes(),
        )
        app = build_app(
            IdentityApi(store).api(routes),
            TokenVerifier(StaticKeys(KEY), "certrail", self.base.clock),
            idempotency=kept_answers(self.base.database, self.base.clock),
        )
        async with TestClient(TestServer(app)) as client:

            async def ask(who: str, method: str, path: str, body: Any = None, key: str = "") -> tuple[int, Any]:
                now, lifetime = self.base.clock.now(), timedelta(minutes=5)
                token = sign(callers[who], KEY, issuer="certrail", token_id="t", now=now, lifetime=lifetime)
                headers = {"Authorization": f"Bearer {token}"} | ({"Idempotency-Key": key} if key else {})
                url = f"/api/identity/v1/programs/cisco/{path}"
                answer = await client.request(method, url, json=body, headers=headers)
                return answer.status, await answer.json()

            yield ask

    @property
    def duplicates(self) -> DuplicateStore:
        return DuplicateStore(self.base.database)

    async def compare(self) -> None:
        """Have all accounts compared that came or changed."""
        await Comparing(self.duplicates, self.programs, self.base.clock).run()

    def profiles(self) -> ProfileApi:
        profiles = Profiles(self.identity.store, self.base.unit_of_work)
        return ProfileApi(self.identity.store, profiles, self.programs, self.base.clock)

    def claiming(self) -> Claiming:
        database = self.base.database
        mapping = Mapping(MappingStore(database), self.identity.store)
        return Claiming(RegistrationStore(database), self.cases(), mapping, self.base.unit_of_work)

    def cases(self) -> Cases:
        database, store = self.base.database, self.identity.store
        return Cases(
            CaseStore(database),
            EvidenceStore(database, "case_evidence", FieldKeys(ERASURE_KEY)),
            store,
            Acts(store, Mapping(MappingStore(database), store), self.merging),
            unit_of_work=self.base.unit_of_work,
            programs=self.programs,
            clock=self.base.clock,
        )

    def told(self) -> list[tuple[str, str, str]]:
        """Type, candidate and id of what was said since the accounts were opened."""
        events = [event for model in CHANGES for event in self.identity.said(model)]
        return [
            (
                event["type"].split(".")[-2],
                event["data"]["candidate_id"],
                event["data"].get("external_id") or event["data"]["merge_id"],
            )
            for event in events
            if event["data"].get("verified_by") != "registration" or event["data"].get("merge_id")
        ]


@pytest.fixture
async def people(base_of: OpenBase, programs: dict[str, Program]) -> AsyncIterator[People]:
    async with base_of("identity") as base:
        people = People(base, open_service(base, programs), Merging.__new__(Merging), programs)
        people.merging = people.process()
        yield people


async def test_merge_moves_the_ids_tells_it_and_keeps_the_old_id_working(people: People) -> None:
    one, two = await people.account("P1"), await people.account("P2")
    done = await people.merge(one, two)
    assert (done["state"], await people.owners()) == ("done", {"P1": two, "P2": two})
    assert people.told() == [("CandidatesMerged", two, "M1"), ("ExternalIdLinked", two, "P1")]
    (moved,) = await people.base.rows("external_ids", external_id="P1")
    (before,) = moved["history"]
    assert (before["candidate_id"], before["verified_by"], before["ended_by"]) == (one, "registration", "staff:1")
    standing = await people.identity.store.standing("cisco", one)
    assert standing is not None
    assert (standing["_id"], standing["merged_from"]) == (two, [one])


async def test_login_of_the_old_id_opens_the_account_that_goes_on(people: People) -> None:
    one, two = await people.account("P1"), await people.account("P2")
    token = people.identity.said(identity.AccessRequested)[0]["data"]["token"]
    await people.identity.changes.by_link(token, PASSWORD)

    async def opened() -> str:
        proof = await people.identity.access.prove("cisco", one, PASSWORD)
        return str(proof.account["_id"])

    assert await opened() == one
    await people.merge(one, two)
    assert await opened() == two
    await people.reverse()
    assert await opened() == one


async def test_old_id_opens_the_other_account_only_with_its_second_factor(people: People) -> None:
    """A login that asks for no code must not become a way around the one that does."""
    one, two = await people.account("P1"), await people.account("P2")
    await people.identity.changes.by_link(people.identity.said(identity.AccessRequested)[0]["data"]["token"], PASSWORD)
    secret = b"0123456789abcdefghij"
    await people.base.database["second_factors"].insert_one({"_id": two, "secret": secret, "step": 0, "recovery": []})
    access = people.identity.access
    await access.prove("cisco", one, PASSWORD)
    await people.merge(one, two)
    with pytest.raises(Problem) as refused:
        await access.prove("cisco", one, PASSWORD)
    assert refused.value.kind.code == "second-factor-needed"
    code = code_at(secret, int(people.base.clock.now().timestamp()) // STEP_SECONDS)
    assert (await access.prove("cisco", one, PASSWORD, code)).account["_id"] == two


async def test_versions_grow_over_logins_and_merges_alike(people: People) -> None:
    """A password that changes between two steps is told by another part of identity, in the same order."""
    one, two = await people.account("P1"), await people.account("P2")
    people.base.clock.advance(timedelta(seconds=1))
    token = people.identity.said(identity.AccessRequested)[1]["data"]["token"]
    await people.identity.changes.by_link(token, PASSWORD)
    current = {"_id": "S1", "candidate_id": two}
    people.base.clock.advance(timedelta(seconds=1))
    await people.identity.changes.in_session(current, f"{PASSWORD} again")
    people.base.clock.advance(timedelta(seconds=1))
    await people.merge(one, two)
    about = [event for event in said(people.base) if event["subject"] == two]
    versions = [int(event["subjectversion"]) for event in about]
    assert "PasswordChanged" in about[3]["type"]
    assert versions == sorted(set(versions))


async def test_reversal_gives_back_exactly_what_the_merge_moved(people: People) -> None:
    one, two = await people.account("P1"), await people.account("P2")
    before = await people.owners()
    await people.merge(one, two)
    assert (await people.reverse())["state"] == "reversed"
    assert await people.owners() == before
    for account in (one, two):
        standing = await people.identity.store.standing("cisco", account)
        assert standing is not None
        assert (standing["_id"], standing.get("merged_from", [])) == (account, [])
    again = await people.reverse()
    assert again["reversed_by"] == "staff:2"
    assert len(people.identity.said(identity.CandidatesSeparated)) == 1
    (row,) = await people.base.rows("external_ids", external_id="P1")
    assert [was["candidate_id"] for was in row["history"]] == [one, two]
    moments = [was["since"] for was in row["history"]] + [row["since"]]
    assert moments == sorted(set(moments)), "the later word on an id has the later moment, also by a clock that stands"


async def test_id_that_staff_have_given_to_the_survivor_since_stays_there(people: People) -> None:
    one, two, third = await people.account("P1"), await people.account("P2"), await people.account("P3")
    await people.merge(one, two)
    for to in (third, two):
        await people.claiming().change(
            "cisco", system="vue", external_id="P1", to=to, reason="seen the report", by="staff:1"
        )
    await people.reverse()
    assert await people.owners() == {"P1": two, "P2": two, "P3": third}


async def test_id_that_staff_have_moved_since_stays_where_it_is(people: People) -> None:
    one, two, third = await people.account("P1"), await people.account("P2"), await people.account("P3")
    await people.merge(one, two)
    mapping = people.process()._mapping

    async def move(transaction: Transaction) -> None:
        (row,) = await mapping.store.some(transaction.session, ["cisco:vue:P1"])
        await mapping.point(transaction, row, third, verified_by="staff", by="staff:1", reason="was never theirs")

    await people.base.unit_of_work.run(move)
    await people.reverse()
    assert await people.owners() == {"P1": third, "P2": two, "P3": third}


@pytest.mark.parametrize("kind", [Mortal, Torn])
@pytest.mark.parametrize("steps", [0, 1])
async def test_merge_that_died_half_way_is_finished_by_another_process(
    people: People, steps: int, kind: type[Merging]
) -> None:
    one, two = await people.account("P1"), await people.account("P2")
    dying = people.process(kind)
    dying.steps_left = steps
    with pytest.raises(KilledError):
        await dying.merge("M1", program="cisco", source=one, into=two, by="staff:1", reason="one person")
    (stopped,) = await people.base.rows("merges")
    assert stopped["state"] == ("requested", "announced")[steps]
    with pytest.raises(Problem):
        await people.reverse()
    await people.merging.resume()
    assert (await people.base.rows("merges"))[0]["state"] == stopped["state"], "whoever began it is left some time"
    people.base.clock.advance(Merging.PATIENCE + timedelta(seconds=1))
    await asyncio.gather(people.merging.resume(), people.process().resume())
    (row,) = await people.base.rows("merges")
    assert row["state"] == "done"
    assert await people.owners() == {"P1": two, "P2": two}
    assert people.told() == [("CandidatesMerged", two, "M1"), ("ExternalIdLinked", two, "P1")]


async def test_merge_asked_for_again_is_the_same_merge(people: People) -> None:
    one, two = await people.account("P1"), await people.account("P2")
    await asyncio.gather(*(people.merge(one, two) for _ in range(5)))
    assert len(await people.base.rows("merges")) == 1
    assert len(people.told()) == 2


async def test_what_cannot_be_merged_is_refused_with_the_reason(people: People) -> None:
    one, two, third = [await people.account(person) for person in ("P1", "P2", "P3")]
    juniper = await people.account("P9", "juniper")

    async def refused(source: str, into: str) -> str:
        with pytest.raises(Problem) as problem:
            await people.merge(source, into, f"{source}-{into}")
        return problem.value.detail or problem.value.kind.code

    assert "into itself" in await refused(one, one)
    assert await refused(one, juniper) == "not-found"
    await people.merge(one, two)
    assert f"was merged into {two} before" in await refused(one, third)
    assert "merge into that one" in await refused(third, one)
    assert "undo that first" in await refused(two, third)
    assert len(await people.base.rows("merges")) == 1
    await people.merge(third, two, "M3")
    await people.reverse()
    assert await people.owners() == {"P1": one, "P2": two, "P3": two, "P9": juniper}
    assert (await people.merge(one, two, "M4"))["state"] == "done"


async def test_merges_at_the_same_moment_never_make_a_chain_or_a_ring(people: People) -> None:
    accounts = [await people.account(f"P{n}") for n in range(3)]
    pairs = [(a, b) for a in accounts for b in accounts if a != b]
    await asyncio.gather(*(people.merge(a, b, f"{a}-{b}") for a, b in pairs), return_exceptions=True)
    ended = {row["merged_id"] for row in await people.base.rows("merges")}
    went_on = {row["candidate_id"] for row in await people.base.rows("merges")}
    assert ended
    assert not ended & went_on


async def test_merging_over_http(people: People) -> None:
    one, two = await people.account("P1"), await people.account("P2")
    callers = {
        "staff": staff(),
        "other": staff("juniper"),
        "me": Principal(
            f"candidate:{two}", Kind.CANDIDATE, frozenset({"cisco"}), frozenset({"profile:read"}), candidate_id=two
        ),
    }
    async with people.asking(callers) as ask:
        body = {"from": one, "into": two, "reason": "one person"}
        preview = f"merges/preview?from={one}&into={two}"
        assert (await ask("other", "GET", preview))[0] == 404
        assert (await ask("me", "GET", preview))[0] == 403
        assert (await ask("me", "POST", "merges", body))[0] == 403
        assert (await ask("other", "POST", "merges", body))[0] == 404
        status, seen = await ask("staff", "GET", preview)
        assert (status, seen["refusal"]) == (200, None)
        assert (seen["score"], seen["reasons"]) == (0.444, ["name", "country"])
        assert seen["merged"]["profile"]["external_ids"][0]["external_id"] == "P1"
        assert seen["survivor"]["holds"] == f"/api/certs/v1/programs/cisco/candidates/{two}/certifications"
        (status, first), (_, second) = [await ask("staff", "POST", "merges", body, "key-of-this-merge") for _ in "12"]
        assert (status, first["state"], first["by"], second) == (201, "done", "staff:1", first)
        assert (await ask("staff", "GET", preview))[1]["refusal"]
        status, problem = await ask("staff", "POST", "merges", body)
        assert (status, problem["type"]) == (409, MERGE_REFUSED.urn)
        for path in (one, two):
            status, me = await ask("me", "GET", f"candidates/{path}")
            assert (status, me["candidate_id"], me["merged_from"]) == (200, two, [one])
        merge = f"merges/{first['merge_id']}"
        assert (await ask("other", "GET", merge))[0] == 404
        assert (await ask("other", "POST", f"{merge}/reversal", {"reason": "no"}))[0] == 404
        with pytest.raises(Problem):
            await people.merging.reverse(first["merge_id"], program="juniper", by="staff:2", reason="no")
        status, undone = await ask("staff", "POST", f"{merge}/reversal", {"reason": "two persons"})
        assert (status, undone["state"], undone["reversal_reason"]) == (200, "reversed", "two persons")
        assert (await ask("me", "GET", f"candidates/{one}"))[0] == 404


async def test_merge_and_reversal_leave_every_service_consistent(world: World, rigs: Rigs) -> None:
    """A wrong merge of two persons, results that arrive during it, and its reversal."""
    bus, clock, program = world.bus, world.clock, "cisco"
    async with AsyncExitStack() as stack:
        for service in (IDENTITY, EXAMS, CERTS, FULFILLMENT, NOTIFY):
            await stack.enter_async_context(world.running(service))
        rig = await stack.enter_async_context(rigs("identity"))
        await stack.enter_async_context(rig.relaying())
        bases = {
            name: await stack.enter_async_context(open_base(name, world.mongo.url(name), clock))
            for name in ("exams", "certs", "fulfillment", "notify")
        }
        exams_store = ExamsStore(bases["exams"].database)
        benefits = FulfillmentStore(bases["fulfillment"].database)
        accounts = IdentityStore(rig.database)
        mapping = Mapping(MappingStore(rig.database), accounts)
        merging = Merging(MergeStore(rig.database), accounts, mapping, rig.unit_of_work, clock)

        async def held(candidate: str) -> set[str]:
            rows = await bases["certs"].rows("candidates", _id=candidate)
            return {entry["certification"] for row in rows for entry in row["certifications"]}

        async def attempts(candidate: str) -> set[str]:
            rows = await exams_store.history(program, candidate, before=None, limit=9)
            return {row["result_id"] for row in rows}

        async def kits(candidate: str) -> list[str]:
            rows = await benefits.offers(program, candidate, clock.now(), after=None, limit=9)
            return sorted(one.offer.certification for one, _ in rows)

        async def mails(candidate: str) -> list[str]:
            rows = await bases["notify"].rows("messages", candidate_id=candidate, template="exam_failed")
            return [row["_id"] for row in rows]

        for person in ("P1", "P2"):
            await bus.send(letter(registration(person, f"G-{person}")))
            await bus.send(letter(result(person, f"R-{person}")))
        rows = await eventually(lambda: rig.rows("external_ids"), lambda rows: len(rows) == 2)
        one, two = (row["candidate_id"] for row in rows)
        for account in (one, two):
            await eventually(lambda account=account: kits(account), lambda found: found == ["CCNA"])
        await merging.merge("M1", program=program, source=one, into=two, by="staff:1", reason="one person")
        await eventually(lambda: bases["exams"].rows("links", _id="cisco:vue:P1", candidate_id=two), bool)
        for name in ("exams", "fulfillment", "notify"):
            await eventually(lambda name=name: bases[name].rows("merges"), bool)
        await bus.send(letter(result("P1", "R-during", exam_code="200-201")))
        await bus.send(letter(result("P1", "R-failed", exam_code="350-401", grade="fail")))
        await eventually(lambda: kits(two), lambda found: found == ["CCNA", "CCNA-Cybersecurity"])
        assert await held(two) == {"CCNA", "CCNA-Cybersecurity"}
        await eventually(lambda: attempts(two), lambda found: found == {"R-P1", "R-P2", "R-during", "R-failed"})
        assert await attempts(one) == await attempts(two)
        assert await kits(one) == await kits(two), "one person, one kit a certification"
        await eventually(lambda: mails(two), lambda found: len(found) == 1)

        clock.advance(timedelta(seconds=1))
        await merging.reverse("M1", program=program, by="staff:1", reason="two persons")
        await eventually(lambda: held(one), lambda found: found == {"CCNA", "CCNA-Cybersecurity"})
        await eventually(lambda: bases["exams"].rows("links", _id="cisco:vue:P1", candidate_id=one), bool)
        await eventually(lambda: attempts(one), lambda found: found == {"R-P1", "R-during", "R-failed"})
        await eventually(lambda: attempts(two), lambda found: found == {"R-P2"})
        await eventually(lambda: kits(one), lambda found: found == ["CCNA", "CCNA-Cybersecurity"])
        await eventually(lambda: held(two), lambda found: found == {"CCNA"})
        for name in ("fulfillment", "notify"):
            await eventually(lambda name=name: bases[name].rows("merges", separated_at={"$exists": True}), bool)
        await bus.send(letter(result("P1", "R-after", exam_code="350-401", grade="fail")))
        await eventually(lambda: mails(one), lambda found: len(found) >= 1)
        assert await rig.rows("external_ids", candidate_id=one, external_id="P1")
