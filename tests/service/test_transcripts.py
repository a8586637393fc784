"""Transcripts: made by the candidate, shown to whoever has the link, as of now or as of the freeze."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pymongo.errors import AutoReconnect
from pymongo.monitoring import CommandListener, CommandStartedEvent

from libs.common.clock import FixedClock
from libs.common.mongo.client import open_client, open_database
from libs.common.mongo.gathered import GatheredReads
from libs.common.programs import Program
from services.certs.public.codes import ALPHABET, LENGTH
from services.certs.transcripts.store import VIEWS, TranscriptStore
from services.certs.transcripts.visits import VisitLog
from tests.servers import MongoUnderTest
from tests.service.certs_station import CertsStation
from tests.service.conftest import OpenBase
from tests.service.outgoing_station import person, profile
from tests.service.privacy_station import PrivacyStation
from tests.service.rig import eventually, said
from tests.service.samples import course, invalidated, linked, passed, received, reported
from tests.service.transcript_desk import (
    BROWSER,
    CORE,
    LINKS,
    ME,
    NOW,
    PAGE,
    Sharer,
    begin,
    decide,
    earn_professional,
    path_of,
    sharing,
)
from tests.unit.certs.desk import merged, separated

REVOKED_ON = "2026-10-02"
ENDED = "This link has ended."


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
async def station(base_of: OpenBase, programs: dict[str, Program]) -> AsyncIterator[CertsStation]:
    async with base_of("certs") as base:
        station = CertsStation(base, programs)
        await begin(station)
        yield station


@pytest.fixture
async def me(station: CertsStation) -> AsyncIterator[Sharer]:
    async with sharing(station) as sharer:
        yield sharer


async def test_published_transcript_is_shown_to_whoever_has_the_link(station: CertsStation, me: Sharer) -> None:
    made = await me.publish(remarks="For lot 2")
    assert made["valid_through"] == "2027-02-20", "90 days"
    assert made["state"] == "open"
    status, seen = await me.json(path_of(made))
    assert status == 200
    assert seen["heading"] == "Genuine and unchanged."
    assert seen["text"] == ("Cisco Certification Program issued this to Zoë Ångström. One certification is active.")
    assert (seen["verdict"], seen["name"], seen["remarks"], seen["kind"]) == (
        "genuine",
        "Zoë Ångström",
        "For lot 2",
        "live",
    )
    (item,) = seen["certifications"]
    assert (item["certification"], item["state"], item["expires_on"]) == ("CCNA", "active", "2028-03-10")
    status, page = await me.page(path_of(made))
    assert status == 200
    assert "<h1>Genuine and unchanged.</h1>" in page
    assert "<bdi>Zoë Ångström</bdi>" in page
    assert [event["type"].split(".")[-2] for event in said(station.base)][-1] == "TranscriptPublished"


async def test_page_tells_minimal_data_and_loads_nothing_but_ours(me: Sharer) -> None:
    made = await me.publish(label="Secret tender")
    response = await me.callers.fetch(path_of(made), **PAGE)
    page = await response.text()
    for private in ("c1@example.com", "C1", "Secret tender", "score"):
        assert private not in page
    assert "<script" not in page
    assert " style=" not in page
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert "script" not in response.headers["Content-Security-Policy"]
    assert response.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["Cache-Control"] == "private, no-cache"
    assert "Set-Cookie" not in response.headers
    for address in re.findall(r'(?:href|src)="(/api/certs/v1/public/assets/[^"]+)"', page):
        asset = await me.callers.fetch(address.removeprefix("/api/certs/v1/public"))
        assert (asset.status, asset.headers["Cache-Control"]) == (200, "public, max-age=31536000, immutable")


async def test_page_is_in_the_readers_language_and_answers_for_programs_are_english(me: Sharer) -> None:
    made = await me.publish()
    path = path_of(made)
    english = await me.callers.fetch(path, **PAGE)
    spanish = await me.callers.fetch(path, **PAGE, **{"Accept-Language": "es"})
    chosen = await me.callers.fetch(f"{path}?lang=ar", **PAGE, **{"Accept-Language": "es"})
    assert "<h1>Auténtico y sin cambios.</h1>" in await spanish.text()
    assert '<html lang="ar" dir="rtl">' in await chosen.text()
    assert [one.headers["Content-Language"] for one in (english, spanish, chosen)] == ["en", "es", "ar"]
    assert {one.headers["Vary"] for one in (english, spanish, chosen)} == {"Accept, Accept-Language"}
    kept = {"If-None-Match": english.headers["ETag"]}
    again = [await me.callers.fetch(path, **PAGE, **kept, **{"Accept-Language": one}) for one in ("en", "es")]
    assert [one.status for one in again] == [304, 200], "a page that a browser has kept is not shown to another reader"
    program = await me.callers.fetch(path, accept="application/json", **{"Accept-Language": "es"})
    assert (await program.json())["heading"] == "Genuine and unchanged."
    await me.withdraw(made)
    gone = await me.callers.fetch(path, **PAGE, **{"Accept-Language": "es"})
    assert (gone.status, "Este enlace ha terminado." in await gone.text()) == (410, True)


async def test_remark_with_markup_stays_text(me: Sharer) -> None:
    remark = '<script>alert(1)</script><img src=x onerror=alert(2)> & "quoted" {{ 7 * 7 }} \u202eevil'
    made = await me.publish(remarks=remark)
    _, page = await me.page(path_of(made))
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "{{ 7 * 7 }}" in page
    assert (await me.json(path_of(made)))[1]["remarks"] == remark


async def test_right_to_left_name_stands_by_itself(station: CertsStation, me: Sharer) -> None:
    await station.take(profile(version=3, given_name="ليلى", family_name="حداد"))
    _, page = await me.page(path_of(await me.publish()))
    assert "<strong><bdi>ليلى حداد</bdi></strong>" in page


async def test_live_transcript_says_what_is_true_now(me: Sharer, clock: FixedClock) -> None:
    made = await me.publish(valid_through="2028-12-31")
    await decide(me, "suspend", "2026-11-01")
    assert (await me.json(path_of(made)))[1]["heading"] == "Not valid at present: suspended."
    await decide(me, "reinstate", "2026-11-02")
    assert (await me.json(path_of(made)))[1]["verdict"] == "genuine"
    clock.advance(datetime(2028, 3, 11, 12, tzinfo=UTC) - NOW)
    _, seen = await me.json(path_of(made))
    assert (seen["heading"], seen["summary"]) == (
        "Genuine, but expired.",
        "Its last active day was 10 March 2028.",
    )
    assert "Expired" in (await me.page(path_of(made)))[1]


async def test_revoked_certification_is_said_plainly_and_without_a_reason(me: Sharer) -> None:
    made = await me.publish()
    await decide(me, "revoke", REVOKED_ON)
    _, page = await me.page(path_of(made))
    assert "<h1>Not valid: revoked on 2 October 2026.</h1>" in page
    assert "Genuine" not in page
    assert "as found" not in page


async def test_pass_that_turns_out_void_leaves_nothing_genuine(station: CertsStation, me: Sharer) -> None:
    live = await me.publish(exams=["200-301"])
    frozen = await me.publish(kind="frozen", exams=["200-301"])
    await station.take(received(invalidated("C1", "R-C1", known_at=NOW)))
    for made in (live, frozen):
        _, seen = await me.json(path_of(made))
        assert seen["verdict"] == "revoked"
        assert [exam["state"] for exam in seen["exams"]] == ["withdrawn"]


async def test_frozen_transcript_keeps_its_day_but_tells_what_was_revoked_since(
    station: CertsStation, me: Sharer, clock: FixedClock
) -> None:
    made = await me.publish(kind="frozen", exams=["200-301"], valid_through="2028-12-31")
    await earn_professional(station)
    await station.take(profile(version=3, given_name="Ada", family_name="Smith"))
    clock.advance(timedelta(days=500))
    _, seen = await me.json(path_of(made))
    assert seen["heading"] == "Genuine, as of 22 November 2026."
    assert seen["as_of"] == "2026-11-22"
    assert seen["summary"].startswith("It shows that day, not today. The owner can share a live one.")
    assert seen["name"] == "Zoë Ångström", "as it was then"
    (item,) = seen["certifications"]
    assert (item["state"], item["expires_on"]) == ("active", "2028-03-10"), "renewed since, which it does not show"
    await decide(me, "revoke", REVOKED_ON)
    _, seen = await me.json(path_of(made))
    assert (seen["verdict"], seen["heading"]) == ("revoked", "Not valid: revoked on 2 October 2026.")


async def test_credits_are_an_item_like_any_other(station: CertsStation, me: Sharer) -> None:
    status, refused = await me.callers.candidate("POST", LINKS, label="x", certifications=["CCNA"], credits=True)
    assert (status, refused["errors"][0]["path"]) == (422, "body.credits")
    await station.take(received(linked()))
    await station.take_reports(reported(course(credits=12)))
    without = await me.publish()
    live, frozen = await me.publish(credits=True), await me.publish("CCNA", credits=True, kind="frozen")
    assert (await me.json(path_of(without)))[1]["credits"] is None
    assert (await me.json(path_of(live)))[1]["credits"] == {"counting": 12, "until": "2028-03-10"}
    assert "12 credits count, in the cycle until" in (await me.page(path_of(live)))[1]
    await station.take_reports(reported(course(completion_id="K2", course_code="OTHER", credits=6)))
    assert (await me.json(path_of(live)))[1]["credits"]["counting"] == 18
    assert (await me.json(path_of(frozen)))[1]["credits"]["counting"] == 12
    assert (await me.edit(live, credits=False))[0] == 200
    assert (await me.json(path_of(live)))[1]["credits"] is None


async def test_items_are_chosen_and_nothing_else_is_shown(station: CertsStation, me: Sharer) -> None:
    await earn_professional(station)
    _, choices = await me.callers.candidate("GET", f"{ME}/transcript-choices")
    assert {one["certification"] for one in choices["certifications"]} >= {"CCNA", "CCNP-Enterprise"}
    assert {one["exam"] for one in choices["exams"]} == {"200-301", CORE, "300-420"}
    made = await me.publish("CCNP-Enterprise", exams=[CORE])
    _, seen = await me.json(path_of(made))
    assert [one["certification"] for one in seen["certifications"]] == ["CCNP-Enterprise"]
    assert [(one["exam"], one["passed_on"]) for one in seen["exams"]] == [(CORE, "2025-06-02")]
    assert seen["credits"] is None


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"certifications": ["CCIE-Security"]}, "body.certifications.0"),
        ({"exams": ["350-701"]}, "body.exams.0"),
        ({"credits": True}, "body.credits"),
        ({"certifications": []}, "body"),
        ({"valid_through": "2026-11-20"}, "body.valid_through"),
        ({"valid_through": "2031-01-01"}, "body.valid_through"),
    ],
)
async def test_what_cannot_be_shared_is_refused(me: Sharer, body: Any, path: str) -> None:
    fields = {"label": "x", "certifications": ["CCNA"]} | body
    status, problem = await me.callers.candidate("POST", LINKS, **fields)
    assert (status, problem["errors"][0]["path"]) == (422, path)


async def test_revoked_certification_is_not_available_and_says_why(me: Sharer) -> None:
    await decide(me, "revoke", REVOKED_ON)
    status, problem = await me.callers.candidate("POST", LINKS, label="x", certifications=["CCNA"])
    assert (status, problem["type"]) == (409, "urn:certrail:problem:certification-not-active")
    assert problem["detail"] == "Not available: it was revoked on 2 October 2026."


async def test_edit_replaces_what_a_live_one_says_and_keeps_the_items_of_a_frozen_one(
    station: CertsStation, me: Sharer
) -> None:
    await earn_professional(station)
    live, frozen = await me.publish(), await me.publish(kind="frozen")
    status, changed = await me.edit(
        live, certifications=["CCNP-Enterprise"], remarks="New", valid_through="2027-06-30", label="Other"
    )
    assert (status, changed["link"], changed["valid_through"]) == (200, live["link"], "2027-06-30")
    _, seen = await me.json(path_of(live))
    assert ([one["certification"] for one in seen["certifications"]], seen["remarks"]) == (["CCNP-Enterprise"], "New")
    assert (await me.edit(frozen, certifications=["CCNP-Enterprise"]))[0] == 409
    assert (await me.edit(frozen, remarks="Only this"))[0] == 200


async def test_withdrawn_and_ended_links_say_the_same_and_nothing_of_the_person(me: Sharer, clock: FixedClock) -> None:
    withdrawn, ended = await me.publish(), await me.publish(valid_through="2026-11-30")
    for made in (withdrawn, ended):
        assert (await me.page(path_of(made)))[0] == 200
    assert await me.withdraw(withdrawn) == 204
    assert await me.withdraw(withdrawn) == 204
    first = await me.page(path_of(withdrawn))
    clock.advance(timedelta(days=9))
    second = await me.page(path_of(ended))
    assert first == second
    assert first[0] == 410
    assert ENDED in first[1]
    assert "Zoë" not in first[1]
    assert "Cisco" not in first[1]
    for made in (withdrawn, ended):
        for below in ("", "/record", "/receipt.jwt"):
            status, problem = await me.json(path_of(made) + below)
            assert (status, problem["type"]) == (410, "urn:certrail:problem:no-longer-there")
    assert (await me.edit(withdrawn, remarks="again"))[0] == 409
    assert [one["state"] for one in (await me.callers.candidate("GET", LINKS))[1]["items"]] == ["ended", "withdrawn"]


async def test_unknown_link_is_not_found_and_withdrawn_is_told_once(station: CertsStation, me: Sharer) -> None:
    status, page = await me.page("/v/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
    assert status == 404
    assert "There&#39;s nothing here." in page
    made = await me.publish()
    await me.withdraw(made)
    await me.withdraw(made)
    kinds = [event["type"].split(".")[-2] for event in said(station.base)]
    assert kinds.count("TranscriptWithdrawn") == 1


class Commands(CommandListener):
    """Which questions reach the database."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def started(self, event: CommandStartedEvent) -> None:
        if event.command_name in {"find", "aggregate", "getMore", "count"}:
            self.asked.append((event.command_name, str(event.command[event.command_name])))

    def succeeded(self, event: Any) -> None:
        pass

    def failed(self, event: Any) -> None:
        pass


async def test_unknown_link_and_code_cost_the_database_what_known_ones_do(
    station: CertsStation, me: Sharer, mongo: MongoUnderTest
) -> None:
    made, gone = await me.publish(), await me.publish()
    await me.withdraw(gone)
    commands = Commands()
    client = open_client(mongo.url("certs"), application="counted", listeners=[commands])
    try:
        base = replace(station.base, client=client, database=open_database(client))
        async with sharing(CertsStation(base, station.programs)) as other:
            costs: dict[str, list[tuple[str, str]]] = {}
            unknown = "/v/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
            codes = (f"/check/{made['code']}", f"/check/{gone['code']}", "/check/2222-2222-2222")
            for path in (path_of(made), path_of(gone), unknown, *codes):
                commands.asked.clear()
                await other.page(path)
                costs[path] = sorted(commands.asked)
        known, withdrawn, never, *by_code = costs.values()
        assert known == withdrawn == never
        assert ("find", "transcripts") in known
        assert by_code[0] == by_code[1] == by_code[2]
        assert ("find", "verification_codes") in by_code[0]
    finally:
        client.close()


async def test_page_that_was_shown_is_not_shown_from_memory(me: Sharer, monkeypatch: pytest.MonkeyPatch) -> None:
    made = await me.publish()
    first = await me.callers.fetch(path_of(made), **PAGE)
    same = await me.callers.fetch(path_of(made), **PAGE, if_none_match=first.headers["ETag"])
    assert (first.status, same.status) == (200, 304)

    async def down(_self: Any, _key: str) -> None:
        raise AutoReconnect("down")

    with monkeypatch.context() as broken:
        broken.setattr(GatheredReads, "get", down)
        response = await me.callers.fetch(path_of(made), **PAGE, if_none_match=first.headers["ETag"])
        page = await response.text()
        assert (response.status, response.headers["Retry-After"]) == (503, "60")
        assert "We can&#39;t check right now, so we say nothing." in page
        assert "Genuine" not in page
        assert (await me.json(path_of(made)))[0] == 503
    await me.withdraw(made)
    gone = await me.callers.fetch(path_of(made), **PAGE, if_none_match=first.headers["ETag"])
    assert gone.status == 410


async def test_address_that_asks_too_often_is_told_to_wait(station: CertsStation) -> None:
    limited = CertsStation(station.base, station.programs, public_requests=3)
    async with sharing(limited) as me:
        path = path_of(await me.publish())
        for _ in range(3):
            assert (await me.page(path, x_forwarded_for="203.0.113.7"))[0] == 200
        response = await me.callers.fetch(path, **PAGE, x_forwarded_for="203.0.113.7")
        assert (response.status, response.headers["Retry-After"]) == (429, "20")
        assert "Too many checks" in await response.text()
        assert (await me.page(path, x_forwarded_for="203.0.113.8"))[0] == 200
        assert (await me.page("/check/2222-2222-2222", x_forwarded_for="203.0.113.7"))[0] == 429


async def test_view_log_tells_day_country_and_kind_of_visitor_and_no_more(station: CertsStation) -> None:
    seeing = CertsStation(station.base, station.programs, country_header="CF-IPCountry")
    async with sharing(seeing) as me:
        made = await me.publish()
        for agent, country in (
            (BROWSER, "SE"),
            (BROWSER, "SE"),
            ("LinkedInBot/1.0 (compatible; Mozilla/5.0)", "US"),
            ("Googlebot/2.1 (+http://www.google.com/bot.html)", "US"),
            ("curl/8.9", "not a country"),
        ):
            await me.page(path_of(made), user_agent=agent, cf_ipcountry=country, x_forwarded_for="203.0.113.7")
        path = f"{LINKS}/{made['transcript_id']}/views"

        async def seen() -> list[Any]:
            return list((await me.callers.candidate("GET", path))[1]["items"])

        views = await eventually(seen, lambda found: sum(one["views"] for one in found) == 5)
        assert {(one["country"], one["visitor"], one["views"]) for one in views} == {
            ("SE", "browser", 2),
            ("US", "preview", 1),
            ("US", "robot", 1),
            (None, "program", 1),
        }
        assert {tuple(one) for one in views} == {("day", "country", "visitor", "views")}
        assert {one["day"] for one in views} == {"2026-11-22"}
        _, listed = await me.callers.candidate("GET", LINKS)
        assert listed["items"][0]["views"] == 2, "robots and previews are no readers"
        assert "203.0.113.7" not in str(await station.base.rows(VIEWS))


async def test_views_that_the_database_does_not_take_are_not_lost(me: Sharer, monkeypatch: pytest.MonkeyPatch) -> None:
    made = await me.publish()
    count, refusals = TranscriptStore.count_views, [AutoReconnect("down")]

    async def once_down(self: TranscriptStore, views: Any) -> None:
        if refusals:
            raise refusals.pop()
        await count(self, views)

    monkeypatch.setattr(TranscriptStore, "count_views", once_down)
    await me.page(path_of(made))

    async def views() -> int:
        return int((await me.callers.candidate("GET", LINKS))[1]["items"][0]["views"])

    assert await eventually(views, bool) == 1


async def test_views_of_the_last_moment_are_written_when_the_process_ends(
    station: CertsStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(VisitLog, "GATHERED_SECONDS", 100.0)
    async with sharing(station) as me:
        made = await me.publish()
        await me.page(path_of(made))
        assert await station.base.rows(VIEWS) == []
    (row,) = await station.base.rows(VIEWS)
    assert row["views"] == 1


async def test_process_ends_without_its_database_and_leaves_nothing_running(
    station: CertsStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def down(self: TranscriptStore, views: Any) -> None:
        raise AutoReconnect("down")

    monkeypatch.setattr(TranscriptStore, "count_views", down)
    before = asyncio.all_tasks()
    async with sharing(station) as me:
        made = await me.publish()
        await me.page(path_of(made))
    assert asyncio.all_tasks() <= before


async def test_link_is_for_its_owner_alone(station: CertsStation, me: Sharer) -> None:
    made = await me.publish()
    token = path_of(made).removeprefix("/v/")
    assert len(token) >= 43
    assert token not in str(await station.base.rows("transcripts"))
    path = f"{LINKS}/{made['transcript_id']}"
    _, shown = await me.callers.staff("GET", path)
    assert (shown["link"], shown["code"], shown["share"]) == (None, None, [])
    assert shown["label"] == "For the tender"
    assert (await me.callers.staff("GET", f"{path}/qr.svg"))[0] == 403
    assert (await me.callers.staff("POST", LINKS, label="x", certifications=["CCNA"]))[0] == 403
    assert (await me.callers.candidate("GET", path, who="C2"))[0] == 404
    await begin(station, "C2")
    foreign = path.replace("/C1/", "/C2/")
    for method in ("GET", "DELETE"):
        assert (await me.callers.candidate(method, foreign, who="C2"))[0] == 404
    assert (await me.page(path_of(made)))[0] == 200


async def test_share_links_are_plain_and_filled_in(me: Sharer) -> None:
    made = await me.publish()
    ways = {one["way"]: one["url"] for one in made["share"]}
    assert ways["mail"].startswith("mailto:?subject=")
    profile_link = ways["linkedin-profile:CCNA"]
    assert "startTask=CERTIFICATION_NAME" in profile_link
    assert "issueYear=2025&issueMonth=3&" in profile_link
    assert "expirationYear=2028&expirationMonth=3" in profile_link
    assert f"certId={made['code']}" in profile_link
    status, drawn = await me.callers.candidate("GET", f"{LINKS}/{made['transcript_id']}/qr.svg")
    assert (status, drawn[:4]) == (200, b"<svg")
    status, drawn = await me.callers.candidate("GET", f"{LINKS}/{made['transcript_id']}/qr.png")
    assert (status, drawn[:4]) == (200, b"\x89PNG")


async def test_same_key_makes_one_transcript(me: Sharer) -> None:
    body = {"label": "x", "certifications": ["CCNA"]}
    first = await me.callers.candidate("POST", LINKS, key="k1", **body)
    assert await me.callers.candidate("POST", LINKS, key="k1", **body) == first
    _, listed = await me.callers.candidate("GET", LINKS)
    assert len(listed["items"]) == 1


async def test_survivor_of_a_merge_owns_both_accounts_transcripts(station: CertsStation, me: Sharer) -> None:
    await station.take(received(person("C2", given_name="Ada", family_name="Smith")))
    await station.take(received(passed("C2", "R-C2", exam_code=CORE, taken_on=date(2025, 6, 2), known_at=NOW)))
    mine = await me.publish()
    station_time = NOW + timedelta(minutes=1)
    await station.take(received(merged("C1", "C2", station_time)))
    other = Sharer(me.callers, "C2")
    status, listed = await me.callers.candidate("GET", other.links, who="C2")
    assert [one["transcript_id"] for one in listed["items"]] == [mine["transcript_id"]]
    _, seen = await me.json(path_of(mine))
    assert (seen["name"], seen["verdict"]) == ("Ada Smith", "genuine")
    assert await other.withdraw(mine) == 204
    assert (await me.page(path_of(mine)))[0] == 410
    again = await other.publish("CCNA")
    await station.take(received(separated("C1", "C2", station_time + timedelta(minutes=1))))
    _, listed = await me.callers.candidate("GET", LINKS)
    assert [one["transcript_id"] for one in listed["items"]] == [mine["transcript_id"]]
    assert (await me.json(path_of(again)))[1]["verdict"] == "revoked", "what it showed is the other's again"
    assert status == 200


async def test_code_leads_to_the_same_page_however_it_is_typed(me: Sharer) -> None:
    made = await me.publish()
    code = made["code"].replace("-", "")
    assert len(code) == LENGTH
    assert set(code) <= set(ALPHABET)
    shown = await me.json(path_of(made))
    for typed in (made["code"], code, code.lower(), f" {code[:4]} {code[4:8]}.{code[8:]} "):
        assert await me.json(f"/check/{typed}") == shown
        response = await me.callers.raw("/public/check", accept="application/json", code=typed)
        assert (response.status, await response.json()) == shown
    await me.withdraw(made)
    assert (await me.page(f"/check/{code}"))[0] == 410


async def test_code_page_has_a_form_and_says_what_is_unknown(me: Sharer) -> None:
    status, page = await me.page("/check")
    assert status == 200
    assert '<form class="card form" action="/check" method="get">' in page
    for typed in ("2222-2222-2222", "nonsense", "0O1I"):
        status, page = await me.page(f"/check/{typed}")
        assert status == 404
        assert "We didn&#39;t issue anything with this code." in page
        assert "codes have 12 characters" in page
    assert (await me.json("/check/2222-2222-2222"))[1]["type"] == "urn:certrail:problem:not-found"


async def test_what_nobody_can_be_given_is_refused_by_its_kind(me: Sharer) -> None:
    made = await me.publish()
    response = await me.callers.fetch(path_of(made), accept="image/png")
    assert response.status == 406
    response = await me.callers.fetch(path_of(made), accept="application/vc")
    assert response.status == 406, "no credential was issued yet"


async def test_export_tells_transcripts_and_views_and_an_erasure_leaves_nothing(
    station: CertsStation, me: Sharer, programs: dict[str, Program]
) -> None:
    made = await me.publish(remarks="For lot 2")
    await me.page(path_of(made))
    await eventually(lambda: station.base.rows(VIEWS), bool)
    keeper = PrivacyStation(station.base, programs)
    told = await keeper.exported("C1")
    (row,) = told["transcripts.json"]
    assert (row["label"], row["remarks"]) == ("For the tender", "For lot 2")
    assert not {"link", "sealed"} & row.keys()
    assert [one["visitor"] for one in told["transcript_views.json"]] == ["browser"]
    await keeper.erase("C1")
    assert await station.base.rows("transcripts") == []
    assert await station.base.rows(VIEWS) == []
    assert (await me.page(path_of(made)))[0] == 404
    assert (await me.page(f"/check/{made['code']}"))[0] == 404
