"""Status lists and the keys that sign them: no bit is shared or lost, and none ends unnoticed."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from libs.common.http.scopes import KEYS_MANAGE
from libs.common.programs import Program
from services.certs.credentials import bits, status_lists
from tests.service.certs_station import CertsStation
from tests.service.credentials.look import proven, revoked_bit, rows
from tests.service.rig import Base
from tests.service.samples import invalidated, passed, received


async def test_fifty_issues_and_revocations_at_once_share_no_bit_and_lose_none(
    base: Base, programs: dict[str, Program], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status_lists, "LENGTH", 100)  # drawn from so few that the same is drawn again and again
    stations = [CertsStation(replace(base, owner=f"w{number}"), programs) for number in range(2)]
    first = stations[0]
    await first.take(*(received(passed(f"C{n}", f"R{n}")) for n in range(25)))
    await first.settle()
    for n in range(25):
        gone = received(invalidated(f"C{n}", f"R{n}"))
        fresh = received(passed(f"D{n}", f"S{n}"))
        await first.take(gone, fresh)
    await asyncio.gather(*(station.settle() for station in stations))
    found = await rows(base)
    assert len({(row["status_list"], row["status_index"]) for row in found}) == len(found) == 50
    async with first.api() as api:
        answer = await api.fetch("/status/cisco/1")
        listed = bits.decoded(json.loads(await answer.read())["credentialSubject"]["encodedList"])
    is_set = {index for index in range(bits.LENGTH) if listed[index // 8] and bits.is_set(listed, index)}
    assert is_set == {row["status_index"] for row in found if row["candidate_id"].startswith("C")}
    assert {row["state"] for row in found if row["candidate_id"].startswith("D")} == {"valid"}


class Slow:
    """A signer whose first signature takes until it is let go."""

    def __init__(self, signer: Any) -> None:
        self._signer = signer
        self.begun, self.go_on = asyncio.Event(), asyncio.Event()

    async def sign(self, program: str, document: Any) -> Any:
        signed = await self._signer.sign(program, document)
        self.begun.set()
        await self.go_on.wait()
        return signed


async def test_a_slower_list_does_not_replace_a_later_one(base: Base, programs: dict[str, Program]) -> None:
    slow, quick = (CertsStation(replace(base, owner=name), programs) for name in ("slow", "quick"))
    await quick.take(received(passed()))
    await quick.settle()
    lists = slow.parts.background[1].__self__._lists  # type: ignore[attr-defined]
    lists._signer = Slow(lists._signer)
    (row,) = await base.rows("status_lists")
    signing = asyncio.create_task(lists._sign(row))
    await lists._signer.begun.wait()
    await quick.take(received(invalidated()))
    await quick.settle()
    lists._signer.go_on.set()
    await signing
    (gone,) = await rows(base)
    async with quick.api() as api:
        assert await revoked_bit(api, gone)


async def test_a_list_that_is_half_full_is_followed_by_the_next(
    station: CertsStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status_lists, "FULL", 2)
    for n in range(5):
        await station.take(received(passed(f"C{n}", f"R{n}")))
        await station.settle()
    assert sorted(row["status_list"] for row in await rows(station.base)) == [1, 1, 2, 2, 3]
    async with station.api() as api:
        assert [(await api.fetch(f"/status/cisco/{n}")).status for n in (1, 2, 3, 4)] == [200, 200, 200, 404]


async def test_a_list_is_signed_again_before_it_ends(station: CertsStation) -> None:
    await station.take(received(passed()))
    await station.settle()
    (before,) = await station.base.rows("status_lists")
    station.base.clock.advance(timedelta(hours=11))
    await station.settle()
    assert await station.base.rows("status_lists") == [before]
    station.base.clock.advance(timedelta(hours=1))
    # A reader gets one that is in force even where no worker runs.
    station.base.clock.advance(timedelta(hours=13))
    async with station.api() as api:
        document = json.loads(await (await api.fetch("/status/cisco/1")).read())
    assert document["validUntil"] == "2026-11-24T13:00:00Z"
    assert proven(document)


async def test_what_a_compromised_key_has_signed_is_signed_anew(station: CertsStation) -> None:
    await station.take(received(passed()))
    await station.settle()
    (before,) = await rows(station.base)
    async with station.api() as api:
        path = f"/cisco/issuer-keys/{before['kid']}"
        assert (await api.staff("DELETE", path, scopes=KEYS_MANAGE))[0] == 204
        await station.run("lost-keys")
        await station.settle()
        (after,) = await rows(station.base)
        assert (after["version"], after["status_index"]) == (2, before["status_index"])
        assert after["kid"] != before["kid"]
        assert after["valid_from"] > before["valid_from"]
        assert proven(json.loads(after["document"]))
        listed = json.loads(await (await api.fetch("/status/cisco/1")).read())
        assert listed["proof"][0]["verificationMethod"].endswith(after["kid"])
