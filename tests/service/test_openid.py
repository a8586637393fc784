"""Signing in with a certified provider: who comes in, into which account, and what must be proved first."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import pytest_asyncio

from libs.common.events import identity
from libs.common.events.vendors import VendorCandidate
from libs.common.mongo.client import Document, Session
from libs.common.programs import Program
from services.identity.login.sessions import FRESH
from services.identity.openid.federated_id import FederatedId
from services.identity.openid.linking import Linking
from services.identity.openid.signing_in import ATTEMPT_LASTS, PENDING_LASTS
from services.identity.store import IdentityStore
from tests.nodes import needs_node
from tests.service.identity_station import PASSWORD, WRONG, IdentityStation
from tests.service.node_provider import SECRET, Browser, NodeProvider, open_browser
from tests.service.openid_visit import Visit, begin, claims, code_of, offer, prove, signed_in, visit, with_phone
from tests.service.test_second_factor import STEP

pytestmark = needs_node

PEOPLE = {
    "ada": {"email": "P1@example.com", "email_verified": True},
    "ada|of the same mailbox": {"email": "p1@example.com", "email_verified": True},
    "unverified": {"email": "p1@example.com", "email_verified": False},
    "said to be verified": {"email": "p1@example.com", "email_verified": "true"},
    "looks alike": {"email": "stra\u00dfe@example.com", "email_verified": True},
    "silent": {},
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def provider() -> AsyncIterator[NodeProvider]:
    async with NodeProvider(PEOPLE).running() as provider:
        yield provider


@pytest.fixture
def programs(programs: dict[str, Program], provider: NodeProvider) -> dict[str, Program]:
    programs = dict(programs)
    for program in ("cisco", "juniper"):
        offer(programs, provider.given(program), program)
    return programs


@pytest.fixture
def identity_settings(tmp_path: Path) -> dict[str, Any]:
    secrets = tmp_path / "openid-secrets.json"
    secrets.write_text(json.dumps({"cisco": SECRET, "juniper": SECRET}))
    return {"openid_secrets_file": secrets}


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with open_browser() as browser:
        yield browser


async def link_rows(station: IdentityStation) -> list[tuple[str, str | None, str | None]]:
    rows = await station.base.rows("external_ids", system="acmeid")
    return [(row["external_id"], row["candidate_id"], row["verified_by"]) for row in rows]


async def whose(station: IdentityStation, visited: Visit) -> str:
    """Whose account a visit opens."""
    return str(claims((await signed_in(await visited.finish()))["access_token"])["candidate_id"])


async def pending_of(visited: Visit) -> str:
    status, given = await visited.finish()
    assert (status, given["state"], given["tokens"]) == (200, "account_needed", None)
    return str(given["pending"])


async def test_verified_address_opens_the_one_account_that_has_it_and_activates_it(
    station: IdentityStation, browser: Browser
) -> None:
    candidate_id = await station.register()
    given = await signed_in(await (await visit(station, browser, "ada")).finish())
    said = claims(given["access_token"])
    assert (said["candidate_id"], said["acr"], said["programs"]) == (candidate_id, "federated", ["cisco"])
    status, account = await station.ask("GET", f"/programs/cisco/candidates/{candidate_id}", given["access_token"])
    assert status == 200
    assert account["activated_at"] is not None
    assert await link_rows(station) == [("ada", candidate_id, "openid-email")]
    (linked,) = [event for event in station.said(identity.ExternalIdLinked) if event["data"]["system"] == "acmeid"]
    assert (linked["data"]["candidate_id"], linked["data"]["external_id"]) == (candidate_id, "ada")
    assert (await station.activate(station.tokens_for(candidate_id)[-1]))[0] == 410, "links from before have ended"
    status, _ = await station.ask("POST", "/tokens", grant_type="refresh_token", refresh_token=given["refresh_token"])
    assert status == 200


async def test_known_id_opens_its_account_whatever_the_address_has_become(
    station: IdentityStation, browser: Browser
) -> None:
    candidate_id = await station.open_account()
    assert await whose(station, await visit(station, browser, "ada")) == candidate_id
    await station.register("P2", registration_id="G2", candidate=_with_address("p1@example.com"))
    async with open_browser() as another:
        assert await whose(station, await visit(station, another, "ada")) == candidate_id
    assert len(await link_rows(station)) == 1


def _with_address(email: str) -> VendorCandidate:
    return VendorCandidate(given_name="Bo", family_name="Ek", email=email, country="SE")


@pytest.mark.parametrize("person", ["unverified", "said to be verified", "silent"])
async def test_address_that_nobody_vouches_for_opens_nothing(
    station: IdentityStation, browser: Browser, person: str
) -> None:
    await station.open_account()
    await pending_of(await visit(station, browser, person))
    assert await link_rows(station) == []


async def test_address_that_only_looks_like_an_accounts_opens_nothing(
    station: IdentityStation, browser: Browser
) -> None:
    await station.open_account(candidate=_with_address("strasse@example.com"))
    await pending_of(await visit(station, browser, "looks alike"))
    assert await link_rows(station) == []


async def test_nobody_with_the_address_makes_no_account(station: IdentityStation, browser: Browser) -> None:
    await pending_of(await visit(station, browser, "ada"))
    assert await station.base.rows("candidates") == []


async def test_shared_address_has_its_owner_say_whose_account_it_is(station: IdentityStation, browser: Browser) -> None:
    one = await station.open_account()
    two = await station.open_account("P2", registration_id="G2", candidate=_with_address("p1@example.com"))
    pending = await pending_of(await visit(station, browser, "ada"))
    given = await signed_in(await prove(station, pending, login=two, password=PASSWORD))
    assert claims(given["access_token"])["candidate_id"] == two
    assert await link_rows(station) == [("ada", two, "openid-password")]
    assert code_of(await prove(station, pending, login=one, password=PASSWORD)) == (410, "sign-in-invalid")


async def test_account_is_linked_once_its_password_is_known(station: IdentityStation, browser: Browser) -> None:
    candidate_id = await station.open_account()
    pending = await pending_of(await visit(station, browser, "unverified"))
    assert code_of(await prove(station, pending, login=candidate_id, password=WRONG)) == (401, "unauthenticated")
    assert code_of(await prove(station, pending, code="123456")) == (422, "invalid-request")
    assert code_of(await prove(station, pending, "juniper", login=candidate_id, password=PASSWORD)) == (
        410,
        "sign-in-invalid",
    )
    assert await link_rows(station) == []
    await signed_in(await prove(station, pending, login=candidate_id, password=PASSWORD))
    async with open_browser() as another:
        assert await whose(station, await visit(station, another, "unverified")) == candidate_id


async def test_account_is_linked_by_a_single_use_link_where_there_is_no_password(
    station: IdentityStation, browser: Browser, programs: dict[str, Program], provider: NodeProvider
) -> None:
    offer(programs, provider.given(), passwords=False)
    candidate_id = await station.register()
    (link,) = station.tokens_for(candidate_id)
    pending = await pending_of(await visit(station, browser, "silent"))
    assert code_of(await prove(station, pending, login=candidate_id, password=PASSWORD)) == (403, "local-passwords-off")
    assert code_of(await prove(station, pending, link="guessed")) == (410, "link-invalid")
    given = await signed_in(await prove(station, pending, link=link))
    assert claims(given["access_token"])["candidate_id"] == candidate_id
    assert await link_rows(station) == [("silent", candidate_id, "openid-link")]
    async with open_browser() as another:
        other = await pending_of(await visit(station, another, "unverified"))
    assert code_of(await prove(station, other, link=link)) == (410, "link-invalid")


async def test_one_link_proves_one_of_two_sign_ins_at_the_same_moment(
    station: IdentityStation, browser: Browser
) -> None:
    candidate_id = await station.register()
    (link,) = station.tokens_for(candidate_id)
    waiting = [await pending_of(await visit(station, browser, "silent"))]
    async with open_browser() as another:
        waiting.append(await pending_of(await visit(station, another, "unverified")))
    answers = await asyncio.gather(*(prove(station, pending, link=link) for pending in waiting))
    assert sorted(status for status, _ in answers) == [200, 410]
    assert len(await link_rows(station)) == 1


async def test_link_of_another_program_proves_nothing_and_stays(station: IdentityStation, browser: Browser) -> None:
    juniper = await station.register(program="juniper", exam_code="JN0-105")
    (link,) = station.tokens_for(juniper)
    pending = await pending_of(await visit(station, browser, "silent"))
    assert code_of(await prove(station, pending, link=link)) == (410, "link-invalid")
    assert (await station.activate(link))[0] == 204


async def test_id_that_staff_took_away_is_not_given_back_by_an_address(
    station: IdentityStation, browser: Browser
) -> None:
    candidate_id = await station.open_account()
    assert await whose(station, await visit(station, browser, "ada")) == candidate_id
    await unlink(station, "ada")
    async with open_browser() as another:
        pending = await pending_of(await visit(station, another, "ada"))
    await signed_in(await prove(station, pending, login=candidate_id, password=PASSWORD))
    assert await link_rows(station) == [("ada", candidate_id, "openid-password")]


async def test_second_person_of_one_mailbox_is_no_way_into_the_account(
    station: IdentityStation, browser: Browser
) -> None:
    candidate_id = await station.open_account()
    assert await whose(station, await visit(station, browser, "ada")) == candidate_id
    async with open_browser() as another:
        pending = await pending_of(await visit(station, another, "ada|of the same mailbox"))
    await signed_in(await prove(station, pending, login=candidate_id, password=PASSWORD))
    assert {external_id[:7] for external_id, *_ in await link_rows(station)} == {"ada", "sha256:"}


async def unlink(station: IdentityStation, external_id: str) -> None:
    _, operator = await station.ask(
        "POST", "/tokens", grant_type="client_credentials", client_id="operator", client_secret="s" * 32
    )
    status, _ = await station.ask(
        "POST",
        "/programs/cisco/external-ids/changes",
        operator["access_token"],
        system="acmeid",
        external_id=external_id,
        to=None,
        reason="not theirs",
    )
    assert status == 200


async def test_account_with_a_second_factor_asks_for_it_before_anything_is_linked(
    station: IdentityStation, browser: Browser
) -> None:
    phone = await with_phone(station)
    status, given = await (await visit(station, browser, "ada")).finish()
    assert (status, given["state"], given["tokens"]) == (200, "second_factor_needed", None)
    assert await link_rows(station) == []
    pending = given["pending"]
    assert code_of(await prove(station, pending, code=phone.wrong())) == (401, "unauthenticated")
    assert code_of(await prove(station, pending, link="any")) == (422, "invalid-request")
    assert code_of(await prove(station, pending, login=phone.candidate_id, password=PASSWORD)) == (
        422,
        "invalid-request",
    )
    tokens = await signed_in(await prove(station, pending, code=phone.code()))
    assert claims(tokens["access_token"])["acr"] == "second-factor"
    assert await link_rows(station) == [("ada", phone.candidate_id, "openid-email")]
    async with open_browser() as another:
        status, given = await (await visit(station, another, "ada")).finish()
    assert given["state"] == "second_factor_needed", "a linked account too"


async def test_waiting_for_a_code_does_not_outlive_what_staff_decide(
    station: IdentityStation, browser: Browser
) -> None:
    phone = await with_phone(station)
    _, given = await (await visit(station, browser, "ada")).finish()
    await signed_in(await prove(station, given["pending"], code=phone.code()))
    station.base.clock.advance(STEP)
    async with open_browser() as another:
        _, given = await (await visit(station, another, "ada")).finish()
    await unlink(station, "ada")
    assert code_of(await prove(station, given["pending"], code=phone.code())) == (409, "conflict")


async def test_link_by_mail_does_not_pass_by_the_second_factor(station: IdentityStation, browser: Browser) -> None:
    phone = await with_phone(station)
    await station.ask("POST", "/access-requests", program="cisco", login=phone.candidate_id)
    await station.run("access-requests")
    link = station.tokens_for(phone.candidate_id)[-1]
    pending = await pending_of(await visit(station, browser, "silent"))
    assert code_of(await prove(station, pending, link=link)) == (401, "second-factor-needed")
    assert code_of(await prove(station, pending, link=link, code=phone.wrong())) == (401, "unauthenticated")
    assert await link_rows(station) == []
    given = await signed_in(await prove(station, pending, link=link, code=phone.code()))
    assert claims(given["access_token"])["acr"] == "second-factor"


async def test_one_pending_sign_in_is_proved_once_by_many_at_the_same_moment(
    station: IdentityStation, browser: Browser
) -> None:
    candidate_id = await station.open_account()
    pending = await pending_of(await visit(station, browser, "silent"))
    answers = await asyncio.gather(*(prove(station, pending, login=candidate_id, password=PASSWORD) for _ in range(4)))
    assert sorted(status for status, _ in answers) == [200, 410, 410, 410]
    assert len(station.said(identity.ExternalIdLinked)) == 2, "the vendor's and the provider's"


async def test_two_browsers_of_one_person_at_the_same_moment_both_come_in(station: IdentityStation) -> None:
    candidate_id = await station.register()
    async with open_browser() as one, open_browser() as two:
        visits = [await visit(station, browser, "ada") for browser in (one, two)]
    assert await asyncio.gather(*(whose(station, each) for each in visits)) == [candidate_id] * 2
    assert await link_rows(station) == [("ada", candidate_id, "openid-email")]


async def test_account_that_another_browser_links_between_two_looks_opens(
    station: IdentityStation, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    candidate_id = await station.register()
    look = Linking.holder

    async def looked(linking: Linking, person: FederatedId) -> Document | None:
        found = await look(linking, person)
        if found is None:
            await station.base.unit_of_work.run(
                lambda transaction: linking.link(transaction, person, candidate_id, "openid-email")
            )
        return found

    monkeypatch.setattr(Linking, "holder", looked)
    assert await whose(station, await visit(station, browser, "ada")) == candidate_id


async def test_account_whose_second_factor_was_not_looked_for_does_not_open(
    station: IdentityStation, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where another browser of the same person links it between two looks."""
    await station.register("P2", registration_id="G2", candidate=_with_address("p1@example.com"))
    phone = await with_phone(station, "P3", registration_id="G3")
    look = Linking.by_email

    async def looked(
        linking: Linking, person: FederatedId, email: str, session: Session | None = None
    ) -> Document | None:
        found = await look(linking, person, email, session)
        if session is None:
            await station.base.unit_of_work.run(
                lambda transaction: linking.link(transaction, person, phone.candidate_id, "openid-password")
            )
        return found

    monkeypatch.setattr(Linking, "by_email", looked)
    assert code_of(await (await visit(station, browser, "ada")).finish()) == (409, "conflict")


async def test_merged_account_opens_the_one_that_goes_on(station: IdentityStation, browser: Browser) -> None:
    old = await station.open_account()
    assert await whose(station, await visit(station, browser, "ada")) == old
    into = await station.open_account("P2", registration_id="G2")
    _, operator = await station.ask(
        "POST", "/tokens", grant_type="client_credentials", client_id="operator", client_secret="s" * 32
    )
    status, _ = await station.ask(
        "POST",
        "/programs/cisco/merges",
        operator["access_token"],
        **{"from": old, "into": into, "reason": "one person"},
    )
    assert status == 201
    async with open_browser() as another:
        assert await whose(station, await visit(station, another, "ada")) == into


async def test_account_that_is_being_merged_opens_the_one_that_goes_on(
    station: IdentityStation, browser: Browser
) -> None:
    """Before its ids have moved."""
    old, into = await station.open_account(), await station.open_account("P2", registration_id="G2")
    assert await whose(station, await visit(station, browser, "ada")) == old
    store = IdentityStore(station.base.database)
    await station.base.unit_of_work.run(lambda transaction: store.join(transaction.session, old, into))
    async with open_browser() as another:
        assert await whose(station, await visit(station, another, "ada")) == into
    assert await link_rows(station) == [("ada", old, "openid-email")]


async def test_programs_with_one_provider_stay_apart(station: IdentityStation, browser: Browser) -> None:
    cisco = await station.register()
    juniper = await station.register("P2", program="juniper", exam_code="JN0-105", registration_id="G2")
    visited = await visit(station, browser, "ada")
    assert code_of(await replace(visited, program="juniper").finish()) == (410, "sign-in-invalid")
    assert await whose(station, visited) == cisco
    await pending_of(await visit(station, browser, "ada", "juniper"))
    assert await link_rows(station) == [("ada", cisco, "openid-email")]
    assert juniper not in str(await link_rows(station))


async def test_sign_in_is_finished_by_its_own_browser_once_and_in_time(
    station: IdentityStation, browser: Browser
) -> None:
    await station.register()
    visited = await visit(station, browser, "ada")
    other = await begin(station)
    for changes in (
        {"binding": other["binding"]},
        {"state": other["state"]},
        {"state": "made-up"},
        {"binding": other["binding"], "state": other["state"][:-1]},
    ):
        assert code_of(await visited.finish(**changes)) == (410, "sign-in-invalid")
    assert code_of(await visited.finish(state=None)) == (422, "invalid-request")
    assert code_of(await visited.finish(binding=None)) == (422, "invalid-request")
    await signed_in(await visited.finish())
    assert code_of(await visited.finish()) == (410, "sign-in-invalid"), "the same answer again"
    async with open_browser() as another:
        late = await visit(station, another, "ada")
    station.base.clock.advance(ATTEMPT_LASTS + timedelta(seconds=1))
    assert code_of(await late.finish()) == (410, "sign-in-invalid")


async def test_many_at_the_same_moment_finish_one_sign_in_once(station: IdentityStation, browser: Browser) -> None:
    await station.register()
    visited = await visit(station, browser, "ada")
    answers = await asyncio.gather(*(visited.finish() for _ in range(5)))
    assert sorted(status for status, _ in answers) == [200, 410, 410, 410, 410]


async def test_code_that_was_used_opens_nothing(station: IdentityStation, browser: Browser) -> None:
    await station.register()
    first = await visit(station, browser, "ada")
    await signed_in(await first.finish())
    again = await visit(station, browser, "ada")
    assert code_of(await again.finish(code=first.returned["code"])) == (401, "sign-in-refused")


async def test_code_that_was_meant_for_another_browser_opens_nothing(
    station: IdentityStation, browser: Browser
) -> None:
    """An attacker's own code, planted in the answer to somebody else's sign-in, does not fit the verifier."""
    await station.register()
    mine = await visit(station, browser, "ada")
    async with open_browser() as another:
        theirs = await visit(station, another, "silent")
    assert code_of(await mine.finish(code=theirs.returned["code"])) == (401, "sign-in-refused")


async def test_answer_of_another_issuer_is_refused_before_its_code_is_shown(
    station: IdentityStation, browser: Browser
) -> None:
    await station.register()
    for issuer in ("https://evil.example", None):
        visited = await visit(station, browser, "ada")
        assert code_of(await visited.finish(iss=issuer)) == (401, "sign-in-refused")


async def test_request_carries_pkce_state_and_nonce_and_the_provider_insists(
    station: IdentityStation, browser: Browser
) -> None:
    begun = await begin(station)
    url = urlsplit(begun["authorization_url"])
    asked = dict(parse_qsl(url.query))
    assert (asked["response_type"], asked["scope"], asked["state"]) == ("code", "openid email", begun["state"])
    assert (asked["code_challenge_method"], len(asked["code_challenge"]), len(asked["nonce"])) == ("S256", 43, 43)
    assert asked["redirect_uri"] == "http://127.0.0.1:8080/sign-in/cisco"
    assert begun["binding"] not in begun["authorization_url"]
    assert begun["provider_logout_url"].startswith(f"{url.scheme}://{url.netloc}/session/end?client_id=certrail")
    without = {name: value for name, value in asked.items() if not name.startswith("code_challenge")}
    refused = await browser.sign_in(url._replace(query=urlencode(without)).geturl(), "ada")
    assert refused["error"] == "invalid_request"
    assert "PKCE" in refused["error_description"]


async def test_nothing_kept_finishes_a_sign_in_for_who_reads_it(station: IdentityStation, browser: Browser) -> None:
    begun = await begin(station)
    pending = await pending_of(await visit(station, browser, "silent"))
    asked = dict(parse_qsl(urlsplit(begun["authorization_url"]).query))
    stored = str([await station.base.rows(name) for name in ("sign_ins", "pending_sign_ins")])
    assert all(secret not in stored for secret in (begun["state"], begun["binding"], asked["nonce"], pending))
    station.base.clock.advance(PENDING_LASTS + timedelta(seconds=1))
    assert code_of(await prove(station, pending, link="any")) == (410, "sign-in-invalid")


async def test_sensitive_change_needs_the_provider_to_ask_anew(station: IdentityStation, browser: Browser) -> None:
    await station.register()
    await signed_in(await (await visit(station, browser, "ada")).finish())
    station.base.clock.advance(FRESH + timedelta(seconds=1))
    stale = await signed_in(await (await visit(station, browser, "ada")).finish())
    status, problem = await station.ask("POST", "/second-factor", stale["access_token"])
    assert (status, problem["type"]) == (401, "urn:certrail:problem:step-up-needed"), "a session at the provider only"


async def test_fresh_sign_in_allows_a_sensitive_change(station: IdentityStation, browser: Browser) -> None:
    await station.register()
    await signed_in(await (await visit(station, browser, "ada")).finish())
    fresh = await signed_in(await (await visit(station, browser, "ada", fresh=True)).finish())
    assert (await station.ask("POST", "/second-factor", fresh["access_token"]))[0] == 201


async def test_ways_in_are_shown_and_absent_ones_are_not_there(
    station: IdentityStation, programs: dict[str, Program]
) -> None:
    assert await station.ask("GET", "/programs/cisco/sign-in") == (
        200,
        {"local_passwords": True, "provider": {"name": "Acme ID"}},
    )
    programs["cisco"] = replace(programs["cisco"], sign_in=programs["cisco"].sign_in.__class__())
    assert (await station.ask("GET", "/programs/cisco/sign-in"))[1]["provider"] is None
    for program in ("cisco", "nosuchprogram"):
        for path, body in (
            ("authorizations", {"fresh": False}),
            ("sessions", {"state": "s", "code": "c", "binding": "b"}),
            ("proofs", {"kind": "link", "pending": "p", "link": "l"}),
        ):
            answer = await station.ask("POST", f"/programs/{program}/openid/{path}", **body)
            assert code_of(answer) == (404, "not-found")
