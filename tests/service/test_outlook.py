"""Looking beyond today through the API: progress, renewals, plans, the past as it was seen, flags, simulations."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from joserfc.jwk import OKPKey

from libs.common.clock import FixedClock
from libs.common.http.auth import TokenVerifier
from libs.common.http.jwks import StaticKeys
from libs.common.http.principal import Kind, Principal
from libs.common.http.server import build_app
from libs.common.http.tokens import sign
from libs.common.programs import Program
from services.certs.api import CertsApi
from services.certs.outlook_api import OutlookApi
from services.certs.policies import Policies
from services.certs.reevaluation import Reevaluation
from services.certs.store import CertsStore
from tests.service.certs_station import CertsStation
from tests.service.conftest import OpenBase
from tests.service.rig import Base
from tests.service.samples import invalidated, passed, received
from tests.service.test_certs import FOUR_YEARS, next_version

Ask = Callable[..., Awaitable[tuple[int, Any]]]

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEY = OKPKey.generate_key("Ed25519", parameters={"kid": "k1"})


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
async def base(base_of: OpenBase) -> AsyncIterator[Base]:
    async with base_of("certs") as base:
        yield base


@pytest.fixture
def policies(programs: dict[str, Program]) -> dict[str, Program]:
    """The policies in force, which a test may exchange."""
    return dict(programs)


async def take(base: Base, policies: dict[str, Program], *events: Any) -> None:
    await CertsStation(base, policies).take(*(received(event) for event in events))


@asynccontextmanager
async def api(base: Base, policies: dict[str, Program], who: Principal | None = None) -> AsyncIterator[Ask]:
    """Asks the API, as candidate C1 unless somebody else is given."""
    store = CertsStore(base.database)
    routes = OutlookApi(store, Policies(store, policies, base.clock), base.clock).routes()
    app = build_app(
        CertsApi(store, policies, base.clock).api(routes), TokenVerifier(StaticKeys(KEY), "certrail", base.clock)
    )
    caller = who or Principal(
        "candidate:C1", Kind.CANDIDATE, frozenset({"cisco"}), frozenset({"certs:read"}), candidate_id="C1"
    )
    token = sign(caller, KEY, issuer="certrail", token_id="t", now=base.clock.now(), lifetime=timedelta(minutes=5))
    async with TestClient(TestServer(app)) as client:

        async def ask(method: str, path: str, language: str = "", **body: Any) -> tuple[int, Any]:
            content: dict[str, Any] = {"json": body} if body else {}
            headers = {"Authorization": f"Bearer {token}", **({"Accept-Language": language} if language else {})}
            response = await client.request(method, f"/api/certs/v1/programs/{path}", headers=headers, **content)
            return response.status, await response.json()

        yield ask


def staff(*scopes: str) -> Principal:
    return Principal("staff:1", Kind.STAFF, frozenset({"cisco"}), frozenset(scopes))


ME = "cisco/candidates/C1"


async def test_progress_says_what_is_missing_and_until_when_a_pass_counts(
    base: Base, policies: dict[str, Program]
) -> None:
    await take(base, policies, passed("C1", "R1", exam_code="350-401"))
    async with api(base, policies) as ask:
        status, found = await ask("GET", f"{ME}/progress")
    assert status == 200
    goals = {goal["certification"]: goal for goal in found["goals"]}
    assert found["goals"][0]["in_hand"], "what has been begun comes first"
    (in_hand,) = goals["CCNP-Enterprise"]["in_hand"]
    assert in_hand == {"exam": "350-401", "passed_on": "2025-03-10", "counts_through": "2028-03-10"}
    (missing,) = goals["CCNP-Enterprise"]["missing"]
    assert "300-410" in missing["exams"]
    assert "300-425" not in missing["exams"], "it is not offered any more"
    assert "CCNA" in goals


async def test_ways_to_renew_and_a_plan_with_its_cost(base: Base, policies: dict[str, Program]) -> None:
    await take(base, policies, passed())
    async with api(base, policies) as ask:
        _, found = await ask("GET", f"{ME}/renewals")
        (way,) = found["renewals"]
        assert (way["certification"], way["expires_on"], way["credits"]) == ("CCNA", "2028-03-10", 30)
        plan = [{"on": "2027-03-10", "exam": way["exams"][0]["exam"]}]
        status, planned = await ask("POST", f"{ME}/what-if", assume=plan)
        assert status == 200
        moved = {"status": "active", "earned_on": "2025-03-10", "expires_on": "2030-03-10"}
        assert {change["certification"]: change["after"] for change in planned["changes"]}["CCNA"] == moved
        assert [warning["days_given_up"] for warning in planned["warnings"]] == [366]
        assert {"certification": "CCNA", **moved} in planned["outcome"]
        waited_for = [{"on": "2026-11-19", "exam": way["exams"][0]["exam"]}]
        _, planned = await ask("POST", f"{ME}/what-if", assume=waited_for)
        ends = {one["certification"]: one["expires_on"] for one in planned["outcome"]}
        assert ends["CCNA"] == "2029-11-19", "a result on its way counts from its own day"
    (row,) = await base.rows("candidates", _id="C1")
    assert len(row["facts"]) == 1, "a plan is nobody's fact"


@pytest.mark.parametrize(
    ("assumption", "path"),
    [
        ({"on": "2027-03-10"}, "body.assume.0"),
        ({"on": "2027-03-10", "exam": "200-301", "credits": 3}, "body.assume.0"),
        ({"on": "2026-08-01", "exam": "200-301"}, "body.assume.0.on"),
        ({"on": "2090-01-01", "exam": "200-301"}, "body.assume.0.on"),
        ({"on": "2027-03-10", "exam": "999-999"}, "body.assume.0.exam"),
    ],
)
async def test_plan_that_makes_no_sense_is_refused_with_its_place(
    base: Base, policies: dict[str, Program], assumption: dict[str, Any], path: str
) -> None:
    async with api(base, policies) as ask:
        status, problem = await ask("POST", f"{ME}/what-if", assume=[assumption])
    assert status == 422
    assert problem["errors"][0]["path"] == path


async def test_past_is_shown_as_it_was_seen_then_under_the_policy_of_that_day(
    base: Base, policies: dict[str, Program]
) -> None:
    base.clock.advance(datetime(2025, 3, 20, 12, tzinfo=UTC) - base.clock.now())
    known = base.clock.now()
    await take(base, policies, passed("C1", "R1", known_at=known))
    old = policies["cisco"]
    base.clock.advance(datetime(2026, 1, 10, 12, tzinfo=UTC) - base.clock.now())
    policies["cisco"] = next_version(old, FOUR_YEARS)
    store = CertsStore(base.database)
    kept = Policies(store, policies, base.clock)
    await Reevaluation(store, kept, policies, base.unit_of_work).run()
    base.clock.advance(NOW - base.clock.now())
    async with api(base, policies) as ask:
        seen = [
            await ask("GET", f"{ME}/certifications/as-seen-on/{day}")
            for day in ("2025-03-15", "2025-03-20", "2026-01-10")
        ]
        status, problem = await ask("GET", f"{ME}/certifications/as-seen-on/2026-11-24")
    assert (status, problem["errors"][0]["path"]) == (422, "path.day")
    assert seen[0][1]["certifications"] == [], "the result was not known yet"
    assert [(found["policy_version"], found["certifications"][0]["expires_on"]) for _, found in seen[1:]] == [
        (old.version, "2028-03-10"),
        (old.version + 1, "2029-03-10"),
    ]
    reason = seen[1][1]["certifications"][0]["because"][0]
    assert reason["file"] == "cisco.yaml"
    assert reason["line"] > 0
    assert "200-301" in reason["wording"]


async def test_what_has_no_usual_effect_is_kept_and_shown_to_staff(base: Base, policies: dict[str, Program]) -> None:
    await take(base, policies, passed("C1", "R1"), passed("C2", "R2", exam_code="999-999"))
    await take(base, policies, passed("C3", "R3", taken_on=date(2030, 1, 1), taken_at=datetime(2030, 1, 1, tzinfo=UTC)))
    async with api(base, policies, staff("operations:read")) as ask:
        status, found = await ask("GET", "cisco/flags")
    assert status == 200
    assert {row["candidate_id"]: row["flags"][0]["code"] for row in found["items"]} == {
        "C2": "EXAM_UNKNOWN",
        "C3": "DATED_AHEAD",
    }


async def test_managers_simulate_histories_and_bad_ones_are_named(base: Base, policies: dict[str, Program]) -> None:
    case = {
        "id": "one",
        "as_of": "2024-06-01",
        "inputs": [{"type": "exam", "code": "200-301", "date": "2023-05-10", "outcome": "pass"}],
    }
    async with api(base, policies, staff("programs:manage")) as ask:
        status, found = await ask("POST", "cisco/simulations", cases=[case])
        assert status == 200
        (certification,) = found["answers"][0]["certifications"]
        assert (certification["cert"], certification["expires"]) == ("CCNA", "2026-05-10")
        status, problem = await ask("POST", "cisco/simulations", cases=[case, {**case, "inputs": [{"type": "prayer"}]}])
        assert (status, problem["errors"][0]["path"]) == (422, "body.cases.1")


async def test_nobody_looks_at_another(base: Base, policies: dict[str, Program]) -> None:
    await take(base, policies, passed("C2", "R2"))
    paths = ("progress", "renewals", "certifications/as-seen-on/2026-11-01")
    async with api(base, policies) as ask:
        for path in paths:
            assert (await ask("GET", f"cisco/candidates/C2/{path}"))[0] == 404
            assert (await ask("GET", f"juniper/candidates/C1/{path}"))[0] == 404
        assert (await ask("POST", "cisco/candidates/C2/what-if", assume=[{"on": "2027-01-01", "credits": 1}]))[0] == 404
        assert (await ask("GET", "cisco/flags"))[0] == 403
        assert (await ask("POST", "cisco/simulations", cases=[{"inputs": []}]))[0] == 403


async def test_history_tells_when_each_thing_was_known_and_what_was_withdrawn(
    base: Base, policies: dict[str, Program]
) -> None:
    await take(base, policies, passed())
    await take(base, policies, invalidated(known_at=base.clock.now()))
    async with api(base, policies) as ask:
        status, found = await ask("GET", f"{ME}/history")
        assert status == 200
        (line,) = found["lines"]
        assert (line["certification"], line["kind"], line["on"]) == ("CCNA", "awarded", "2025-03-10")
        assert line["withdrawn_at"] is not None
        assert (await ask("GET", "cisco/candidates/C2/history"))[0] == 404
        assert (await ask("GET", "juniper/candidates/C1/history"))[0] == 404


async def test_reasons_are_said_in_the_readers_language_and_kept_in_english(
    base: Base, policies: dict[str, Program]
) -> None:
    await take(base, policies, passed())
    async with api(base, policies) as ask:
        _, english = await ask("GET", f"{ME}/certifications")
        _, spanish = await ask("GET", f"{ME}/certifications", language="es-MX, en;q=0.5")
        _, again = await ask("GET", f"{ME}/certifications")
        plan = [{"on": "2027-03-10", "exam": "200-301"}]
        _, tried = await ask("POST", f"{ME}/what-if", language="es", assume=plan)
        _, history = await ask("GET", f"{ME}/history", language="ar")
    assert english == again
    (one,), (other,) = english["certifications"], spanish["certifications"]
    assert one["text"].startswith("Earned on 10 March 2025: 200-301 passed on 10 March 2025")
    assert other["text"].startswith("Obtenida el 10 de marzo de 2025: 200-301 aprobado el 10 de marzo de 2025")
    assert [each["text"] for each in other["because"]] != [each["text"] for each in one["because"]]
    said = ("text", "because")
    assert {name: value for name, value in one.items() if name not in said} == {
        name: value for name, value in other.items() if name not in said
    }, "nothing but the words is another"
    assert "Renovada el" in str(tried), "a question that changes nothing"
    assert "نجاح في \N{FIRST STRONG ISOLATE}200-301" in history["lines"][0]["text"]
    (row,) = await base.database["candidates"].find().to_list()
    assert row["certifications"][0]["text"] == one["text"]
