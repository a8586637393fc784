"""Staff decide through the API: recorded with who and why, told by events, refused where nothing would change."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from joserfc.jwk import OKPKey

from libs.common.clock import FixedClock
from libs.common.errors import Unprocessable
from libs.common.http.auth import TokenVerifier
from libs.common.http.jwks import StaticKeys
from libs.common.http.principal import Kind, Principal
from libs.common.http.scopes import CANDIDATE, CERTS_DECIDE
from libs.common.http.server import build_app
from libs.common.http.tokens import sign
from libs.common.programs import Program
from services.certs.api import CertsApi
from services.certs.deciding import Deciding
from services.certs.decision_store import MIGRATION, DecisionStore
from services.certs.decisions_api import DecisionsApi
from services.certs.domain.facts import Fact, ImportFact
from services.certs.ledger import stored_ledger
from services.certs.ledgers import Ledgers
from services.certs.policies import Policies
from services.certs.store import CertsStore
from tests.service.conftest import OpenBase
from tests.service.rig import kept_answers
from tests.service.samples import passed, received
from tests.service.test_certs import AWARDED, EXPIRED, REVOKED, Certs
from tests.service.test_exams import said

Ask = Callable[..., Awaitable[tuple[int, Any]]]

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEY = OKPKey.generate_key("Ed25519", parameters={"kid": "k1"})
SUSPENDED = ("CertificationSuspended", "CCNA")
REINSTATED = ("CertificationReinstated", "CCNA")
EXPERT = "CCIE-Enterprise-Infrastructure"


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
async def service(base_of: OpenBase, programs: dict[str, Program]) -> AsyncIterator[Certs]:
    """C1 has held CCNA since 10 March 2025, through 10 March 2028."""
    async with base_of("certs") as base:
        await MIGRATION.apply(base.database)
        certs = Certs(base, dict(programs))
        await certs.take(received(passed("C1", "R1", known_at=NOW)))
        yield certs


def staff(program: str = "cisco") -> Principal:
    return Principal("staff:7", Kind.STAFF, frozenset({program}), CERTS_DECIDE)


def application(service: Certs) -> web.Application:
    """The service's API with its decisions."""
    base = service.base
    store, decisions = CertsStore(base.database), DecisionStore(base.database)
    policies = Policies(store, service.programs, base.clock)
    deciding = Deciding(decisions, Ledgers(store, policies), base.unit_of_work)
    routes = DecisionsApi(store, decisions, deciding, policies, base.clock).routes()
    return build_app(
        CertsApi(store, service.programs, base.clock).api(routes),
        TokenVerifier(StaticKeys(KEY), "certrail", base.clock),
        idempotency=kept_answers(base.database, base.clock),
    )


def token_of(service: Certs, who: Principal) -> str:
    now = service.clock.now()
    return sign(who, KEY, issuer="certrail", token_id="t", now=now, lifetime=timedelta(minutes=5))


@asynccontextmanager
async def api(service: Certs, who: Principal | None = None) -> AsyncIterator[Ask]:
    """Asks the API, as a member of the program's staff unless somebody else is given."""
    token = token_of(service, who or staff())
    async with TestClient(TestServer(application(service))) as client:

        async def ask(method: str, path: str, key: str | None = None, **body: Any) -> tuple[int, Any]:
            content: dict[str, Any] = {"json": body} if body else {}
            headers = {"Authorization": f"Bearer {token}"} | ({"Idempotency-Key": key} if key else {})
            response = await client.request(method, f"/api/certs/v1{path}", headers=headers, **content)
            return response.status, await response.json()

        yield ask


def about(candidate_id: str = "C1", program: str = "cisco") -> str:
    return f"/programs/{program}/candidates/{candidate_id}/decisions"


def body(kind: str, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "certification": "CCNA", "reason": "as agreed", **more}


async def balance(service: Certs, *facts: Fact, candidate_id: str = "C2") -> None:
    row = stored_ledger(candidate_id, service.programs["cisco"], facts, NOW)
    await service.base.database["candidates"].insert_one(row)


async def test_decisions_are_recorded_with_who_and_why_and_told(service: Certs) -> None:
    async with api(service) as ask:
        status, seen = await ask("POST", f"{about()}/preview", **body("suspend", reason="under review"))
        (change,) = [each for each in seen["changes"] if each["certification"] == "CCNA"]
        assert (status, change["before"]["status"], change["after"]["status"]) == (200, "active", "suspended")
        assert (await ask("GET", about()))[1]["items"] == [], "a preview decides nothing"
        idle = await ask("POST", f"{about()}/preview", **body("reinstate"))
        assert (idle[0], idle[1]["type"]) == (409, "urn:certrail:problem:decision-without-effect")
        status, made = await ask("POST", about(), **body("suspend", reason="under review"))
        assert status == 201
        decision = made["decision"]
        assert (decision["kind"], decision["on"], decision["decided_by"]) == ("suspend", "2026-11-22", "staff:7")
        assert (made["now"]["status"], made["now"]["expires_on"]) == ("suspended", "2028-03-10")
        assert "suspended by the program on 22 November 2026: under review" in made["now"]["text"]
        service.clock.advance(timedelta(minutes=1))
        status, back = await ask("POST", about(), **body("reinstate"))
        assert (status, back["now"]["status"]) == (201, "active")
        service.clock.advance(timedelta(minutes=1))
        status, gone = await ask("POST", about(), **body("revoke", reason="forged"))
        assert (status, gone["now"]["status"], gone["now"]["expires_on"]) == (201, "revoked", "2026-11-21")
        status, listed = await ask("GET", about())
        assert (status, listed["next"]) == (200, None)
        assert listed["items"] == [gone["decision"], back["decision"], decision]
        _, first = await ask("GET", f"{about()}?limit=2")
        _, rest = await ask("GET", f"{about()}?limit=2&cursor={first['next']}")
        assert [*first["items"], *rest["items"]] == listed["items"]
    assert service.told() == [AWARDED, SUSPENDED, REINSTATED, REVOKED]
    because = [event["data"]["because"] for event in said(service.base)]
    assert sum("forged" in text for text in because) == 1


async def test_a_grant_makes_a_ledger_for_whoever_has_none(service: Certs) -> None:
    candidate_id = "CSCO10000001"
    async with api(service) as ask:
        status, made = await ask("POST", about(candidate_id), **body("grant", on="2026-01-05", until="2027-06-30"))
        assert (status, made["now"]["earned_on"], made["now"]["expires_on"]) == (201, "2026-01-05", "2027-06-30")
        assert (await ask("POST", about("CSCO10000002"), **body("revoke")))[0] == 404
        for mistyped in ("CSCO1000001", "C7", "JNPR10000001"):
            assert (await ask("POST", about(mistyped), **body("grant")))[0] == 404
        assert (await ask("GET", about("CSCO10000002")))[0] == 404
    assert service.told(candidate_id) == [AWARDED]
    assert len(await service.base.rows("candidates")) == 2


async def test_an_extension_moves_the_last_day_and_is_told_as_a_renewal(service: Certs) -> None:
    async with api(service) as ask:
        status, made = await ask("POST", about(), **body("extend", until="2029-01-31"))
    assert (status, made["now"]["expires_on"]) == (201, "2029-01-31")
    assert service.told() == [AWARDED, ("CertificationRenewed", "CCNA")]


@pytest.mark.parametrize(
    ("decision", "why"),
    [
        (body("reinstate"), "it was active"),
        (body("grant"), "it was active"),
        (body("extend", until="2028-03-10"), "it was active through 10 March 2028 already"),
        (body("suspend", on="2025-03-09"), "it was not held"),
        (body("revoke", certification="CCNP-Enterprise"), "it was not held"),
        (body("suspend", certification=EXPERT), "it was not held"),
        (body("emeritus", certification=EXPERT), "is not held"),
    ],
)
async def test_a_decision_that_would_change_nothing_is_refused_and_leaves_nothing(
    service: Certs, decision: dict[str, Any], why: str
) -> None:
    before = await service.ledger()
    async with api(service) as ask:
        status, problem = await ask("POST", about(), **decision)
    assert (status, problem["type"]) == (409, "urn:certrail:problem:decision-without-effect")
    assert why in problem["detail"]
    assert await service.ledger() == before
    assert await service.base.rows("decisions") == []


@pytest.mark.parametrize(
    ("decision", "field"),
    [
        (body("grant", certification="CCXX"), "body.certification"),
        (body("emeritus"), "body.certification"),
        (body("suspend", until="2027-01-01"), "body.until"),
        (body("extend"), "body.until"),
        (body("grant", on="2026-01-01", until="2025-12-31"), "body.until"),
        (body("extend", until="2100-01-01"), "body.until"),
        (body("suspend", on="2027-11-23"), "body.on"),
        (body("suspend", on="1979-12-31"), "body.on"),
        (body("suspend", paid_on="2026-01-01"), "body.paid_on"),
        (body("emeritus", certification=EXPERT, paid_on="2026-11-23"), "body.paid_on"),
        (body("suspend", reason=" "), "body.reason"),
        (body("suspend", reason="x" * 1001), "body.reason"),
        (body("suspend", reason="two\nlines"), "body.reason"),
        (body("promote"), "body.kind"),
        ({"kind": "suspend", "certification": "CCNA"}, "body.reason"),
    ],
)
async def test_a_decision_that_makes_no_sense_is_refused_with_its_field(
    service: Certs, decision: dict[str, Any], field: str
) -> None:
    async with api(service) as ask:
        status, problem = await ask("POST", about(), **decision)
    assert (status, problem["errors"][0]["path"]) == (422, field)
    assert await service.base.rows("decisions") == []


async def test_a_decision_dated_ahead_waits_for_its_day(service: Certs) -> None:
    async with api(service) as ask:
        status, made = await ask("POST", about(), **body("suspend", on="2027-03-01"))
        assert (status, made["now"]["status"]) == (201, "active")
        status, problem = await ask("POST", about(), **body("extend", on="2027-03-02", until="2029-01-01"))
        assert (status, problem["detail"].rpartition(": ")[2]) == (409, "it was suspended")
    assert (await service.ledger())["next_transition_on"] == "2027-03-01"
    service.clock.advance(datetime(2027, 3, 1, 12, tzinfo=UTC) - service.clock.now())
    await service.sweep.run()
    assert service.told() == [AWARDED, SUSPENDED]


async def test_nobody_is_reminded_of_what_is_suspended_and_its_expiry_is_told_by_its_end(service: Certs) -> None:
    async with api(service) as ask:
        await ask("POST", about(), **body("suspend"))
    assert (await service.ledger())["next_transition_on"] is None
    service.clock.advance(datetime(2028, 6, 1, 12, tzinfo=UTC) - service.clock.now())
    await service.sweep.run()
    assert service.told() == [AWARDED, SUSPENDED]
    async with api(service) as ask:
        status, made = await ask("POST", about(), **body("reinstate"))
    assert (status, made["now"]["status"]) == (201, "expired")
    assert service.told() == [AWARDED, SUSPENDED, REINSTATED]


async def test_a_decision_sent_again_is_made_once(service: Certs) -> None:
    async with api(service) as ask:
        first = await ask("POST", about(), key="one", **body("suspend"))
        assert await ask("POST", about(), key="one", **body("suspend")) == first
        # The answer was lost with the process that gave it; the decision was not.
        await service.base.database["idempotency"].delete_many({})
        assert await ask("POST", about(), key="one", **body("suspend")) == first
        await service.base.database["idempotency"].delete_many({})
        status, problem = await ask("POST", about(), key="one", **body("suspend", reason="another"))
        assert (status, problem["type"].rpartition(":")[2]) == (422, "idempotency-key-reused")
    assert service.told() == [AWARDED, SUSPENDED]
    assert len(await service.base.rows("decisions")) == 1


async def test_of_decisions_made_at_once_only_what_has_an_effect_is_recorded(service: Certs) -> None:
    async with api(service) as ask:
        answers = await asyncio.gather(*(ask("POST", about(), **body("suspend")) for _ in range(5)))
    assert sorted(status for status, _ in answers) == [201, 409, 409, 409, 409]
    assert service.told() == [AWARDED, SUSPENDED]
    assert len((await service.ledger())["facts"]) == 2


async def test_a_year_of_emeritus_counts_once_it_is_paid(service: Certs) -> None:
    await balance(service, ImportFact(EXPERT, date(2010, 1, 1), NOW, expires_on=date(2026, 11, 1)))
    granted = body("emeritus", certification=EXPERT, on="2026-10-30")
    async with api(service) as ask:
        status, made = await ask("POST", about("C2"), **granted)
        assert (status, made["now"]["status"]) == (201, "expired")
        status, problem = await ask("POST", about("C2"), **granted)
        assert (status, "waits for its payment" in problem["detail"]) == (409, True)
        service.clock.advance(timedelta(minutes=1))
        status, made = await ask("POST", about("C2"), **granted, paid_on="2026-11-20")
        assert (status, made["decision"]["paid_on"], made["now"]["status"]) == (201, "2026-11-20", "emeritus")
        status, problem = await ask("POST", about("C2"), **granted, paid_on="2026-11-21")
        assert (status, "paid on 2026-11-20 already" in problem["detail"]) == (409, True)
        late = body("emeritus", certification=EXPERT, on="2026-11-21", paid_on="2026-11-21")
        assert (await ask("POST", about("C2"), **late))[0] == 201, "a second year follows the first"
        assert (await ask("POST", about("C2"), **body("revoke", certification=EXPERT)))[1]["now"]["status"] == "revoked"
        assert len((await ask("GET", about("C2")))[1]["items"]) == 4


async def test_a_program_without_emeritus_grants_none(service: Certs) -> None:
    async with api(service, staff("juniper")) as ask:
        decision = {"kind": "emeritus", "certification": "JNCIA-Junos", "reason": "as agreed"}
        status, problem = await ask("POST", about("JNPR10000001", "juniper"), **decision)
    assert (status, problem["errors"][0]["code"]) == (422, "emeritus")


async def test_nobody_but_the_programs_staff_decides_or_sees_decisions(service: Certs) -> None:
    me = Principal("candidate:C1", Kind.CANDIDATE, frozenset({"cisco"}), CANDIDATE, candidate_id="C1")
    for who, path, expected in (
        (me, about(), 403),
        (staff("juniper"), about(), 404),
        (staff("juniper"), about("C1", "juniper"), 404),
        (staff("cisco"), about("C1", "nosuch"), 404),
    ):
        async with api(service, who) as ask:
            certification = "JNCIA-Junos" if "juniper" in path else "CCNA"
            for kind in ("suspend", "grant"):
                decision = {"kind": kind, "certification": certification, "reason": "as agreed"}
                assert (await ask("POST", path, **decision))[0] == expected
            assert (await ask("GET", path))[0] == expected
    assert service.told() == [AWARDED]
    assert await service.base.rows("decisions") == []


async def test_a_ledger_is_never_opened_for_another_program(service: Certs) -> None:
    with pytest.raises(Unprocessable) as refused:
        await service.take(received(passed("C1", "R9", exam_code="JN0-105"), program="juniper"))
    assert refused.value.code == "another_program"


async def test_totals_tell_what_is_set_aside_from_what_has_expired(service: Certs) -> None:
    await service.take(*(received(passed(f"C{n}", f"R{n}", known_at=NOW)) for n in range(2, 5)))
    async with api(service) as ask:
        await ask("POST", about("C1"), **body("suspend"))
        await ask("POST", about("C2"), **body("revoke"))
    operator = Principal("client:operator", Kind.SYSTEM, frozenset({"cisco"}), frozenset({"operations:read"}))
    async with api(service, operator) as ask:
        _, totals = await ask("GET", "/totals")
    assert totals == {"candidates": 4, "active": 2, "expired": 0, "suspended": 1, "revoked": 1}


async def test_what_was_earned_anew_after_a_revocation_is_told_as_an_award(service: Certs) -> None:
    async with api(service) as ask:
        await ask("POST", about(), **body("revoke", on="2026-05-01"))
    again = {"taken_on": date(2026, 11, 1), "taken_at": datetime(2026, 11, 1, 9, tzinfo=UTC)}
    await service.take(received(passed("C1", "R2", known_at=NOW, **again)))
    assert service.told() == [AWARDED, REVOKED, AWARDED]
    assert EXPIRED not in service.told()
    async with api(service, staff()) as ask:
        status, problem = await ask("POST", about(), **body("reinstate"))
    assert (status, problem["detail"].rpartition(": ")[2]) == (409, "it was active")
