"""The gateway on a real nginx, before services that only say what reached them."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from types import MappingProxyType

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from deploy.gateway.nginx import nginx_binary, start_gateway
from deploy.local.ports import free_ports
from deploy.local.settings import LOOPBACK
from deploy.processes import APPS
from tests.servers import session_folder

pytestmark = pytest.mark.skipif(nginx_binary() is None, reason="nginx is not installed")

PROBLEM = "application/problem+json"
ABSENT = "notify"


@dataclass
class Answer:
    status: int
    content_type: str
    headers: dict[str, str]
    body: str


class Client:
    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self._url, self._session = url, session

    async def send(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] = MappingProxyType({})
    ) -> Answer:
        async with self._session.request(
            method, self._url + path, data=BytesIO(body), headers=headers, allow_redirects=False
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
    return web.json_response({"path": request.raw_path, "size": len(await request.read())})


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def client() -> AsyncIterator[Client]:
    port, service_port, dead_port = free_ports(3)
    app = web.Application(client_max_size=10_000_000)
    app.router.add_route("*", "/{path:.*}", echo)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, service_port).start()
    upstreams = {name: f"{LOOPBACK}:{dead_port if name == ABSENT else service_port}" for name in APPS}
    with session_folder() as folder:
        gateway = await start_gateway(folder / "gateway", port, upstreams, make_site(folder))
        async with aiohttp.ClientSession() as session:
            yield Client(gateway.url, session)
        await gateway.stop()
    await runner.cleanup()


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
    answer = await client.send("GET", "/api/certs/v1/trace", headers={"traceparent": sent} if sent else {})
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
    assert silent["content-security-policy"].startswith("default-src 'self'")
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
            answer = await Client(gateway.url, session).send("GET", "/certifications")
            program = await Client(gateway.url, session).send("GET", "/api/certs/v1/x")
        await gateway.stop()
    assert (answer.status, answer.content_type, answer.headers["retry-after"]) == (503, "text/html", "10")
    assert "Nothing is lost" in answer.body
    assert (program.status, program.content_type) == (502, PROBLEM)


async def test_what_proves_a_certification_has_short_addresses(client: Client) -> None:
    for path in ("/v/abc", "/b/1.png", "/check", "/credentials/1?form=png", "/status/cisco/1"):
        assert f'"/api/certs/v1/public{path}"' in (await client.send("GET", path)).body
    assert (await client.send("POST", "/verify", b"x" * 5_300_000)).status == 200


async def test_static_pages_are_served_with_security_headers(client: Client) -> None:
    answer = await client.send("GET", "/docs/")
    assert (answer.status, answer.content_type, answer.body) == (200, "text/html", "<h1>reference</h1>")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'self'" in answer.headers["content-security-policy"]
