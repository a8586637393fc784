"""The SFTP client on a real server: files come and go whole, and each thing that can be wrong has its name."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncssh
import pytest
from pydantic import ValidationError

from libs.common.vendor_files.sftp import Fault, SftpError, SftpShape, connect
from tests.service.sftp_server import SecretsInHand, SftpUnderTest, sftp_server

SECRETS = SecretsInHand({"certrail-password": "open sesame"})


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[SftpUnderTest]:
    (tmp_path / "out").mkdir()
    async with sftp_server(tmp_path) as server:
        yield server


async def blocks(*contents: bytes) -> AsyncIterator[bytes]:
    for content in contents:
        await asyncio.sleep(0)
        yield content


async def fault_of(server: SftpShape, secrets: SecretsInHand = SECRETS, path: str | None = None) -> Fault:
    async def ask() -> None:
        async with asyncio.timeout(20), connect(server, secrets) as session:
            if path is not None:
                _ = [block async for block in session.read(path)]

    with pytest.raises(SftpError) as raised:
        await ask()
    return raised.value.fault


async def test_files_are_listed_read_written_and_removed(server: SftpUnderTest) -> None:
    content = bytes(range(256)) * 4_000
    async with connect(server.shape(), SECRETS) as session:
        await session.write("/out/b.zip", blocks(content[:1000], content[1000:]))
        await session.write("/out/a.zip", blocks(b"first"))
        await session.write("/out/a.zip", blocks(b"second"))
        (server.folder / "out" / "folder").mkdir()
        listed = await session.list("/out")
        assert [(file.name, file.path, file.size) for file in listed] == [
            ("a.zip", "/out/a.zip", 6),
            ("b.zip", "/out/b.zip", len(content)),
        ]
        assert b"".join([block async for block in session.read("/out/b.zip")]) == content
        assert await session.look("/out/a.zip") == listed[0]
        await session.remove("/out/a.zip")
        await session.remove("/out/a.zip")
        assert await session.look("/out/a.zip") is None
    assert sorted(path.name for path in (server.folder / "out").iterdir()) == ["b.zip", "folder"]


async def test_file_that_breaks_off_while_it_is_written_is_never_seen(server: SftpUnderTest) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"half"
        raise RuntimeError("no more")

    async with connect(server.shape(), SECRETS) as session:
        await session.write("/out/a.zip", blocks(b"whole"))
        with pytest.raises(RuntimeError, match="no more"):
            await session.write("/out/a.zip", broken())
        assert [file.name for file in await session.list("/out")] == ["a.zip"]
    assert (server.folder / "out" / "a.zip").read_bytes() == b"whole"


async def test_key_opens_as_well_as_a_password(tmp_path: Path) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    public = key.export_public_key().decode()
    async with sftp_server(tmp_path, passwords={}, keys={"certrail": public}) as server:
        secrets = SecretsInHand({"key": key.export_private_key().decode()})
        async with connect(server.shape(password=None, private_key="key"), secrets) as session:
            assert await session.list("/") == []


async def test_each_fault_has_its_name(server: SftpUnderTest) -> None:
    (server.folder / "secret.zip").write_bytes(b"x")
    server.forbidden.add("/secret.zip")
    right = server.shape()
    assert await fault_of(right, path="/secret.zip") is Fault.DENIED
    assert await fault_of(right, path="/none.zip") is Fault.MISSING
    assert await fault_of(right, SecretsInHand({"certrail-password": "wrong"})) is Fault.LOGIN
    assert await fault_of(right, SecretsInHand({})) is Fault.SECRET
    key = server.shape(password=None, private_key="certrail-password")
    assert await fault_of(key) is Fault.SECRET
    await server.stop()
    assert await fault_of(right) is Fault.UNREACHABLE


async def test_server_with_another_key_learns_no_password(server: SftpUnderTest) -> None:
    shape = server.shape()
    await server.change_host_key()
    assert await fault_of(shape) is Fault.HOST_KEY
    assert server.logins == 0


async def test_connection_that_breaks_in_the_middle_of_a_file_is_an_error(server: SftpUnderTest) -> None:
    (server.folder / "large.zip").write_bytes(bytes(3_000_000))
    server.breaks_after = 1_000_000
    assert await fault_of(server.shape(), path="/large.zip") in {Fault.UNREACHABLE, Fault.FAILED}


@pytest.mark.parametrize(
    "wrong",
    [
        {"password": None},
        {"host_keys": []},
        {"host_keys": ["ssh-ed25519 none"]},
        {"port": 0},
        {"password": "Not Plain"},
    ],
)
def test_definition_must_pin_the_server_and_name_a_secret(wrong: dict[str, object]) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
    right = {"host": "sftp.vue.example", "username": "certrail", "host_keys": [key], "password": "vue-sftp"}
    SftpShape.model_validate(right)
    with pytest.raises(ValidationError):
        SftpShape.model_validate(right | wrong)
