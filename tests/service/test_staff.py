"""`certrail staff` on the certs API, as on a machine that knows the platform by its address only."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from structlog.testing import capture_logs
from typer.testing import CliRunner

from deploy.cli.errors import CliError
from deploy.cli.main import app
from libs.common.clock import FixedClock
from libs.common.http.principal import Kind, Principal
from libs.common.http.scopes import OPERATOR
from libs.common.programs import Program
from services.certs.decision_store import MIGRATION
from tests.service.conftest import OpenBase
from tests.service.samples import passed, received
from tests.service.test_certs import Certs
from tests.service.test_decisions import application, token_of

Run = Callable[..., Awaitable[Any]]

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ABOUT = ("--program", "cisco", "--candidate", "C1")


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
async def certrail(
    base_of: OpenBase, programs: dict[str, Program], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Run]:
    """Runs a command against certs, where C1 holds CCNA; identity gives whoever asks the operator's token."""
    async with base_of("certs") as base:
        await MIGRATION.apply(base.database)
        service = Certs(base, dict(programs))
        await service.take(received(passed("C1", "R1", known_at=NOW)))
        operator = Principal("client:operator", Kind.SYSTEM, frozenset({"cisco", "juniper"}), OPERATOR)

        async def issue(_request: web.Request) -> web.Response:
            return web.json_response({"access_token": token_of(service, operator), "expires_in": 900})

        served = application(service)
        served.router.add_post("/api/identity/v1/tokens", issue)
        async with TestServer(served) as server:
            monkeypatch.setenv("CERTRAIL_STATE_DIR", str(tmp_path / "none"))
            monkeypatch.setenv("CERTRAIL_GATEWAY_URL", str(server.make_url("")))
            monkeypatch.setenv("CERTRAIL_OPERATOR_SECRET", "secret")
            with capture_logs():  # the command owns standard output while it runs
                yield _run


async def _run(*words: str) -> Any:
    result = await asyncio.to_thread(CliRunner().invoke, app, ["staff", *words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


async def test_a_decision_is_made_shown_and_listed(certrail: Run) -> None:
    suspend = ("decide", "suspend", *ABOUT, "--certification", "CCNA", "--reason", "under review: case 7")
    made = await certrail(*suspend, "--on", "2026-11-20")
    assert made.stdout.startswith("CCNA is suspended: Earned on 10 March 2025")
    back = await certrail("decide", "reinstate", *ABOUT, "--certification", "CCNA", "--reason", "done", "--json")
    assert json.loads(back.stdout)["now"]["status"] == "active"
    extended = ("decide", "extend", *ABOUT, "--certification", "CCNA", "--reason", "leave", "--until", "2028-12-31")
    assert json.loads((await certrail(*extended, "--json")).stdout)["now"]["expires_on"] == "2028-12-31"
    listed = json.loads((await certrail("decisions", *ABOUT, "--json")).stdout)
    assert {row["kind"] for row in listed} == {"extend", "reinstate", "suspend"}
    assert {row["decided_by"] for row in listed} == {"client:operator"}
    shown = (await certrail("decisions", *ABOUT)).stdout
    assert "under review: case 7" in shown
    assert "2026-11-20" in shown


async def test_a_grant_ahead_of_its_day_says_so(certrail: Run) -> None:
    about = ("--program", "cisco", "--candidate", "CSCO10000001")
    granted = ("decide", "grant", *about, "--certification", "CCNA", "--reason", "as agreed", "--on", "2026-12-24")
    assert (await certrail(*granted)).stdout == "it is not held until that day\n"


async def test_what_would_change_nothing_or_makes_no_sense_is_told_with_its_reason(certrail: Run) -> None:
    reason = ("--certification", "CCNA", "--reason", "as agreed")
    with pytest.raises(CliError, match="409: The decision would change nothing: CCNA could not be reinstated"):
        await certrail("decide", "reinstate", *ABOUT, *reason)
    with pytest.raises(CliError, match=r"422.*body\.until: an extension needs"):
        await certrail("decide", "extend", *ABOUT, *reason)
    with pytest.raises(CliError, match=r"422.*body\.paid_on"):
        await certrail("decide", "suspend", *ABOUT, *reason, "--paid-on", "2026-11-01")
    with pytest.raises(CliError, match="404"):
        await certrail("decisions", "--program", "cisco", "--candidate", "C9")
    assert (await certrail("decisions", *ABOUT)).stdout == ""
