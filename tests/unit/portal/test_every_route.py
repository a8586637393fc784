"""Every address of the portal, asked by nobody: the headers of all pages, and whom to tell of a weakness."""

import re
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import REGISTRY
from pydantic import SecretStr, ValidationError

from libs.common.clock import SystemClock
from libs.common.mongo.client import open_client
from libs.common.programs import load_programs
from services.portal.app import build
from services.portal.settings import PortalSettings

PROGRAMS = Path(__file__).parents[3] / "deploy" / "programs"
NOWHERE = "http://127.0.0.1:1"
CONTACT = {"security_contact": "mailto:security@example.com", "security_contact_until": date(2027, 5, 31)}


def settings(**values: Any) -> PortalSettings:
    given = {"mongo_url": SecretStr("mongodb://127.0.0.1:1/none"), "portal_secret": SecretStr("s" * 32)}
    return PortalSettings(**given, programs_dir=PROGRAMS, identity_url=NOWHERE, **values)


@pytest.fixture
async def portal(request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    chosen = settings(public_url="https://certs.example.com", **getattr(request, "param", CONTACT))
    database = open_client(chosen.mongo_url.get_secret_value(), application="test")
    try:
        async with aiohttp.ClientSession() as http:
            app = build(chosen, load_programs(PROGRAMS), database, http, SystemClock())
            async with TestClient(TestServer(app)) as client:
                yield client
    finally:
        database.close()


async def test_every_route_answers_with_the_headers_of_all_pages(portal: Any) -> None:
    routes = [route for route in portal.app.router.routes() if route.method in {"GET", "POST"}]
    assert len(routes) > 100
    for route in routes:
        path = re.sub(r"\{[^}]+\}", "cisco", route.resource.canonical)
        answer = await portal.request(route.method, path, allow_redirects=False)
        asked = f"{route.method} {path}: {answer.status}"
        assert answer.status in {200, 303, 403, 404, 503}, asked  # no service is there
        assert answer.headers["X-Content-Type-Options"] == "nosniff", asked
        assert answer.headers["Referrer-Policy"] == "no-referrer", asked
        assert answer.headers["Cache-Control"] == "no-store", asked
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin", asked
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy, asked
        assert "unsafe" not in policy, asked
        for cookie in answer.headers.getall("Set-Cookie", []):
            assert cookie.startswith("__Host-"), asked
            assert {"HttpOnly", "Secure", "SameSite=Lax"} <= set(cookie.split("; ")), asked


async def test_security_txt_says_whom_to_tell_until_when(portal: Any) -> None:
    answer = await portal.get("/.well-known/security.txt")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
    assert (await answer.text()).split("\r\n") == [
        "Contact: mailto:security@example.com",
        "Expires: 2027-06-01T00:00:00Z",
        "Preferred-Languages: en",
        "Canonical: https://certs.example.com/.well-known/security.txt",
        "",
    ]
    assert REGISTRY.get_sample_value("certrail_security_contact_expiry_timestamp_seconds") == 1_811_808_000


@pytest.mark.parametrize("portal", [{}], indirect=True, ids=["unset"])
async def test_without_a_contact_there_is_no_security_txt(portal: Any) -> None:
    assert (await portal.get("/.well-known/security.txt")).status == 404
    assert REGISTRY.get_sample_value("certrail_security_contact_expiry_timestamp_seconds") == 0


@pytest.mark.parametrize("missing", list(CONTACT))
def test_contact_and_its_last_day_need_each_other(missing: str) -> None:
    with pytest.raises(ValidationError, match="need each other"):
        settings(**{name: value for name, value in CONTACT.items() if name != missing})


def test_contact_is_an_address_that_can_be_followed() -> None:
    with pytest.raises(ValidationError, match="security_contact"):
        settings(**{**CONTACT, "security_contact": "security@example.com"})
