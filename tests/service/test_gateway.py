"""The gateway on a real nginx, before services that only say what reached them."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from deploy.gateway.nginx import LOCAL_LIMITS, Limits, nginx_binary, start_gateway
from deploy.local.ports import free_ports
from deploy.local.settings import LOOPBACK
from deploy.processes import APPS
from tests.servers import session_folder

pytestmark = pytest.mark.skipif(nginx_binary() is None, reason="nginx is not installed")

PROBLEM = "application/problem+json"
ABSENT = "notify"
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
RATES = ("sign_in", "recover", "public", "upload", "signed_in", "stranger", "address")
BURSTS = {"sign-in": 40, "recover": 20, "public": 100, "upload": 30, "other": 200}


@dataclass
class Answer:
    status: int
    content_type: str
    headers: dict[str, str]
    body: str


class Client:
    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self._url, self._session = url, session

    async def send(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self._session.request(
            method, self._url + path, data=BytesIO(body), headers=named, allow_redirects=False
        ) as response:
            answered = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status, response.content_type, answered, await response.text())


async def echo(request: web.Request) -> web.Response:
    if request.path.endswith("/missing"):
        return web.json_response({"from": "service"}, status=404, content_type=PROBLEM)
    if request.path.endswith("/trace"):
        return web.Response(text=request.headers["traceparent"])
    if request.path.endswith("/strict"):
        return web.Response(headers={"Content-Security-Policy": "default-src 'none'", "Referrer-Policy": "no-referrer"})
    if request.path.endswith("/shown-by-others"):
        return web.Response(headers={"Cross-Origin-Resource-Policy": "cross-origin", "Cache-Control": "max-age=60"})
    if request.path.endswith("/sender"):
        names = ("X-Forwarded-For", "X-Forwarded-Proto")
        return web.json_response({name: request.headers.get(name) for name in names})
    return web.json_response({"path": request.raw_path, "size": len(await request.read())})


@asynccontextmanager
async def gateway_before_services(limits: Limits) -> AsyncIterator[Client]:
    port, service_port, dead_port = free_ports(3)
    app = web.Application(client_max_size=10_000_000)
    app.router.add_route("*", "/{path:.*}", echo)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, service_port).start()
    upstreams = {name: f"{LOOPBACK}:{dead_port if name == ABSENT else service_port}" for name in APPS}
    with session_folder() as folder:
        gateway = await start_gateway(folder / "gateway", port, upstreams, make_site(folder), limits)
        async with aiohttp.ClientSession() as session:
            yield Client(gateway.url, session)
        await gateway.stop()
    await runner.cleanup()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def client() -> AsyncIterator[Client]:
    async with gateway_before_services(LOCAL_LIMITS) as client:
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def strict() -> AsyncIterator[Client]:
    """A gateway that a load balancer stands before, on this machine; nothing is filled up again within a test."""
    slow = dict.fromkeys(RATES, "1r/m")
    async with gateway_before_services(
        Limits(**slow, unlimited=("198.51.100.0/24",), trusted_proxies=(LOOPBACK,))
    ) as client:
        yield client


def make_site(folder: Path) -> Path:
    site = folder / "site"
    (site / "docs").mkdir(parents=True)
    (site / "docs" / "index.html").write_text("<h1>reference</h1>")
    return site


async def test_service_gets_the_whole_path(client: Client) -> None:
    answer = await client.send("GET", "/api/certs/v1/candidates?limit=2")
    assert (answer.status, answer.body) == (200, '{"path": "/api/certs/v1/candidates?limit=2", "size": 0}')


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("", False),
        (f"00-{'0' * 32}-{'b' * 16}-01", False),
        ("garbage", False),
        (f"00-{'a' * 32}-{'b' * 16}-01", True),
    ],
    ids=["none", "invalid", "garbage", "valid"],
)
async def test_a_request_has_one_id_in_the_answer_and_in_the_trace_that_a_service_is_told(
    client: Client, sent: str, kept: bool
) -> None:
    answer = await client.send("GET", "/api/certs/v1/trace", **({"traceparent": sent} if sent else {}))
    version, trace, span, flags = answer.body.split("-")
    assert (version, len(trace), len(span), flags) == ("00", 32, 16, "01")
    assert answer.headers["x-request-id"] == trace
    assert (answer.body == sent) is kept


async def test_problem_of_a_service_passes_unchanged(client: Client) -> None:
    answer = await client.send("GET", "/api/certs/v1/missing")
    assert (answer.status, answer.content_type, answer.body) == (404, PROBLEM, '{"from": "service"}')


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", f"/api/{ABSENT}/v1/messages", 502, "unavailable"),
        ("GET", "/api/nobody/v1/x", 404, "not-found"),
        ("GET", "/api/certs/v2/x", 404, "not-found"),
        ("GET", "/metrics", 404, "not-found"),
        ("GET", "/healthz", 404, "not-found"),
        ("GET", "/readyz", 404, "not-found"),
        ("GET", "/api/certs/v1/%2e%2e/%2e%2e/%2e%2e/metrics", 404, "not-found"),
        ("GET", "/.git/config", 404, "not-found"),
        ("POST", "/docs/", 405, "method-not-allowed"),
    ],
)
async def test_gateway_answers_in_problem_details(
    client: Client, method: str, path: str, status: int, code: str
) -> None:
    answer = await client.send(method, path)
    assert (answer.status, answer.content_type) == (status, PROBLEM)
    assert f'"type":"urn:certrail:problem:{code}"' in answer.body


async def test_body_over_a_megabyte_is_refused_and_one_below_passes(client: Client) -> None:
    refused = await client.send("POST", "/api/certs/v1/x", b"x" * 1_200_000)
    assert (refused.status, refused.content_type) == (413, PROBLEM)
    assert (await client.send("POST", "/api/certs/v1/x", b"x" * 1_000_000)).status == 200


@pytest.mark.parametrize("where", ["certs/v1|C1", "identity/v1|C1/cases/1", "exams/v1|C1/challenges/1"])
async def test_evidence_may_be_larger_up_to_a_limit_of_its_own(client: Client, where: str) -> None:
    service, below = where.split("|")
    path = f"/api/{service}/programs/cisco/candidates/{below}/evidence"
    assert (await client.send("POST", path, b"x" * 5_300_000)).status == 200
    refused = await client.send("POST", path, b"x" * 6_500_000)
    assert (refused.status, refused.content_type) == (413, PROBLEM)


async def test_vendors_file_may_be_larger_still(client: Client) -> None:
    assert (await client.send("POST", "/api/exams/v1/feeds/files?vendor=vue", b"x" * 8_000_000)).status == 200
    assert (await client.send("POST", "/api/exams/v1/feeds/files/F1/retry", b"x" * 1_200_000)).status == 413


async def test_list_of_registrations_may_be_long(client: Client) -> None:
    path = "/api/exams/v1/programs/cisco/reconciliations?vendor=vue"
    assert (await client.send("POST", path, b"x" * 8_000_000)).status == 200


async def test_what_a_service_says_of_its_pages_stands_alone(client: Client) -> None:
    strict = (await client.send("GET", "/api/certs/v1/strict")).headers
    assert (strict["content-security-policy"], strict["referrer-policy"]) == ("default-src 'none'", "no-referrer")
    silent = (await client.send("GET", "/api/certs/v1/x")).headers
    assert silent["content-security-policy"].startswith("default-src 'self'; object-src 'none'")
    assert silent["referrer-policy"] == "strict-origin-when-cross-origin"


async def test_everything_else_is_a_page_of_the_portal(client: Client) -> None:
    for path in ("/", "/certifications/CCNA?view=table", "/sign-in/cisco", "/no/such/page"):
        assert f'"path": "{path}"' in (await client.send("GET", path)).body
    assert (await client.send("POST", "/sign-out")).status == 200
    assert (await client.send("POST", "/cases/1/evidence", b"x" * 5_300_000)).status == 200


async def test_people_get_a_page_while_the_portal_is_away() -> None:
    port, dead_port = free_ports(2)
    with session_folder() as folder:
        upstreams = dict.fromkeys(APPS, f"{LOOPBACK}:{dead_port}")
        gateway = await start_gateway(folder / "gateway", port, upstreams, make_site(folder))
        async with aiohttp.ClientSession() as session:
            client = Client(gateway.url, session)
            answer = await client.send("GET", "/certifications")
            program = await client.send("GET", "/api/certs/v1/x")
            checked = await client.send("GET", "/check/7K4M", **{"Accept-Language": "de, ar-EG;q=0.9, es"}, **BROWSER)
            chosen = await client.send("GET", "/check?lang=es", **{"Accept-Language": "ar"}, **BROWSER)
            asked = await client.send("GET", "/check/7K4M", Accept="application/json")
            news = await client.send("GET", "/unsubscribe/x.y")
        await gateway.stop()
    # Nothing that could be taken for an answer, in the reader's language; programs get a problem.
    assert (checked.status, checked.headers["content-language"], checked.headers["retry-after"]) == (503, "ar", "10")
    assert '<html lang="ar" dir="rtl">' in checked.body
    assert (checked.headers["cache-control"], checked.headers["vary"]) == ("no-store", "Accept, Accept-Language")
    assert '<html lang="es" dir="ltr">' in chosen.body
    assert "no decimos nada" in chosen.body
    assert (asked.status, asked.content_type) == (502, PROBLEM)
    assert (news.status, news.content_type, news.headers["content-language"]) == (503, "text/html", "en")
    assert (answer.status, answer.content_type, answer.headers["retry-after"]) == (503, "text/html", "10")
    assert "Nothing is lost" in answer.body
    assert (program.status, program.content_type) == (502, PROBLEM)


async def test_what_proves_a_certification_has_short_addresses(client: Client) -> None:
    for path in ("/v/abc", "/b/1.png", "/check", "/credentials/1?form=png", "/status/cisco/1"):
        assert f'"/api/certs/v1/public{path}"' in (await client.send("GET", path)).body
    assert (await client.send("POST", "/verify", b"x" * 5_300_000)).status == 200
    large = [await client.send("POST", "/verify/page", b"x" * 6_500_000, **more) for more in ({}, BROWSER)]
    assert [(one.status, one.content_type) for one in large] == [(413, PROBLEM), (413, "text/html")]


async def test_static_pages_are_served_with_security_headers(client: Client) -> None:
    answer = await client.send("GET", "/docs/")
    assert (answer.status, answer.content_type, answer.body) == (200, "text/html", "<h1>reference</h1>")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'self'" in answer.headers["content-security-policy"]


async def passed(client: Client, method: str, path: str, most: int, **headers: str) -> int:
    """How many of `most` + 5 requests are let through, until the first that is not."""
    for count in range(most + 5):
        answer = await client.send(method, path, **headers)
        if answer.status == 429:
            return count
    return most + 5


addresses = (f"203.0.113.{last}" for last in itertools.count(1))


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("POST", "/sign-in/cisco", "sign-in"),
        ("POST", "//staff/sign-in/cisco", "sign-in"),
        ("POST", "/api/identity/v1/tokens", "sign-in"),
        ("POST", "/api/identity/v1/./oauth/token", "sign-in"),
        ("POST", "/recover/cisco", "recover"),
        ("POST", "/api/identity/v1/access-requests", "recover"),
        ("GET", "/check/ABC", "public"),
        ("GET", "/api/certs/v1/public/%76/token", "public"),
        ("POST", "/api/certs/v1/programs/cisco/candidates/C1/evidence", "upload"),
        ("GET", "/certifications", "other"),
    ],
)
async def test_each_kind_of_request_has_a_limit_by_address(strict: Client, method: str, path: str, kind: str) -> None:
    most, address = BURSTS[kind] + 1, next(addresses)
    assert await passed(strict, method, path, most, X_Forwarded_For=address) == most
    assert (await strict.send(method, path, X_Forwarded_For=next(addresses))).status == 200


async def test_refusal_says_when_to_come_again_to_programs_and_to_people(strict: Client) -> None:
    address = next(addresses)
    await passed(strict, "POST", "/sign-in/cisco", BURSTS["sign-in"], X_Forwarded_For=address)
    page = await strict.send("POST", "/sign-in/cisco", X_Forwarded_For=address)
    assert (page.status, page.content_type, page.headers["retry-after"]) == (429, "text/html", "5")
    assert (page.headers["cache-control"], page.headers["x-frame-options"]) == ("no-store", "DENY")
    problem = await strict.send("POST", "/api/identity/v1/tokens", X_Forwarded_For=address)
    assert (problem.status, problem.content_type, problem.headers["retry-after"]) == (429, PROBLEM, "5")
    assert '"type":"urn:certrail:problem:too-many-requests"' in problem.body


@pytest.mark.parametrize(
    "proof",
    [
        {"Authorization": "Bearer e.{}." + "s" * 40},
        {"Cookie": "theme=dark; session={}"},
        {"Cookie": "__Host-session={}"},
        {"Cookie": "staff={}"},
    ],
    ids=["token", "session", "session-over-tls", "staff"],
)
async def test_whoever_is_signed_in_is_not_counted_with_the_neighbours(strict: Client, proof: dict[str, str]) -> None:
    address, path = next(addresses), "/certifications"
    await passed(strict, "GET", path, BURSTS["other"], X_Forwarded_For=address)
    (name, form), mine = *proof.items(), next(addresses)
    own = {name: form.format(mine)[:-1] + str(len(form) % 10)}
    assert (await strict.send("GET", path, X_Forwarded_For=address)).status == 429
    assert (await strict.send("GET", path, X_Forwarded_For=address, **own)).status == 200
    assert await passed(strict, "GET", path, 200, X_Forwarded_For=address, **own) == 200


async def test_made_up_tokens_do_not_lead_past_the_limit_of_the_address(strict: Client) -> None:
    address = next(addresses)
    answers = [
        (
            await strict.send("GET", "/api/certs/v1/x", X_Forwarded_For=address, Authorization=f"Bearer {number:050}")
        ).status
        for number in range(1010)
    ]
    assert answers == [200] * 1001 + [429] * 9


async def test_machines_of_one_ipv6_network_are_counted_together(strict: Client) -> None:
    for number in range(21):
        answer = await strict.send("POST", "/recover/cisco", X_Forwarded_For=f"2001:db8:1:2::{number:x}")
        assert answer.status == 200
    assert (await strict.send("POST", "/recover/cisco", X_Forwarded_For="2001:db8:1:2:9::1")).status == 429
    assert (await strict.send("POST", "/recover/cisco", X_Forwarded_For="2001:db8:1:3::1")).status == 200


async def test_named_networks_are_not_counted(strict: Client) -> None:
    assert await passed(strict, "POST", "/recover/cisco", 45, X_Forwarded_For="198.51.100.7") == 50


async def test_only_a_balancer_that_is_named_is_believed(client: Client, strict: Client) -> None:
    said = {"X_Forwarded_For": "192.0.2.1, 203.0.113.250", "X_Forwarded_Proto": "https"}
    believed = await strict.send("GET", "/api/certs/v1/sender", **said)
    assert believed.body == '{"X-Forwarded-For": "203.0.113.250", "X-Forwarded-Proto": "https"}'
    assert believed.headers["strict-transport-security"] == "max-age=63072000; includeSubDomains"
    doubted = await client.send("GET", "/api/certs/v1/sender", **said)
    assert doubted.body == f'{{"X-Forwarded-For": "{LOOPBACK}", "X-Forwarded-Proto": "http"}}'
    assert "strict-transport-security" not in doubted.headers


async def test_every_answer_of_the_gateway_has_its_headers(client: Client) -> None:
    for path in ("/", "/docs/", "/api/nobody/v1/x", f"/api/{ABSENT}/v1/x", "/api/certs/v1/missing"):
        headers = (await client.send("GET", path)).headers
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert "camera=()" in headers["permissions-policy"]
        assert headers["cache-control"] == ("no-cache" if path == "/docs/" else "no-store")
    shown = (await client.send("GET", "/b/shown-by-others")).headers
    assert (shown["cross-origin-resource-policy"], shown["cache-control"]) == ("cross-origin", "max-age=60")
