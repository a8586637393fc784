"""Exports and erasures through identity as it is composed, on a real database."""

import asyncio
import io
import json
import secrets
import zipfile
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from libs.common.bus import topology
from libs.common.events import EventData, certs, exams, fulfillment, identity, notify
from libs.common.events.personal_data import Part
from libs.common.privacy.holdings import everything
from libs.common.privacy.sealing import Piece, joined, pieces, seal
from services.identity.privacy import archive
from services.identity.privacy.erasures import COOLING_OFF, TOLD_AGAIN
from services.identity.privacy.exports import KEPT, OVERDUE, Exports
from services.identity.privacy.holdings import HOLDINGS
from tests.service.case_desk import Desk, picture
from tests.service.identity_station import PASSWORD, IdentityStation
from tests.service.samples import TAKEN, received, registration, reported
from tests.service.test_second_factor import enrol

PARTS: tuple[type[Part], ...] = (
    exams.PersonalDataPart,
    certs.PersonalDataPart,
    fulfillment.PersonalDataPart,
    notify.PersonalDataPart,
)
ABOUT = ("p1@example.com", "Ångström", "Zoë")
"""What registrations of the samples say of a person."""


async def token_of(station: IdentityStation, candidate_id: str) -> str:
    status, given = await station.login(candidate_id, PASSWORD)
    assert status == 200
    return str(given["access_token"])


async def operator(station: IdentityStation) -> str:
    secret = {"client_id": "operator", "client_secret": "s" * 32}
    status, given = await station.ask("POST", "/tokens", grant_type="client_credentials", **secret)
    assert status == 200
    return str(given["access_token"])


def place(candidate_id: str, what: str) -> str:
    return f"/programs/cisco/candidates/{candidate_id}/{what}"


async def take(station: IdentityStation, *events: EventData) -> None:
    queue = topology.events_queue("identity")
    work = next(each.work for each in station.parts.subscriptions if each.queue == queue)
    await station.base.handle(work, *map(received, events))


def answer(part: type[Part], question: Mapping[str, Any], files: Mapping[str, bytes]) -> list[Part]:
    """What a service says, the last part too."""
    asked = {"export_id": question["export_id"], "attempt": question["attempt"]}
    cut: list[Piece] = [piece for path, content in files.items() for piece in pieces(path, content)]
    said = [
        part(**asked, number=number, sealed=seal(piece, question["public_key"]))
        for number, piece in enumerate(cut, start=1)
    ]
    return [*said, part(**asked, number=len(cut) + 1, total=len(cut))]


async def downloaded(station: IdentityStation, path: str, token: str) -> bytes:
    response = await station.client.get(f"/api/identity/v1{path}", headers={"Authorization": f"Bearer {token}"})
    assert (response.status, response.content_type) == (200, "application/zip")
    return bytes(await response.read())


async def stored(station: IdentityStation) -> str:
    """All that the database holds, but for what only the test's relay has not published."""
    names = await station.base.database.list_collection_names()
    return str({name: await station.base.rows(name) for name in names if name not in {"outbox", "idempotency"}})


def questions(station: IdentityStation) -> list[dict[str, Any]]:
    return [event["data"] for event in station.said(identity.PersonalDataRequested)]


async def test_export_gathers_what_all_services_say(station: IdentityStation) -> None:
    one = await station.open_account()
    token = await token_of(station, one)
    status, export = await station.ask("POST", place(one, "exports"), token)
    assert (status, export["state"]) == (202, "collecting")
    assert {each["service"]: each["state"] for each in export["services"]} == dict.fromkeys(
        ("exams", "certs", "fulfillment", "notify"), "waiting"
    )
    (question,) = questions(station)
    big = b"\x89PNG" + bytes(300_000)
    said = [part for kind in PARTS for part in answer(kind, question, {"some.json": b"[1]", "files/a.png": big})]
    own = place(one, f"exports/{export['export_id']}")
    for part in reversed(said):
        assert (await station.ask("GET", own, token))[1]["state"] == "collecting"
        await station.run("exports")
        await take(station, part, part)
    assert station.said(identity.DataExportReady) == []
    await station.run("exports")
    await station.run("exports")
    (told,) = station.said(identity.DataExportReady)
    assert told["data"]["export_id"] == export["export_id"]
    _, ready = await station.ask("GET", own, token)
    assert (ready["state"], ready["services"]) == ("ready", [])
    with zipfile.ZipFile(io.BytesIO(await downloaded(station, f"{own}/archive", token))) as opened:
        found = {name: opened.read(name) for name in opened.namelist()}
    (account,) = json.loads(found["identity/account.json"])
    assert (account["id"], account["email"]) == (one, "p1@example.com")
    assert all(found[f"{kind.publisher}/files/a.png"] == big for kind in PARTS)
    assert one in found["README.txt"].decode()
    assert b"argon2" not in b"".join(found.values()), "no secret leaves"
    (row,) = await station.base.rows("exports")
    assert "private_key" not in row, "what the log keeps is unreadable from here on"
    assert await station.base.rows("export_parts") == []


async def test_archive_holds_the_documents_of_cases_themselves(station: IdentityStation) -> None:
    desk, one = Desk(station), await station.open_account()
    case = await desk.open(one)
    status, added = await desk.upload(one, case, picture())
    assert status == 201
    token = await token_of(station, one)
    _, export = await station.ask("POST", place(one, "exports"), token)
    (question,) = questions(station)
    await take(station, *(part for kind in PARTS for part in answer(kind, question, {})))
    await station.run("exports")
    path = place(one, f"exports/{export['export_id']}/archive")
    with zipfile.ZipFile(io.BytesIO(await downloaded(station, path, token))) as opened:
        (name,) = [each for each in opened.namelist() if each.startswith("identity/files/")]
        assert name.endswith(f"-evidence-{added['evidence_id'][:8]}.jpg")
        assert opened.read(name).startswith(b"\xff\xd8\xff")


async def test_order_of_arrival_changes_no_byte_of_the_archive(station: IdentityStation) -> None:
    one = await station.open_account()
    token, made = await token_of(station, one), []
    for order in (1, -1):
        _, export = await station.ask("POST", place(one, "exports"), token)
        question = questions(station)[-1]
        for part in [part for kind in PARTS for part in answer(kind, question, {"a.json": b"[]", "b.json": b"{}"})][
            ::order
        ]:
            await take(station, part)
        await station.run("exports")
        with zipfile.ZipFile(
            io.BytesIO(await downloaded(station, place(one, f"exports/{export['export_id']}/archive"), token))
        ) as opened:
            names = [name for name in opened.namelist() if not name.startswith("identity/")]
            made.append([(name, opened.read(name)) for name in names])
    assert made[0] == made[1]


async def test_export_is_for_its_owner_with_a_fresh_proof(station: IdentityStation) -> None:
    one, other = await station.open_account("P1"), await station.open_account("P2")
    token, stranger, staff = await token_of(station, one), await token_of(station, other), await operator(station)
    assert (await station.ask("POST", place(one, "exports"), stranger))[0] == 404
    _, export = await station.ask("POST", place(one, "exports"), staff)
    own = place(one, f"exports/{export['export_id']}")
    assert (await station.ask("POST", place(one, "exports"), token))[1]["export_id"] == export["export_id"]
    (question,) = questions(station)
    for kind in PARTS:
        await take(station, *answer(kind, question, {}))
    assert (await station.ask("GET", f"{own}/archive", token))[0] == 404, "it is not ready"
    await station.run("exports")
    assert (await station.ask("GET", f"{own}/archive", staff))[0] == 403
    for path in (own, f"{own}/archive", place(other, f"exports/{export['export_id']}")):
        assert (await station.ask("GET", path, stranger))[0] == 404
    await downloaded(station, f"{own}/archive", token)
    station.base.clock.advance(timedelta(minutes=6))
    status, problem = await station.ask("POST", place(one, "exports"), token)
    assert (status, problem["type"].rpartition(":")[2]) == (401, "step-up-needed")
    station.base.clock.advance(KEPT)
    token = await token_of(station, one)
    assert (await station.ask("GET", f"{own}/archive", token))[0] == 404, "it is over"


async def test_service_that_does_not_answer_is_shown_and_asked_again(station: IdentityStation) -> None:
    one = await station.open_account()
    _, export = await station.ask("POST", place(one, "exports"), await token_of(station, one))
    (question,) = questions(station)
    early = answer(exams.PersonalDataPart, question, {"a.json": b"[1]", "b.json": b"[2]"})
    await take(station, *early[1:])
    for kind in PARTS[1:]:
        await take(station, *answer(kind, question, {}))
    station.base.clock.advance(OVERDUE)
    await station.run("exports")
    await station.run("exports")
    token = await token_of(station, one)
    own = place(one, f"exports/{export['export_id']}")
    _, seen = await station.ask("GET", own, token)
    assert [each["service"] for each in seen["services"] if each["state"] == "overdue"] == ["exams"]
    _, again = questions(station)
    assert (again["services"], again["attempt"]) == (["exams"], 2)
    await take(station, *answer(exams.PersonalDataPart, again, {"new.json": b"[3]"}), early[0])
    await station.run("exports")
    with zipfile.ZipFile(io.BytesIO(await downloaded(station, f"{own}/archive", token))) as opened:
        assert [name for name in opened.namelist() if name.startswith("exams/")] == ["exams/new.json"]


async def test_archive_left_half_way_is_never_mixed_with_the_next(
    station: IdentityStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "CHUNK_BYTES", 500)
    one = await station.open_account()
    token = await token_of(station, one)
    _, export = await station.ask("POST", place(one, "exports"), token)
    (question,) = questions(station)
    for kind in PARTS:
        await take(station, *answer(kind, question, {"a.json": secrets.token_bytes(900)}))
    with monkeypatch.context() as dying:
        dying.setattr(Exports, "_finish", _die)
        with pytest.raises(ConnectionError):
            await station.run("exports")
    await asyncio.gather(station.run("exports"), station.run("exports"))
    content = await downloaded(station, place(one, f"exports/{export['export_id']}/archive"), token)
    with zipfile.ZipFile(io.BytesIO(content)) as found:
        assert found.testzip() is None
    assert len(station.said(identity.DataExportReady)) == 1


async def _die(*_arguments: Any, **_more: Any) -> bool:
    raise ConnectionError


async def test_answer_that_cannot_be_read_is_asked_for_again_and_holds_nobody_up(station: IdentityStation) -> None:
    one, two = await station.open_account("P1"), await station.open_account("P2")
    for account in (one, two):
        await station.ask("POST", place(account, "exports"), await token_of(station, account))
    broken, good = questions(station)
    for kind in PARTS:
        false = {**broken, "public_key": good["public_key"]} if kind is certs.PersonalDataPart else broken
        await take(station, *answer(kind, false, {"a.json": b"[]"}), *answer(kind, good, {"a.json": b"[]"}))
    await station.run("exports")
    assert [told["subject"] for told in station.said(identity.DataExportReady)] == [two]
    station.base.clock.advance(OVERDUE)
    await station.run("exports")
    assert (questions(station)[-1]["services"], questions(station)[-1]["export_id"]) == (["certs"], broken["export_id"])


async def test_erasure_waits_two_weeks_and_can_be_cancelled(station: IdentityStation) -> None:
    one = await station.open_account()
    token = await token_of(station, one)
    status, asked = await station.ask("POST", place(one, "erasure"), token, None, reason="I am done")
    assert (status, asked["state"], asked["held"]) == (202, "requested", None)
    again = await station.ask("POST", place(one, "erasure"), token, None, reason="really")
    assert again[1]["erasure_id"] == asked["erasure_id"]
    assert len(station.said(identity.ErasureRequested)) == 1
    station.base.clock.advance(COOLING_OFF - timedelta(seconds=1))
    await station.run("erasures")
    token = await token_of(station, one)
    assert (await station.ask("DELETE", place(one, "erasure"), token))[0] == 204
    station.base.clock.advance(timedelta(days=1))
    await station.run("erasures")
    token = await token_of(station, one)
    assert (await station.ask("GET", place(one, "erasure"), token))[1]["state"] == "cancelled"
    assert (await station.ask("DELETE", place(one, "erasure"), token))[0] == 404
    assert len(station.said(identity.ErasureCancelled)) == 1
    assert station.said(identity.CandidateErased) == []


async def test_nothing_is_left_of_somebody_erased(station: IdentityStation) -> None:
    one, other = await station.open_account("P1"), await station.open_account("P2", candidate=other_person())
    token = await token_of(station, one)
    await station.ask("PATCH", place(one, "profile"), token, None, employer="Analytical Engines")
    _, export = await station.ask("POST", place(one, "exports"), token)
    (question,) = questions(station)
    for kind in PARTS:
        await take(station, *answer(kind, question, {}))
    await station.run("exports")
    await station.ask("POST", "/second-factor", token)
    await station.ask("POST", place(one, "erasure"), token, None, reason="I am Zoë")
    before = await stored(station)
    assert all(word in before for word in (*ABOUT, one, "Analytical"))
    station.base.clock.advance(COOLING_OFF)
    await station.run("erasures")
    (told,) = station.said(identity.CandidateErased)
    assert [each["candidate_id"] for each in told["data"]["accounts"]] == [one]
    assert (await station.login(one, PASSWORD))[0] == 401
    assert (await station.ask("GET", place(one, "profile"), await operator(station)))[0] == 404
    station.base.clock.advance(TOLD_AGAIN)
    await station.run("erasures")
    await station.run("erasures")
    assert len(station.said(identity.CandidateErased)) == 2
    left = await stored(station)
    assert not [word for word in (*ABOUT, one, "cisco:vue:P1", "Analytical", export["export_id"]) if word in left]
    assert [row["state"] for row in await station.base.rows("erasures")] == ["done"]
    assert (await station.ask("GET", place(other, "profile"), await token_of(station, other)))[0] == 200


async def test_merged_accounts_are_erased_together(station: IdentityStation) -> None:
    one, two = await station.open_account("P1"), await station.open_account("P2")
    staff = await operator(station)
    merge = {"from": one, "into": two, "reason": "the same"}
    assert (await station.ask("POST", "/programs/cisco/merges", staff, None, **merge))[0] == 201
    await station.ask("POST", place(one, "erasure"), staff, None, reason="by letter")
    station.base.clock.advance(COOLING_OFF)
    await station.run("erasures")
    (told,) = station.said(identity.CandidateErased)
    assert {each["candidate_id"] for each in told["data"]["accounts"]} == {one, two}
    assert told["data"]["candidate_id"] == two
    station.base.clock.advance(TOLD_AGAIN)
    await station.run("erasures")
    left = await stored(station)
    assert not [word for word in (one, two, "@example.com", "by letter", "the same") if word in left]


def other_person() -> Any:
    person = registration("P2").candidate
    return person.model_copy(update={"given_name": "Grace", "family_name": "Hopper"})


@pytest.mark.parametrize("cancelled", [True, False])
async def test_two_requests_that_a_merge_brings_together_are_one(station: IdentityStation, cancelled: bool) -> None:
    one, two = await station.open_account("P1"), await station.open_account("P2")
    third = await station.open_account("P3")
    staff = await operator(station)
    for account in (one, two, third):
        await station.ask("POST", place(account, "erasure"), staff, None, reason="asked")
    await station.ask("POST", "/programs/cisco/merges", staff, None, **{"from": one, "into": two, "reason": "same"})
    if cancelled:
        assert (await station.ask("DELETE", place(two, "erasure"), staff))[0] == 204
    station.base.clock.advance(COOLING_OFF)
    await station.run("erasures")
    await station.run("erasures")
    left = {row["_id"] for row in await station.base.rows("candidates")}
    assert left == ({one, two} if cancelled else set()), "nobody else's erasure waits for them"
    station.base.clock.advance(TOLD_AGAIN)
    await station.run("erasures")
    assert {row["state"] for row in await station.base.rows("erasures")} == (
        {"done", "cancelled"} if cancelled else {"done"}
    )


async def test_hold_of_staff_keeps_an_erasure_waiting_and_says_why(station: IdentityStation) -> None:
    one = await station.open_account()
    staff, token = await operator(station), await token_of(station, one)
    await station.ask("POST", place(one, "erasure"), token, None, reason="please")
    assert (await station.ask("PUT", place(one, "erasure-hold"), token, None, reason="x"))[0] == 403
    assert (await station.ask("PUT", place(one, "erasure-hold"), staff, None, reason="A case is open."))[0] == 200
    station.base.clock.advance(COOLING_OFF)
    await station.run("erasures")
    token = await token_of(station, one)
    assert (await station.ask("GET", place(one, "erasure"), token))[1]["held"]["reason"] == "A case is open."
    assert station.said(identity.CandidateErased) == []
    staff = await operator(station)
    assert (await station.ask("DELETE", place(one, "erasure-hold"), staff))[0] == 204
    await station.run("erasures")
    assert len(station.said(identity.CandidateErased)) == 1


async def test_hold_on_an_account_that_was_merged_counts_for_the_person(station: IdentityStation) -> None:
    one, two = await station.open_account("P1"), await station.open_account("P2")
    staff = await operator(station)
    await station.ask("PUT", place(one, "erasure-hold"), staff, None, reason="An inquiry.")
    await station.ask("POST", "/programs/cisco/merges", staff, None, **{"from": one, "into": two, "reason": "same"})
    _, asked = await station.ask("POST", place(two, "erasure"), staff, None, reason="asked")
    assert asked["held"]["reason"] == "An inquiry."
    station.base.clock.advance(COOLING_OFF)
    await station.run("erasures")
    assert station.said(identity.CandidateErased) == []


async def test_erasure_waits_for_a_merge_that_is_half_way(station: IdentityStation) -> None:
    one, two = await station.open_account("P1"), await station.open_account("P2")
    staff = await operator(station)
    await station.ask("POST", "/programs/cisco/merges", staff, None, **{"from": one, "into": two, "reason": "same"})
    await station.ask("POST", place(two, "erasure"), staff, None, reason="asked")
    station.base.clock.advance(COOLING_OFF)
    merges = station.base.database["merges"]
    await merges.update_many({}, {"$set": {"state": "announced"}})
    await station.run("erasures")
    assert station.said(identity.CandidateErased) == []
    await merges.update_many({}, {"$set": {"state": "done"}})
    await station.run("erasures")
    assert len(station.said(identity.CandidateErased)) == 1


@pytest.mark.parametrize(
    ("method", "what", "body"),
    [
        ("POST", "exports", {}),
        ("GET", "exports", {}),
        ("POST", "erasure", {"reason": "x"}),
        ("GET", "erasure", {}),
        ("DELETE", "erasure", {}),
        ("GET", "consents", {}),
    ],
)
async def test_strangers_find_nothing(station: IdentityStation, method: str, what: str, body: dict[str, str]) -> None:
    one, other = await station.open_account("P1"), await station.open_account("P2")
    await station.ask("POST", place(one, "erasure"), await operator(station), None, reason="asked")
    assert (await station.ask(method, place(one, what), await token_of(station, other), None, **body))[0] == 404
    assert len(station.said(identity.ErasureCancelled)) == 0


async def test_erasure_asks_for_the_second_factor_where_it_is_on(station: IdentityStation) -> None:
    one = await station.open_account()
    token = await token_of(station, one)
    await enrol(station, one, token)
    status, problem = await station.ask("POST", place(one, "erasure"), token, None, reason="x")
    assert (status, problem["type"].rpartition(":")[2]) == (401, "step-up-needed")


async def test_staff_say_why_and_need_their_scope(station: IdentityStation) -> None:
    one = await station.open_account()
    staff = await operator(station)
    status, problem = await station.ask("POST", place(one, "erasure"), staff, None, reason=None)
    assert (status, problem["errors"][0]["path"]) == (422, "body.reason")
    assert (await station.ask("POST", place("CSCO99999999", "erasure"), staff, None, reason="x"))[0] == 404


async def test_what_was_said_before_an_erasure_makes_no_account_again(station: IdentityStation) -> None:
    one = await station.open_account("P1")
    await station.ask("POST", place(one, "erasure"), await operator(station), None, reason="asked")
    station.base.clock.advance(COOLING_OFF)
    await station.run("erasures")
    work = next(each.work for each in station.parts.subscriptions if each.queue == topology.vendors_queue("identity"))
    late = reported(registration("P1", "G2"), time=TAKEN)
    await station.base.handle(work, late)
    assert await station.base.rows("candidates") == []
    assert await station.base.rows("registrations") == []
    again = reported(registration("P1", "G3"), time=station.base.clock.now() + timedelta(days=1))
    await station.base.handle(work, late, again)
    (account,) = await station.base.rows("candidates")
    assert account["_id"] != one


async def test_id_that_another_has_now_keeps_its_history_without_the_erased(station: IdentityStation) -> None:
    one, two = await station.open_account("P1"), await station.open_account("P2")
    staff = await operator(station)
    change = {"system": "vue", "external_id": "P1", "to": two, "reason": "hers"}
    assert (await station.ask("POST", "/programs/cisco/external-ids/changes", staff, None, **change))[0] == 200
    await station.ask("POST", place(one, "erasure"), staff, None, reason="asked")
    station.base.clock.advance(COOLING_OFF)
    await station.run("erasures")
    (row,) = await station.base.rows("external_ids", _id="cisco:vue:P1")
    assert row["candidate_id"] == two
    assert [was["candidate_id"].startswith("erased-") for was in row["history"]] == [True]


async def test_history_of_an_id_names_nobody_erased_who_moved_it_themselves(station: IdentityStation) -> None:
    one, two = await station.open_account("P1"), await station.open_account("P2")
    staff = await operator(station)
    move = {"system": "vue", "external_id": "P1", "reason": "so"}
    await station.ask("POST", "/programs/cisco/external-ids/changes", staff, None, **move, to=None)
    claim = {"system": "vue", "external_id": "P1", "registration_id": "G1"}
    _, claimed = await station.ask("POST", place(one, "external-ids"), await token_of(station, one), None, **claim)
    assert claimed["state"] == "linked"
    await station.ask("POST", "/programs/cisco/external-ids/changes", staff, None, **move, to=two)
    await station.ask("POST", place(one, "erasure"), staff, None, reason="asked")
    station.base.clock.advance(COOLING_OFF)
    await station.run("erasures")
    (row,) = await station.base.rows("external_ids", _id="cisco:vue:P1")
    assert one not in str(row)
    assert any(was["by"] and was["by"].startswith("candidate:erased-") for was in row["history"])


async def test_partners_id_erased_again_is_remembered_from_the_later_day(station: IdentityStation) -> None:
    work = next(each.work for each in station.parts.subscriptions if each.queue == topology.vendors_queue("identity"))
    for number in range(2):
        now = station.base.clock.now() + timedelta(seconds=1)
        await station.base.handle(work, reported(registration("P1", f"G{number}"), time=now))
        (account,) = await station.base.rows("candidates")
        await station.ask("POST", place(account["_id"], "erasure"), await operator(station), None, reason="asked")
        station.base.clock.advance(COOLING_OFF)
        await station.run("erasures")
    between = reported(registration("P1", "G9"), time=station.base.clock.now() - timedelta(days=1))
    await station.base.handle(work, between)
    assert await station.base.rows("candidates") == []


async def test_consents_are_a_list_that_only_grows(station: IdentityStation) -> None:
    one = await station.open_account()
    token = await token_of(station, one)
    for given in (True, False):
        change = {"marketing": {"given": given, "text_version": "2"}}
        await station.ask("PATCH", place(one, "profile"), token, None, **change)
    _, log = await station.ask("GET", place(one, "consents"), token)
    assert [(each["given"], each["text_version"], each["by"]) for each in log["items"]] == [
        (True, "2", f"candidate:{one}"),
        (False, "2", f"candidate:{one}"),
    ]


async def test_every_collection_is_accounted_for(station: IdentityStation) -> None:
    found = set(await station.base.database.list_collection_names())
    assert found | {"schema_version"} == set(everything(HOLDINGS))


def test_pieces_of_different_answers_are_not_joined() -> None:
    assert joined([Piece("a", b"1"), Piece("b", b"2"), Piece("a", b"3")]) == {"a": b"13", "b": b"2"}
