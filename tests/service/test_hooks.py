"""Web hooks: who is told what, signed for others to check, until it is taken, and never behind our own doors."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr
from standardwebhooks.webhooks import WebhookVerificationError

from libs.common.bus import topology
from libs.common.bus.messages import Delivery, Undecodable
from libs.common.events import SINGLE, certs, exams, identity
from libs.common.mongo.client import Document
from libs.common.programs import Program
from services.notify.app import SERVICE as NOTIFY
from services.notify.hooks.known import KnownHooks
from services.notify.hooks.sending import Sending
from services.notify.hooks.store import Claim, HookStore
from tests.nodes import PACKAGES, needs_node
from tests.service.conftest import OpenBase
from tests.service.hook_station import HookStation, Receiver, receiver
from tests.service.privacy_station import PrivacyStation
from tests.service.rig import Rigs, eventually
from tests.service.samples import awarded, outgoing, passed, received
from tests.service.surfaces.surface import OTHER_PROGRAM, staff

AWARDED, PASSED, REGISTERED = certs.CertificationAwarded, exams.ExamPassed, identity.CandidateRegistered
ERASED = identity.CandidateErased


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at once: nothing here waits for the time of a clock on the wall."""
    monkeypatch.setattr(Sending, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(KnownHooks, "STALE_SECONDS", 0.0)


@pytest.fixture
async def station(base_of: OpenBase, programs: dict[str, Program]) -> AsyncIterator[HookStation]:
    async with base_of("notify") as base:
        for step in NOTIFY.migrations:
            await step.apply(base.database)
        station = HookStation(base, programs)
        async with station.surface.serving():
            yield station


@pytest.fixture
async def crm() -> AsyncIterator[Receiver]:
    async with receiver() as found:
        yield found


def registered(family_name: str = "Lovelace") -> identity.CandidateRegistered:
    return identity.CandidateRegistered(
        candidate_id="C1",
        given_name="Ada",
        family_name=family_name,
        email="ada@example.com",
        country="GB",
        registered_at=datetime(2026, 11, 22, tzinfo=UTC),
    )


async def refused(station: HookStation, url: str) -> str:
    """Why a hook may not lead somewhere."""
    body = {"url": url, "events": [AWARDED.event_key], "description": "x"}
    problem = await station.ask("POST", "", 422, json=body)
    assert problem["errors"][0]["path"] == "body.url"
    return str(problem["errors"][0]["message"])


async def tried(station: HookStation, times: int) -> list[Document]:
    """Wait until the message that waits has been tried so often."""
    return await eventually(lambda: station.rows(state="waiting", attempts=times), bool)


async def test_what_happens_is_told_to_those_who_asked_once_and_signed(
    station: HookStation, crm: Receiver, programs: dict[str, Program]
) -> None:
    async with receiver() as other, station.sending():
        hook = await station.hook(crm.url, AWARDED, REGISTERED)
        told_more = await station.hook(other.url, REGISTERED, personal=True)
        await station.happens(awarded("C1"), awarded("C2"), registered(), passed("C3"), times=3)
        await station.happens(awarded("C4"), program=OTHER_PROGRAM)
        await station.settled("delivered", 4)

        events = [got.read(hook["secret"]) for got in crm.got]
        kinds = [(event["type"], event["data"]["candidate_id"]) for event in events]
        assert sorted(kinds) == [
            (AWARDED.event_type, "C1"), (AWARDED.event_type, "C2"), (REGISTERED.event_type, "C1"),
        ]  # fmt: skip
        (plain,) = [event for event in events if event["type"] == REGISTERED.event_type]
        assert plain["data"] == {"candidate_id": "C1", "country": "GB", "registered_at": "2026-11-22T00:00:00Z"}
        assert plain["program"] == "cisco"
        assert "because" not in events[kinds.index((AWARDED.event_type, "C1"))]["data"]
        (whole,) = [got.read(told_more["secret"]) for got in other.got]
        assert (whole["data"]["email"], whole["id"]) == ("ada@example.com", plain["id"])
        with pytest.raises(WebhookVerificationError):
            crm.got[0].read(told_more["secret"])

        page = await station.ask("GET", f"/{hook['hook_id']}/deliveries?limit=2")
        rest = await station.ask("GET", f"/{hook['hook_id']}/deliveries?cursor={page['next']}")
        shown = page["items"] + rest["items"]
        assert {each["message_id"] for each in shown} == {got.id for got in crm.got}
        assert {(each["state"], each["tries"][0]["status"]) for each in shown} == {("delivered", 204)}
        assert "secret" not in await station.ask("GET", f"/{hook['hook_id']}")
        kept = str(await station.base.rows("hooks")) + str(await station.base.rows("idempotency"))
        assert hook["secret"].removeprefix("whsec_") not in kept
        assert "Lovelace" not in str(await station.rows(hook_id=hook["hook_id"]))


async def test_secret_changes_without_a_gap_and_a_ping_shows_that_it_works(station: HookStation, crm: Receiver) -> None:
    made = await station.hook(crm.url, AWARDED)
    path = f"/{made['hook_id']}"
    second = await station.ask("POST", f"{path}/secrets", 201, json={"old_works_hours": 48})
    async with station.sending():
        ping = await station.ask("POST", f"{path}/pings", 202)
        await crm.until(1)
        await station.settled("delivered", 1)
        for secret in (made["secret"], second["secret"]):
            assert crm.got[0].read(secret)["type"] == "certrail.notify.HookPing.v1"
        assert crm.got[0].id == ping["message_id"]

        third = await station.ask("POST", f"{path}/secrets", 201, json={"old_works_hours": 1})
        await station.ask("POST", f"{path}/pings", 202)
        (_, got) = await crm.until(2)
        got.read(second["secret"])
        got.read(third["secret"])
        with pytest.raises(WebhookVerificationError):  # of before the one before: it ended with the next change
            got.read(made["secret"])

        station.base.clock.advance(timedelta(hours=1))
        await station.ask("POST", f"{path}/pings", 202)
        got = (await crm.until(3))[-1]
        assert len(got.headers["webhook-signature"].split()) == 1
        await station.ask("PATCH", path, json={"state": "paused"})
        await station.ask("POST", f"{path}/pings", 409)
        await station.happens(awarded())
        await station.ask("DELETE", path, 204)
        assert not await station.rows()
        assert len(crm.got) == 3


@needs_node
async def test_library_for_node_reads_what_is_sent(station: HookStation, crm: Receiver) -> None:
    hook = await station.hook(crm.url, AWARDED, REGISTERED, personal=True)
    async with station.sending():
        await station.happens(awarded(), registered("Čapek-Ω"))
        await station.settled("delivered", 2)
    changed = [{"body": got.body.decode() + " ", "headers": got.headers} for got in crm.got[:1]]
    messages = [{"body": got.body.decode(), "headers": got.headers} for got in crm.got] + changed
    process = await asyncio.create_subprocess_exec(
        "node", "read_hooks.mjs", cwd=PACKAGES, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate(json.dumps({"secret": hook["secret"], "messages": messages}).encode())
    assert json.loads(output) == [*(got.event["type"] for got in crm.got), "No matching signature found"]


async def test_message_is_tried_for_days_then_kept_dead_and_sent_again_when_asked(
    station: HookStation, crm: Receiver
) -> None:
    async def later(_: web.Request) -> web.StreamResponse:
        return web.Response(status=429, headers={"Retry-After": "3600"})

    async def cut(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    clock = station.base.clock
    hook = await station.hook(crm.url, AWARDED)
    crm.answers = [500, later, cut]
    async with station.another(hooks_off_days=30).sending():
        await station.happens(awarded())
        for tries, pause in ((1, 5), (2, 3600), (3, 300)):
            (row,) = await tried(station, tries)
            assert row["due_at"] - clock.now() == timedelta(seconds=pause)
            clock.advance(timedelta(seconds=pause))
        (row,) = await station.settled("delivered")
        assert [each["error"] for each in row["tries"]] == ["status 500", "status 429", "connection lost", None]
        assert len({got.id for got in crm.got}) == 1
        await eventually(lambda: station.ask("GET", f"/{hook['hook_id']}"), lambda shown: shown["failures"] == 0)

        crm.always = 500
        await station.happens(awarded("C2"))
        await eventually(lambda: station.rows(state="waiting", attempts=1), bool)
        clock.advance(timedelta(days=5))
        (dead,) = await station.settled("dead")
        assert "due_at" not in dead

        crm.always = 200
        asked = {"first": (clock.now() - timedelta(days=6)).isoformat()}
        assert await station.ask("POST", f"/{hook['hook_id']}/replays", 202, json=asked) == {"count": 1}
        await station.settled("delivered", 2)
        crm.got.clear()
        asked_by_id = {"delivery_ids": [dead["_id"], "another"]}
        assert await station.ask("POST", f"/{hook['hook_id']}/replays", 202, json=asked_by_id) == {"count": 1}
        (again,) = await crm.until(1)
        assert again.id == f"msg_{dead['_id']}"


async def test_hook_that_takes_nothing_rests_is_switched_off_and_gets_all_that_waits_when_it_is_back(
    station: HookStation, crm: Receiver
) -> None:
    clock = station.base.clock
    path = f"/{(await station.hook(crm.url, AWARDED))['hook_id']}"
    crm.always = 503
    await station.happens(*(awarded(f"C{number}") for number in range(20)))
    async with station.sending():
        # Those under way when it became clear, then one at a time with a rest after each.
        (kept,) = await eventually(lambda: station.base.rows("hooks", rest_until={"$ne": None}), bool)
        assert kept["rest_until"] > clock.now()
        async with receiver() as well:  # as much as all of them, on its way meanwhile
            await station.hook(well.url, PASSED)
            await station.happens(*(passed(f"P{number}", f"R{number}") for number in range(40)))
            await station.settled("delivered", 40)
        assert 3 <= len(crm.got) <= Sending.AT_ONCE + 2

        far = {"$set": {"due_at": clock.now() + timedelta(hours=10)}}
        assert (await station.base.database["hook_deliveries"].update_one({"attempts": 1}, far)).modified_count
        clock.advance(timedelta(minutes=6))
        crm.always = 204
        await station.settled("delivered", 60)
        await eventually(lambda: station.ask("GET", path), lambda hook: hook["failing_since"] is None)

        crm.always = 500
        await station.happens(awarded("C21"))
        await eventually(lambda: station.ask("GET", path), lambda hook: hook["failures"] == 1)
        clock.advance(timedelta(days=5))
        row = await eventually(lambda: station.ask("GET", path), lambda hook: hook["state"] == "off")
        assert (row["off_because"], row["last_error"]) == ("failing", "status 500")
        await station.happens(awarded("C22"))
        assert not [each for each in await station.rows() if each["candidates"] == ["C22"]]

        await station.ask("PATCH", path, json={"state": "active"})
        crm.always = 410
        await station.happens(awarded("C23"))
        row = await eventually(lambda: station.ask("GET", path), lambda hook: hook["state"] == "off")
        assert row["off_because"] == "gone"


async def test_slow_receiver_holds_up_nobody_else_and_gets_few_at_once(station: HookStation, crm: Receiver) -> None:
    free = asyncio.Event()

    async def slow(_: web.Request) -> web.StreamResponse:
        await free.wait()
        return web.Response()

    async with receiver() as tarpit:
        tarpit.always = slow
        await station.hook(tarpit.url, AWARDED)
        quick = await station.hook(crm.url, AWARDED)
        async with station.sending():
            await station.happens(*(awarded(f"C{number}") for number in range(30)))
            await eventually(
                lambda: station.rows(hook_id=quick["hook_id"], state="delivered"), lambda rows: len(rows) == 30
            )
            assert len(tarpit.got) == tarpit.most == Sending.AT_ONCE
            assert crm.most <= Sending.AT_ONCE
            free.set()
            await station.settled("delivered", 60)
        assert tarpit.most == Sending.AT_ONCE


async def test_no_hook_leads_behind_our_own_doors(
    station: HookStation, crm: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = station.another(hooks_private_networks=None)
    async with outside.surface.serving():
        for url in (
            crm.url,
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://169.254.169.254/latest/",
            "https://localhost/",
        ):
            assert await refused(outside, url) in {"must be an https address", "leads to a private address"}

        # What leads to a public address today leads inside tomorrow: by its name, or by a redirect.
        port = int(crm.url.split(":")[2].split("/")[0])
        found = {"moves.example": "93.184.216.34"}
        real = socket.getaddrinfo

        def look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
            return real(found.get(host, host), *args, **kwargs)

        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        await outside.hook(f"https://moves.example:{port}/hook", AWARDED)
        found["moves.example"] = "127.0.0.1"
        await outside.happens(awarded("C1"))
        async with outside.sending():
            (row,) = await tried(station, 1)
        assert row["tries"][0]["error"] == "private address"
        # An address that was good when it was registered, and is looked up by nobody.
        await station.base.database["hooks"].update_one({}, {"$set": {"url": crm.url}})
        station.base.clock.advance(timedelta(minutes=1))
        async with outside.sending():
            (row,) = await tried(station, 2)
        assert row["tries"][1]["error"] == "private address"
        assert not crm.got

    async with receiver() as front, station.sending():

        async def elsewhere(_: web.Request) -> web.StreamResponse:
            return web.Response(status=307, headers={"Location": crm.url})

        front.always = elsewhere
        await station.hook(front.url, PASSED)
        await station.happens(passed())
        (row,) = await eventually(lambda: station.rows(event=PASSED.event_key), lambda rows: bool(rows[0]["tries"]))
        assert row["tries"][0]["error"] == "status 307"
        assert not crm.got


async def test_two_processes_send_each_message_once_and_take_over_what_a_dead_one_had_claimed(
    station: HookStation, crm: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = await station.hook(crm.url, AWARDED)
    await station.happens(*(awarded(f"C{number}") for number in range(40)))
    async with station.sending(), station.another().sending():
        await station.settled("delivered", 40)
    assert len(crm.got) == len({got.id for got in crm.got}) == 40

    # The second has looked before the first claims, and claims after it.
    everything = {"first": "2026-01-01T00:00:00Z", "only_dead": False}
    await station.ask("POST", f"/{hook['hook_id']}/replays", 202, json=everything)
    first, second, now = HookStore(station.base.database), HookStore(station.base.database), station.base.clock.now()
    until = now + Sending.LEASE
    claimed: list[Document] = []

    class Late:
        def __init__(self, rows: Any) -> None:
            self._rows = rows

        def __getattr__(self, name: str) -> Any:
            return getattr(self._rows, name)

        async def update_many(self, *change: Any) -> Any:
            claimed.extend(await first.claim(hook["hook_id"], Claim("first", until), now, 40))
            return await self._rows.update_many(*change)

    monkeypatch.setattr(second, "_deliveries", Late(station.base.database["hook_deliveries"]))
    assert not await second.claim(hook["hook_id"], Claim("second", until), now, 40)
    assert len(claimed) == 40
    await station.base.database["hook_deliveries"].delete_many({})
    crm.got.clear()

    # Killed after the receiver has taken it, before that is written down.
    await station.happens(awarded("C40"))
    row = (await station.rows(state="waiting"))[0]
    taken = {"state": "sending", "claimed_by": "dead", "due_at": station.base.clock.now() + Sending.LEASE}
    await station.base.database["hook_deliveries"].update_one({"_id": row["_id"]}, {"$set": taken})
    async with station.sending():
        await station.ask("POST", f"/{hook['hook_id']}/pings", 202)
        await station.settled("delivered", 1)
        assert len(crm.got) == 1
        station.base.clock.advance(Sending.LEASE)
        await station.settled("delivered", 2)
    assert crm.got[-1].id == f"msg_{row['_id']}"


async def test_who_is_erased_is_told_about_once_more_and_never_again(
    station: HookStation, crm: Receiver, programs: dict[str, Program]
) -> None:
    await station.hook(crm.url, AWARDED, REGISTERED, ERASED, personal=True)
    await station.happens(registered(), awarded("C1"), awarded("C2"))
    files = await PrivacyStation(station.base, programs).exported("C1")
    assert len(files["told_to_systems.json"]) == 2
    assert "ada@example.com" in files["told_to_systems.json"][0]["body"] + files["told_to_systems.json"][1]["body"]
    erased = identity.CandidateErased(
        candidate_id="C1",
        accounts=[identity.ErasedAccount(candidate_id="C1", pseudonym="erased-1")],
        erased_at=station.base.clock.now(),
    )
    work = next(each.work for each in station.parts.subscriptions if each.queue == topology.events_queue("notify"))
    await station.base.handle(work, received(erased))
    assert [row["candidates"] for row in await station.rows()] == [["C2"]]
    await station.happens(erased, awarded("C1"), erased.model_copy(update={"again": True}))
    assert sorted(row["candidates"] for row in await station.rows()) == [[], ["C2"]]
    await station.base.handle(work, received(erased.model_copy(update={"again": True})))
    async with station.sending():
        await station.settled("delivered", 2)
    (told,) = [got.event for got in crm.got if got.event["type"] == ERASED.event_type]
    assert told["data"]["accounts"] == [{"candidate_id": "C1"}]
    assert len(crm.got) == 2


async def test_events_come_from_the_bus_by_a_queue_of_their_own(
    rigs: Rigs, programs: dict[str, Program], crm: Receiver
) -> None:
    async with rigs("notify") as rig:
        station = HookStation(rig, programs)
        async with station.surface.serving(), station.sending():
            hook = await station.hook(crm.url, AWARDED)
            taken_in = station.subscription
            async with rig.consuming(topology.HOOKS, taken_in.work, decode=taken_in.decode):
                await rig.bus.publish(*outgoing("certs", [awarded("C1"), awarded("C2")]), user="certs")
                got = await crm.until(2)
            assert {each.read(hook["secret"])["data"]["candidate_id"] for each in got} == {"C1", "C2"}


async def test_what_no_hook_wants_is_not_read_until_one_does(
    station: HookStation, crm: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(KnownHooks, "STALE_SECONDS", 60.0)
    decode = station.subscription.decode
    other = Delivery(b"{", topology.EVENTS, "x", SINGLE, PASSED.event_type, "1", None, {})
    (message,) = outgoing("certs", [awarded("C1")])
    news = replace(other, body=message.body, content_type=message.content_type, type=AWARDED.event_type)
    assert len(decode(news)) == 1, "nothing is known yet"
    await station.take(news)  # upon which is asked who wants what
    assert (list(decode(news)), list(decode(other))) == ([], [])
    await station.hook(crm.url, AWARDED)
    await station.take(news)
    assert (len(decode(news)), list(decode(other))) == (1, [])
    monkeypatch.setattr(KnownHooks, "STALE_SECONDS", 0.0)
    (refused,) = decode(other)
    assert isinstance(refused, Undecodable)


async def test_without_a_key_there_are_no_hooks(station: HookStation, crm: Receiver) -> None:
    await station.hook(crm.url, AWARDED)
    keyless = station.another(hooks_secret=None)
    async with keyless.surface.serving():
        body = {"url": crm.url, "events": [AWARDED.event_key], "description": "x"}
        problem = await keyless.ask("POST", "", 409, json=body)
        assert "CERTRAIL_HOOKS_SECRET" in problem["detail"]
        for wrong in ({"events": ["identity.AccessRequested.v1"]}, {"events": []}, {"url": "https://8.8.8.8:x/"}):
            await keyless.ask("POST", "", 422, json=body | wrong)
        await keyless.ask("GET", "", 404, by=staff(OTHER_PROGRAM))
    other = station.another(hooks_secret=SecretStr("o" * 32))
    await station.happens(awarded())
    async with other.sending():
        (row,) = await tried(station, 1)
    assert row["tries"][0]["error"] == "our secret cannot be read"
    assert (await station.base.rows("hooks"))[0]["failures"] == 0
    assert not crm.got
