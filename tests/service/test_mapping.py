"""Whose a partner's id is: claimed with proofs, decided by staff, never moved silently, nothing overwritten."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from libs.common.events import identity
from libs.common.events.vendors import VendorCandidate
from libs.common.http.principal import Kind, Principal
from libs.common.http.problems import Problem
from libs.common.ids import new_id
from libs.common.programs import Program
from services.identity.cases.casework import MOST_OPEN
from services.identity.merging import Merging
from tests.service.conftest import OpenBase
from tests.service.samples import registration, reported
from tests.service.test_identity import PASSWORD, open_service
from tests.service.test_merging import People, staff


@pytest.fixture
async def people(base_of: OpenBase, programs: dict[str, Program]) -> AsyncIterator[People]:
    async with base_of("identity") as base:
        people = People(base, open_service(base, programs), Merging.__new__(Merging), programs)
        people.merging = people.process()
        yield people


async def claim(people: People, candidate: str, registration_id: str = "G1", external_id: str = "P1") -> bool:
    """Whether the id is theirs at once."""
    case = await people.claiming().claim(
        "cisco",
        candidate,
        case_id=new_id(),
        system="vue",
        external_id=external_id,
        registration_id=registration_id,
        by=f"candidate:{candidate}",
    )
    return case is None


async def change(people: People, to: str | None, reason: str = "not theirs") -> dict[str, Any]:
    return await people.claiming().change("cisco", system="vue", external_id="P1", to=to, reason=reason, by="staff:1")


async def activate(people: People) -> None:
    for event in people.identity.said(identity.AccessRequested):
        if await people.base.rows("candidates", _id=event["data"]["candidate_id"], activated_at=None):
            await people.identity.changes.by_link(event["data"]["token"], PASSWORD)


async def test_claim_with_agreeing_proofs_links_at_once(people: People) -> None:
    one = await people.account("P1")
    await activate(people)
    await change(people, None)
    assert await people.owners() == {"P1": None}
    assert await claim(people, one)
    assert await claim(people, one), "again it is simply theirs"
    assert await people.base.rows("cases") == []
    (row,) = await people.base.rows("external_ids")
    assert (row["candidate_id"], row["verified_by"]) == (one, "claim")
    assert [(was["candidate_id"], was["ended_by"], was["reason"]) for was in row["history"]] == [
        (one, "staff:1", "not theirs")
    ]
    assert [name for name, *_ in people.told()] == ["ExternalIdLinked", "ExternalIdUnlinked"]


@pytest.mark.parametrize("lack", ["registration", "e-mail", "activation", "another id's registration"])
async def test_claim_that_lacks_a_proof_opens_a_case_and_links_nothing(people: People, lack: str) -> None:
    one, two = await people.account("P1"), await people.account("P2")
    if lack != "activation":
        await activate(people)
    await change(people, None)
    if lack == "another id's registration":
        await people.identity.take(reported(registration("P3", "G3", candidate=_person("p1@example.com"))))
    candidate = two if lack == "e-mail" else one
    proof = {"registration": "G-unknown", "another id's registration": "G3"}.get(lack, "G1")
    assert not await claim(people, candidate, proof)
    assert not await claim(people, candidate, proof)
    (case,) = await people.base.rows("cases")
    assert (case["kind"], case["state"], case["candidate_id"]) == ("mapping", "open", candidate)
    assert (await people.owners())["P1"] is None


def _person(email: str) -> VendorCandidate:
    return VendorCandidate(given_name="A", family_name="B", email=email, country="SE")


async def test_conflicting_claims_never_move_an_id(people: People) -> None:
    one, two = await people.account("P1"), await people.account("P2")
    await people.identity.take(reported(registration("P1", "G2", candidate=_person("p2@example.com"))))
    await activate(people)
    assert not any(await asyncio.gather(*(claim(people, two, "G2") for _ in range(10))))
    assert (await people.owners())["P1"] == one
    (case,) = await people.base.rows("cases")
    assert (case["kind"], case["details"]["held_by"]) == ("mapping", one)


async def test_two_with_proofs_for_one_free_id_at_the_same_moment(people: People) -> None:
    one, two = await people.account("P1"), await people.account("P2")
    await people.identity.take(reported(registration("P1", "G2", candidate=_person("p2@example.com"))))
    await activate(people)
    await change(people, None)
    won = await asyncio.gather(claim(people, one, "G1"), claim(people, two, "G2"))
    assert sorted(won) == [False, True]
    (case,) = await people.base.rows("cases")
    assert case["details"]["held_by"] == (one if won[0] else two)
    assert (await people.owners())["P1"] == (one if won[0] else two)


async def test_id_that_was_claimed_and_let_go_can_be_claimed_again_at_once(people: People) -> None:
    one = await people.account("P1")
    for _ in range(2):
        assert not await claim(people, one, external_id="X1")
        (case,) = await people.base.rows("cases", closed=False)
        await people.cases().withdraw(case, by=f"candidate:{one}")
    assert len(await people.base.rows("cases")) == 2


async def test_ids_cannot_be_tried_out_without_end(people: People) -> None:
    one = await people.account("P1")
    for n in range(MOST_OPEN):
        assert not await claim(people, one, external_id=f"X{n}")
    with pytest.raises(Problem) as refused:
        await claim(people, one, external_id="X-more")
    assert refused.value.kind.code == "conflict"


async def test_staff_decide_cases_and_see_the_history(people: People) -> None:
    one, two = await people.account("P1"), await people.account("P2")
    scopes = frozenset({"profile:read", "profile:write"})
    callers = {
        "staff": staff(),
        "other": staff("juniper"),
        "two": Principal(f"candidate:{two}", Kind.CANDIDATE, frozenset({"cisco"}), scopes, candidate_id=two),
    }
    body = {"system": "vue", "external_id": "P1", "registration_id": "G1"}
    async with people.asking(callers) as ask:
        assert (await ask("two", "POST", f"candidates/{one}/external-ids", body))[0] == 404
        status, taken = await ask("two", "POST", f"candidates/{two}/external-ids", body)
        free = body | {"external_id": "P-nobody"}
        assert (status, taken["state"]) == (200, "in_review")
        status, other = await ask("two", "POST", f"candidates/{two}/external-ids", free)
        assert (status, other["state"]) == (200, "in_review")
        forged = body | {"system": "vue:P1"}
        assert (await ask("two", "POST", f"candidates/{two}/external-ids", forged))[0] == 422
        _, mine = await ask("two", "GET", f"candidates/{two}/cases/{taken['case_id']}")
        _, nobodys = await ask("two", "GET", f"candidates/{two}/cases/{other['case_id']}")
        assert mine.keys() == nobodys.keys(), "whose it is stays hidden"
        assert one not in str(mine)
        assert (await ask("two", "GET", "cases"))[0] == 403
        assert (await ask("other", "GET", "cases"))[0] == 404
        conflict, plain = f"cases/{taken['case_id']}", f"cases/{other['case_id']}"
        assert (await ask("staff", "GET", conflict))[1]["held_by"] == one
        assert (await ask("staff", "GET", plain))[1]["held_by"] is None
        assert (await ask("two", "POST", f"{conflict}/decision", {"decision": "accept", "reason": "mine"}))[0] == 403
        assert (await ask("other", "POST", f"{conflict}/decision", {"decision": "accept", "reason": "x"}))[0] == 404
        with pytest.raises(Problem):
            await people.cases().decide(
                "juniper",
                taken["case_id"],
                decision_id="D1",
                accept=False,
                other=None,
                reason="another program's",
                by="staff:2",
            )
        seen_report = {"decision": "accept", "reason": "report seen"}
        status, linked = await ask("staff", "POST", f"{conflict}/decision", seen_report)
        assert (status, linked["state"]) == (200, "accepted")
        again = {"decision": "accept", "reason": "again"}
        assert (await ask("staff", "POST", f"{conflict}/decision", again))[1] == linked
        no = {"decision": "refuse", "reason": "no"}
        assert (await ask("staff", "POST", f"{conflict}/decision", no))[0] == 409
        assert (await ask("staff", "POST", f"{plain}/decision", no))[1]["state"] == "refused"
        assert (await ask("staff", "GET", "cases"))[1]["items"] == []
        _, seen = await ask("staff", "GET", "external-ids?system=vue&external_id=P1")
        assert (seen["candidate_id"], seen["verified_by"], seen["by"]) == (two, "case", "staff:1")
        assert [(was["candidate_id"], was["reason"]) for was in seen["history"]] == [(one, "report seen")]
        assert (await ask("other", "GET", "external-ids?system=vue&external_id=P1"))[0] == 404
        move = {"system": "vue", "external_id": "P1", "to": one, "reason": "it was theirs"}
        assert (await ask("two", "POST", "external-ids/changes", move))[0] == 403
        assert (await ask("other", "POST", "external-ids/changes", move))[0] == 404
        status, back = await ask("staff", "POST", "external-ids/changes", move)
        assert (status, back["candidate_id"], len(back["history"])) == (200, one, 2)
        assert (await ask("staff", "POST", "external-ids/changes", move | {"to": "CSCO-NOBODY"}))[0] == 404


async def test_id_moved_to_a_merged_account_goes_to_the_one_that_goes_on(people: People) -> None:
    one, two, third = [await people.account(person) for person in ("P1", "P2", "P3")]
    await people.merge(two, third)
    assert (await change(people, two))["candidate_id"] == third
    assert one not in (await people.owners()).values()


async def test_registration_under_an_unlinked_id_opens_no_account(people: People) -> None:
    await people.account("P1")
    await change(people, None)
    await people.identity.take(reported(registration("P1", "G9")))
    assert len(await people.base.rows("candidates")) == 1
    assert await people.owners() == {"P1": None}


async def test_hundred_registrations_of_one_person_at_once_make_one_account(people: People) -> None:
    await asyncio.gather(*(people.identity.take(reported(registration("P1", f"G{n}"))) for n in range(100)))
    assert len(await people.base.rows("candidates")) == 1
    assert len(await people.base.rows("registrations")) == 100


async def test_two_programs_share_an_address_and_stay_apart(people: People) -> None:
    cisco, juniper = await people.account("P1"), await people.account("P1", "juniper")
    assert cisco != juniper
    await activate(people)
    await change(people, None)
    assert not await people.base.rows("external_ids", candidate_id=cisco)
    assert await people.base.rows("external_ids", candidate_id=juniper)
    with pytest.raises(Problem):
        await claim(people, juniper)
    with pytest.raises(Problem):
        await change(people, juniper)


async def test_similar_accounts_are_suggested_to_the_programs_staff(people: People) -> None:
    one = await people.account("P1")
    same = VendorCandidate(given_name="ANGSTROM", family_name="Zoe", email="P1@example.com", country="SE")
    other = VendorCandidate(given_name="Bob", family_name="Fox", email="bob@example.com", country="US")
    namesake = VendorCandidate(given_name="Zoe", family_name="Angstrom", email="z@example.com", country="SE")
    for person, who in (("P2", same), ("P3", other), ("P4", namesake)):
        await people.identity.take(reported(registration(person, f"G-{person}", candidate=who)))
    await people.account("P1", "juniper")
    (two, _, four) = [row["candidate_id"] for row in await people.base.rows("external_ids", program="cisco")][1:]
    async with people.asking({"staff": staff(), "other": staff("juniper")}) as ask:
        path = f"candidates/{one}/similar"
        assert (await ask("other", "GET", path))[0] == 404
        _, found = await ask("staff", "GET", path)
        assert [(item["candidate_id"], item["reasons"]) for item in found["items"]] == [
            (two, ["email", "name", "country"]),
            (four, ["name", "country"]),
        ]
        await people.compare()
        _, pairs = await ask("staff", "GET", "suspected-duplicates")
        assert [(pair["one"]["candidate_id"], pair["other"]["candidate_id"]) for pair in pairs["items"]] == [(one, two)]
        assert (pairs["items"][0]["reasons"], pairs["more"]) == (["email", "name", "country"], False)
        await people.merge(two, one)
        _, found = await ask("staff", "GET", f"candidates/{two}/similar")
        assert [item["candidate_id"] for item in found["items"]] == [four]
        _, pairs = await ask("staff", "GET", "suspected-duplicates")
        assert pairs["items"] == [], "they are one now"
