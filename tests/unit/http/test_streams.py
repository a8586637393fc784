"""Files that a handler reads while they arrive: as long as they arrive, and no longer."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from libs.common.http.files import UploadStream
from libs.common.http.models import Nothing
from libs.common.http.routes import PUBLIC, Call, Route
from libs.common.http.server import Limits
from tests.unit.http.sample_api import BASE, MakeClient, Row

TIMEOUT = 0.5


class Film(UploadStream):
    media_types = ("video/mp4",)


async def watch(call: Call[Nothing, Nothing, Film]) -> Row:
    size = 0
    async for block in call.body.blocks:
        size += len(block)
    return Row(number=size, text=call.body.media_type)


WATCH = Route(method="POST", path="/films", handler=watch, summary="Watch", response=Row, scopes=PUBLIC, body=Film)


async def blocks(count: int, pause: float) -> AsyncIterator[bytes]:
    for _ in range(count):
        await asyncio.sleep(pause)
        yield b"x" * 1000


async def send(make_client: MakeClient, content: AsyncIterator[bytes], kind: str = "video/mp4") -> tuple[int, str]:
    client = await make_client([WATCH], limits=Limits(body_bytes=100, timeout_seconds=TIMEOUT))
    response = await client.post(f"{BASE}/films", data=content, headers={"Content-Type": kind})
    return response.status, await response.text()


async def test_file_that_goes_on_arriving_may_take_longer_than_a_request(make_client: MakeClient) -> None:
    status, body = await send(make_client, blocks(8, TIMEOUT / 4))
    assert (status, '"number":8000' in body) == (200, True)


async def test_file_that_stops_arriving_is_given_up(make_client: MakeClient) -> None:
    status, body = await send(make_client, blocks(2, TIMEOUT * 4))
    assert (status, "timed-out" in body) == (504, True)


async def test_file_of_another_kind_is_refused(make_client: MakeClient) -> None:
    assert (await send(make_client, blocks(1, 0), "image/png"))[0] == 415


def test_stream_cannot_be_repeated_by_a_key() -> None:
    with pytest.raises(ValueError, match="whole body"):
        Route(
            method="POST",
            path="/films",
            handler=watch,
            summary="Watch",
            response=Row,
            scopes=frozenset({"films:write"}),
            body=Film,
            idempotent=True,
        )
