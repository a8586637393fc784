"""`certrail staff`, `systems` and `keys` on identity's API, as on a machine that knows the platform by its address."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner

from deploy.cli.errors import CliError
from deploy.cli.main import app
from tests.service.identity_station import IdentityStation
from tests.service.staff_station import Person
from tests.service.test_systems import enter

Run = Callable[..., Awaitable[Any]]


@pytest.fixture
def certrail(station: IdentityStation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command."""
    monkeypatch.setenv("CERTRAIL_STATE_DIR", str(tmp_path / "none"))
    monkeypatch.setenv("CERTRAIL_GATEWAY_URL", str(station.client.make_url("")))
    monkeypatch.setenv("CERTRAIL_OPERATOR_SECRET", "s" * 32)

    async def run(*words: str) -> Any:
        with capture_logs():  # the command owns standard output while it runs
            result = await asyncio.to_thread(CliRunner().invoke, app, words)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return json.loads(result.stdout) if "--json" in words else result.stdout

    return run


async def test_staff_are_added_listed_changed_and_disabled(certrail: Run, station: IdentityStation) -> None:
    roles = ("--role", "cisco:support", "--role", "cisco:reviewer", "--role", "juniper:auditor")
    await certrail("staff", "add", "mia@example.com", "--name", "Mia Maier", *roles)
    rows = await certrail("staff", "list", "--json")
    assert {row["program"]: row["roles"] for row in rows} == {"cisco": ["reviewer", "support"], "juniper": ["auditor"]}
    person = Person(station, "mia@example.com", rows[0]["staff_id"])
    await person.open()
    await certrail("staff", "roles", "MIA@example.com", "--role", "cisco:manager")
    assert (await certrail("staff", "list", "--program", "cisco", "--json"))[0]["roles"] == ["manager"]
    shown = await certrail("staff", "list")
    assert all(part in shown for part in ("juniper", "mia@example.com", "Mia Maier", "auditor", person.staff_id))
    await certrail("staff", "invite", person.email, "--program", "cisco", "--forget-second-factor")
    await person.open()
    await certrail("staff", "disable", person.email, "--program", "juniper")
    assert [(await person.login(program))[0] for program in ("juniper", "cisco")] == [401, 200]
    await certrail("staff", "disable", person.email)
    assert await certrail("staff", "list", "--json") == []


async def test_faults_of_staff_commands_are_told(certrail: Run) -> None:
    with pytest.raises(CliError, match="program:role"):
        await certrail("staff", "add", "mia@example.com", "--name", "Mia", "--role", "support")
    with pytest.raises(CliError, match=r"422.*body\.roles"):
        await certrail("staff", "add", "mia@example.com", "--name", "Mia", "--role", "cisco:boss")
    with pytest.raises(CliError, match="has no role there"):
        await certrail("staff", "disable", "mia@example.com")
    await certrail("staff", "add", "mia@example.com", "--name", "Mia", "--role", "cisco:support")
    with pytest.raises(CliError, match="409"):
        await certrail("staff", "add", "mia@example.com", "--name", "Mia", "--role", "cisco:support")
    with pytest.raises(CliError, match="no role in juniper"):
        await certrail("staff", "roles", "mia@example.com", "--role", "cisco:support", "--role", "juniper:support")


async def test_systems_get_secrets_that_are_shown_once(certrail: Run, station: IdentityStation) -> None:
    scopes = ("--scope", "exams:read", "--scope", "certs:read")
    made = await certrail("systems", "add", "Partner portal", "--program", "cisco", *scopes, "--json")
    assert (await enter(station, made))[0] == 200
    rotated = await certrail("systems", "rotate", made["client_id"], "--program", "cisco", "--old-works-days", "0")
    secret = rotated.splitlines()[1].split()[-1]
    assert [(await enter(station, made, secret=each))[0] for each in (made["client_secret"], secret)] == [401, 200]
    listed = await certrail("systems", "list", "--program", "cisco")
    assert "Partner portal" in listed
    assert not [each for each in (made["client_secret"], secret) if each in listed]
    await certrail("systems", "disable", made["client_id"], "--program", "cisco")
    assert (await enter(station, made, secret=secret))[0] == 401
    assert "disabled" in await certrail("systems", "list", "--program", "cisco")


async def test_keys_are_rotated_and_withdrawn(certrail: Run) -> None:
    rows = await certrail("keys", "rotate", "--json")
    assert [row["state"] for row in rows] == ["current", "next"]
    assert "next" in await certrail("keys", "list")
    await certrail("keys", "withdraw", rows[0]["kid"])
    assert [(row["kid"], row["state"]) for row in await certrail("keys", "list", "--json")] == [
        (rows[1]["kid"], "current")
    ]
