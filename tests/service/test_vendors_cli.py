"""`certrail vendors` on a real broker and exams' own API, as on a machine that knows the platform by its addresses."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aio_pika
import pytest
from aiormq.exceptions import AMQPConnectionError, ChannelAccessRefused
from structlog.testing import capture_logs
from typer.testing import CliRunner

from deploy.cli.errors import CliError
from deploy.cli.main import app
from deploy.local.rabbitmq import amqp_url
from deploy.local.secret_store import SecretStore
from libs.common.programs import Program
from services.exams.vendors.definition import load_vendors
from tests.servers import BrokerUnderTest
from tests.service.conftest import OpenBase
from tests.service.rig import Base, eventually
from tests.service.samples import reported, result
from tests.service.vendor_station import VendorStation, said_result

Run = Callable[..., Awaitable[Any]]
NAME = "prometric"


@pytest.fixture
async def base(base_of: OpenBase) -> AsyncIterator[Base]:
    async with base_of("exams") as base:
        yield base


@pytest.fixture
async def station(base: Base, programs: dict[str, Program], broker: BrokerUnderTest) -> AsyncIterator[VendorStation]:
    async with VendorStation(base, programs).serving() as station:
        yield station
    if await broker.management.has_user(NAME):
        await broker.management.remove_user(NAME)
    async with await aio_pika.connect(broker.admin_url) as connection, connection.channel() as channel:
        await channel.queue_delete(f"{NAME}.rejections")


@pytest.fixture
def certrail(station: VendorStation, broker: BrokerUnderTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command."""
    monkeypatch.setenv("CERTRAIL_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("CERTRAIL_GATEWAY_URL", str(station.client.make_url("")))
    monkeypatch.setenv("CERTRAIL_OPERATOR_SECRET", "s" * 32)
    monkeypatch.setenv("CERTRAIL_OPERATOR_AMQP_URL", broker.url("operator"))
    monkeypatch.setenv("CERTRAIL_AMQP_ADMIN_URL", broker.admin_url)
    monkeypatch.setenv("CERTRAIL_MANAGEMENT_URL", broker.management_url)

    async def run(*words: str) -> Any:
        with capture_logs():  # the command owns standard output while it runs
            result = await asyncio.to_thread(CliRunner().invoke, app, words)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return json.loads(result.stdout) if "--json" in words else result.output

    return run


@pytest.fixture
def add(certrail: Run, tmp_path: Path) -> Run:
    """Adds the vendor; its definition goes to a folder of the test."""
    folder = tmp_path / "vendors"
    folder.mkdir()

    async def run(*words: str) -> Any:
        return await certrail("vendors", "add", NAME, "--definitions", str(folder), *words)

    return run


async def gets_in(broker: BrokerUnderTest, password: str) -> bool:
    """Whether the vendor can read its queue with that password, and not another's."""
    address = urlsplit(broker.admin_url).netloc.rpartition("@")[2]
    try:
        connection = await aio_pika.connect(amqp_url(address, NAME, password))
    except AMQPConnectionError:
        return False
    async with connection:
        channel = await connection.channel()
        await channel.get_queue(f"{NAME}.rejections")
        with pytest.raises(ChannelAccessRefused):
            await (await channel.get_queue("vue.rejections", ensure=False)).get(fail=False)
    return True


async def listed(certrail: Run, name: str = NAME) -> dict[str, Any]:
    found: dict[str, Any] = {row["vendor"]: row for row in await certrail("vendors", "list", "--json")}
    return dict(found[name])


async def test_added_vendor_gets_in_by_every_way(
    add: Run, broker: BrokerUnderTest, station: VendorStation, tmp_path: Path
) -> None:
    credentials = ("--credential", "token", "--credential", "signing-secret")
    made = await add("--program", "cisco", *credentials, "--json")
    assert await gets_in(broker, made["password"])
    token, secret = (made["credentials"][kind] for kind in ("token", "signing_secret"))
    assert (await station.notify(token, said_result(), vendor=NAME))[0] == 200
    assert (await station.notify_signed(secret, said_result(), vendor=NAME))[0] == 200
    assert made["notifications"].endswith(f"/api/exams/v1/vendors/{NAME}/notifications")
    definition = load_vendors(tmp_path / "vendors")[NAME]
    assert (definition.name, definition.programs) == (NAME, ("cisco",))


async def test_added_again_it_keeps_everything_and_says_so(add: Run, broker: BrokerUnderTest) -> None:
    made = await add("--program", "cisco", "--json")
    again = await add("--json")
    assert (again["password"], again["credentials"], again["programs"]) == (None, {}, ["cisco"])
    assert len([line for line in again["done"] if "was there" in line]) == 3
    assert await gets_in(broker, made["password"])
    assert "was there" in await add()


async def test_rotated_secrets_replace_those_of_before(
    add: Run, certrail: Run, broker: BrokerUnderTest, station: VendorStation
) -> None:
    made = await add("--program", "cisco", "--json")
    new = await certrail("vendors", "rotate", NAME, "--broker", "--credential", "token", "--json")
    assert [await gets_in(broker, each["password"]) for each in (made, new)] == [False, True]
    for each in (made, new):
        assert (await station.notify(each["credentials"]["token"], said_result(), vendor=NAME))[0] == 200
    last = await certrail("vendors", "rotate", NAME, "--credential", "token", "--old-works-hours", "0", "--json")
    tokens = [each["credentials"]["token"] for each in (made, new, last)]
    assert [(await station.notify(each, said_result(), vendor=NAME))[0] for each in tokens] == [401, 401, 200]
    assert last["password"] is None


async def test_password_goes_to_a_file_that_only_its_owner_reads(
    add: Run, broker: BrokerUnderTest, tmp_path: Path
) -> None:
    path = tmp_path / "password"
    shown = await add("--password-file", str(path))
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text() not in shown
    assert await gets_in(broker, path.read_text())


async def test_platform_of_this_machine_keeps_the_password(
    add: Run, certrail: Run, broker: BrokerUnderTest, tmp_path: Path
) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "secrets.json").write_text("{}")
    secrets = SecretStore(tmp_path / "state")
    made = await add("--json")
    assert secrets.get(f"amqp/{NAME}") == made["password"]
    assert (tmp_path / "state" / "secrets.json").stat().st_mode & 0o777 == 0o600
    await certrail("vendors", "rotate", NAME, "--broker")
    assert secrets.get(f"amqp/{NAME}") != made["password"]
    assert await gets_in(broker, secrets.get(f"amqp/{NAME}"))
    await certrail("vendors", "remove", NAME)
    assert "amqp" not in (tmp_path / "state" / "secrets.json").read_text()


async def test_removed_vendor_gets_in_nowhere_and_is_still_listed(
    add: Run, certrail: Run, broker: BrokerUnderTest, station: VendorStation
) -> None:
    made = await add("--program", "cisco", "--json")
    token = made["credentials"]["token"]
    await station.notify(token, said_result(), vendor=NAME)
    await certrail("vendors", "remove", NAME)
    assert not await gets_in(broker, made["password"])
    assert (await station.notify(token, said_result(), vendor=NAME))[0] == 401
    row = await listed(certrail)
    assert (row["state"], row["in_all"][0]["count"]) == ("removed", 1)


async def test_vendor_with_rejections_to_read_is_not_removed_by_the_way(
    add: Run, certrail: Run, broker: BrokerUnderTest
) -> None:
    await add("--program", "cisco")
    async with await aio_pika.connect(broker.admin_url) as connection, connection.channel() as channel:
        exchange = await channel.get_exchange("certrail.rejections", ensure=False)
        await exchange.publish(aio_pika.Message(b"{}"), NAME)
    # The broker's figures are some seconds old.
    await eventually(lambda: listed(certrail), lambda row: row["rejections_waiting"] == 1)
    with pytest.raises(CliError, match="1 rejections wait"):
        await certrail("vendors", "remove", NAME)
    assert await broker.management.has_user(NAME)
    await certrail("vendors", "remove", NAME, "--force")
    assert not await broker.management.has_user(NAME)


async def test_list_shows_everybody_with_what_became_of_their_messages(certrail: Run, station: VendorStation) -> None:
    await station.take(reported(result()))
    row = await listed(certrail, "vue")
    assert (row["state"], row["rejections_waiting"]) == ("broker_only", 0)
    assert [(each["verdict"], each["count"]) for each in row["today"]] == [("new", 1)]
    assert (await listed(certrail, "psi"))["last_heard_at"] is None
    shown = await certrail("vendors", "list")
    assert "broker_only" in shown
    assert "psi" in shown


async def test_faults_are_told(certrail: Run, add: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("V.UE", "exams", "operator"):
        with pytest.raises(CliError, match="vendor"):
            await certrail("vendors", "add", name)
    with pytest.raises(CliError, match="there is no vendor"):
        await certrail("vendors", "remove", "nobody")
    with pytest.raises(CliError, match="nothing to change"):
        await certrail("vendors", "rotate", NAME)
    with pytest.raises(CliError, match="404"):
        await certrail("vendors", "rotate", NAME, "--credential", "token")
    with pytest.raises(CliError, match="no user"):
        await certrail("vendors", "rotate", NAME, "--broker")
    with pytest.raises(CliError, match=r"422.*body\.programs"):
        await add("--program", "nowhere")
    monkeypatch.delenv("CERTRAIL_AMQP_ADMIN_URL")
    with pytest.raises(CliError, match="administrator"):
        await add("--program", "cisco")
