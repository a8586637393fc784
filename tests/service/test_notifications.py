"""Notifications through the service's own API: who may send them, what they do, and that none is lost or done twice."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import orjson
import pytest

from libs.common import signatures
from libs.common.programs import Program
from services.exams.notices.shapes import MOST
from tests.service.conftest import OpenBase
from tests.service.rig import said
from tests.service.samples import TAKEN, linked, received, registration, reported, result
from tests.service.vendor_station import HOUR, VendorStation, moved, notice, said_result, signed


@pytest.fixture
async def station(base_of: OpenBase, programs: dict[str, Program]) -> AsyncIterator[VendorStation]:
    async with base_of("exams") as base, VendorStation(base, programs).serving() as station:
        yield station


@pytest.fixture
async def token(station: VendorStation) -> str:
    return await station.admit()


def told(station: VendorStation) -> list[tuple[str, Any]]:
    events = [each for each in said(station.base) if "subject" in each]
    return [(each["type"].split(".")[-2], each["data"].get("grade") or each["data"].get("change")) for each in events]


def verdicts(body: Any) -> list[str]:
    return [each["verdict"] for each in body["items"]]


async def the_result(station: VendorStation) -> dict[str, Any]:
    (row,) = await station.base.rows("results")
    return row


# --- What they do ----------------------------------------------------------------------------------------------------


async def test_result_is_held_released_modified_revoked_and_restored(station: VendorStation, token: str) -> None:
    await station.link(received(linked()))
    for hours, sent, state in (
        (0, said_result(), "final"),
        (1, notice("hold", 1), "on_hold"),
        (2, notice("release", 2, data={"registration_id": "G1"}), "released"),
        (3, said_result("modify", 3, score=870.0), "revised"),
        (4, notice("revoke", 4), "invalidated"),
        (5, notice("un_revoke", 5), "restored"),
    ):
        status, body = await station.notify(token, sent)
        assert status == 200, (hours, body)
        assert body["items"][0]["id"] == sent["id"]
        assert (await the_result(station))["state"] == state, hours
    assert told(station) == [
        ("ExamPassed", None),
        ("ExamResultRevised", "pending"),
        ("ExamResultRevised", "pass"),
        ("ExamResultRevised", "pass"),
        ("ExamResultInvalidated", None),
        ("ExamResultRevised", "pass"),
    ]
    assert (await the_result(station))["score"] == 870.0


async def test_appointment_is_moved_cancelled_and_missed(station: VendorStation, token: str) -> None:
    await station.link(received(linked()))
    await station.take(reported(registration()))
    later = (TAKEN + 9 * HOUR).isoformat()
    changes = [moved("rescheduled", 1, scheduled_at=later), moved("no_show", 3), moved("cancelled", 2)]
    status, body = await station.notify(token, changes)
    assert (status, verdicts(body)) == (200, ["kept"] * 3)
    (row,) = await station.base.rows("registrations")
    assert (row["state"], row["scheduled_at"].isoformat()) == ("no_show", later)


async def test_appointment_of_a_registration_not_known_yet_waits(station: VendorStation, token: str) -> None:
    await station.link(received(linked()))
    assert (await station.notify(token, moved("cancelled", 1)))[0] == 200
    assert told(station) == []
    await station.take(reported(registration()))
    assert told(station) == [("ExamScheduled", None), ("ExamAppointmentChanged", "cancelled")]


async def test_result_of_an_unknown_candidate_is_kept_and_matched_later(station: VendorStation, token: str) -> None:
    status, body = await station.notify(token, said_result())
    assert (status, verdicts(body)) == (200, ["new"])
    assert told(station) == []
    await station.link(received(linked()))
    assert told(station) == [("ExamPassed", None)]


async def test_what_was_sent_is_kept_with_the_word_or_with_the_notification(station: VendorStation, token: str) -> None:
    sent = [each | {"theirs": "ünïcode"} for each in (said_result(), notice("hold", 1), moved())]
    await station.notify(token, sent)
    rows = {row["notification_id"]: row["raw"] for row in await station.base.rows("notifications")}
    assert [rows[each["id"]] and orjson.loads(rows[each["id"]]) for each in sent] == [None, *sent[1:]]
    words = (await the_result(station))["revisions"]
    assert [orjson.loads(word["raw"]) for word in words] == sent[:2]
    assert [word["source"] for word in words] == [{"kind": "notification", "ref": each["id"]} for each in sent[:2]]


HISTORY: tuple[Any, ...] = (
    reported(result(grade="fail", score=500.0), time=TAKEN),
    notice("hold", 1, data={"registration_id": "G1"}),
    said_result("modify", 2, score=880.0),
    reported(result(revision=2, score=860.0), time=TAKEN + 3 * HOUR),
    notice("release", 4),
    notice("revoke", 5, data={"registration_id": "G1"}),
    notice("un_revoke", 6),
)


async def live(station: VendorStation, token: str, history: Sequence[Any]) -> dict[str, Any]:
    for each in history:
        if isinstance(each, dict):
            status, body = await station.notify(token, each)
            assert status == 200, body
        else:
            await station.take(each)
    row = await the_result(station)
    kept = ("state", "status", "grade", "score", "exam_code", "registration_id", "result_id")
    return {name: row[name] for name in kept} | {"words": len(row["revisions"])}


async def test_any_order_of_notifications_and_messages_ends_in_the_same_result(
    station: VendorStation, token: str
) -> None:
    await station.link(received(linked()))
    expected = await live(station, token, HISTORY)
    assert (expected["state"], expected["score"], expected["words"]) == ("restored", 860.0, len(HISTORY))
    dice = random.Random(9)
    for _ in range(20):
        for collection in ("results", "notifications"):
            await station.base.database[collection].delete_many({})
        shuffled = list(HISTORY)
        dice.shuffle(shuffled)
        assert await live(station, token, [*shuffled, shuffled[0]]) == expected, shuffled


def some_history(dice: random.Random) -> list[Any]:
    """Words on one result, numbered and not, by its own id, by its registration's or by both."""
    history: list[Any] = []
    both = {"result_id": "R1", "registration_id": "G1"}
    for hours in dice.sample(range(1, 50), dice.randint(2, 7)):
        names = dice.choice(({"result_id": "R1"}, {"registration_id": "G1"}, both))
        kind = dice.choice(("result", "modify", "bus", "hold", "release", "revoke", "un_revoke"))
        grade = dice.choice(("pass", "fail"))
        if kind == "bus":
            history.append(reported(result(revision=hours, grade=grade), time=TAKEN + hours * HOUR))
        elif kind in {"result", "modify"}:
            history.append(said_result(kind, hours, grade=grade, score=float(hours)))
        else:
            history.append(notice(kind, hours, data=names))
    hours = dice.randint(50, 60) - dice.choice((0, 50))
    return [*history, reported(result(revision=100 + hours, score=1.0), time=TAKEN + hours * HOUR)]


@pytest.mark.parametrize("seed", range(8))
async def test_any_history_in_any_order_ends_in_the_same_result(station: VendorStation, token: str, seed: int) -> None:
    await station.link(received(linked()))
    dice = random.Random(seed)
    history = some_history(dice)
    ends = []
    for _ in range(4):
        for collection in ("results", "notifications"):
            await station.base.database[collection].delete_many({})
        station.base.clock.advance(timedelta(minutes=1))
        ends.append(await live(station, token, history))
        dice.shuffle(history)
    assert all(end == ends[0] for end in ends), ends


async def test_word_that_came_at_the_moment_of_the_first_report_finds_it(station: VendorStation, token: str) -> None:
    """Neither transaction saw the other's document, so each has made one."""
    await station.link(received(linked()))
    await station.notify(token, notice("hold", 1, data={"registration_id": "G1"}))
    (waiting,) = await station.base.rows("results")
    await station.base.database["results"].delete_many({})
    await station.take(reported(result()))
    await station.base.database["results"].insert_one(waiting)
    await station.run("waiting-words")
    row = await the_result(station)
    assert (row["state"], len(row["revisions"])) == ("on_hold", 2)
    assert told(station) == [("ExamPassed", None), ("ExamResultRevised", "pending")]
    await station.run("waiting-words")
    assert await the_result(station) == row


async def test_holds_and_first_reports_at_the_same_moments_all_meet(station: VendorStation, token: str) -> None:
    dice = random.Random(3)

    async def after(work: Any) -> None:
        await asyncio.sleep(dice.uniform(0, 0.01))
        await work

    for number in range(20):
        hold = notice("hold", 1, data={"registration_id": f"G{number}"})
        report = reported(result(result_id=f"R{number}", registration_id=f"G{number}"))
        await asyncio.gather(after(station.notify(token, hold)), after(station.take(report)))
    await station.run("waiting-words")
    rows = await station.base.rows("results")
    assert [(row["state"], len(row["revisions"])) for row in rows] == [("on_hold", 2)] * 20


async def test_word_whose_result_never_came_goes_on_waiting(station: VendorStation, token: str) -> None:
    await station.notify(token, notice("hold", 1, data={"registration_id": "G1"}))
    await station.run("waiting-words")
    assert len((await the_result(station))["revisions"]) == 1


# --- Once ------------------------------------------------------------------------------------------------------------


async def test_repeated_notification_gets_the_same_answer_and_has_no_effect(station: VendorStation, token: str) -> None:
    await station.link(received(linked()))
    first, hold = said_result(), notice("hold", 1)
    answers = [await station.notify(token, each) for each in (first, hold)]
    before = await the_result(station)
    assert [await station.notify(token, each) for each in (first, hold)] == answers
    assert await station.notify(token, [first, hold, hold]) == (
        200,
        {"items": [answers[0][1]["items"][0], *answers[1][1]["items"] * 2]},
    )
    assert await the_result(station) == before
    assert len(told(station)) == 2


async def test_same_notification_many_times_at_once_has_one_effect(station: VendorStation, token: str) -> None:
    await station.link(received(linked()))
    sent = said_result()
    answers = await asyncio.gather(*(station.notify(token, sent) for _ in range(8)))
    assert all(answer == answers[0] for answer in answers)
    assert told(station) == [("ExamPassed", None)]


async def test_id_of_another_notification_is_refused(station: VendorStation, token: str) -> None:
    first = said_result()
    await station.notify(token, first)
    status, body = await station.notify(token, said_result(id=first["id"], score=1.0))
    assert (status, body["errors"][0]["path"], body["errors"][0]["code"]) == (422, "body.id", "id_reused")
    assert (await the_result(station))["score"] == 900.0


async def test_answer_leaves_only_after_the_commit(station: VendorStation, token: str) -> None:
    """A process that dies between commit and answer is asked again: nothing happens twice."""
    await station.link(received(linked()))
    sent, unit_of_work = said_result(), station.base.unit_of_work
    run = type(unit_of_work).run

    async def dying(work: Any) -> Any:
        await run(unit_of_work, work)
        raise ConnectionResetError("died before it could answer")

    unit_of_work.run = dying  # type: ignore[method-assign]
    assert (await station.notify(token, sent))[0] == 503
    del unit_of_work.run
    assert len(await station.base.rows("notifications")) == 1
    status, body = await station.notify(token, sent)
    assert (status, verdicts(body)) == (200, ["new"])
    assert told(station) == [("ExamPassed", None)]


async def test_nothing_is_kept_of_what_was_not_committed(station: VendorStation, token: str) -> None:
    sent, unit_of_work = said_result(), station.base.unit_of_work
    run = type(unit_of_work).run

    async def dying(work: Any) -> Any:
        async def broken(transaction: Any) -> Any:
            await work(transaction)
            raise ConnectionResetError("died before the commit")

        return await run(unit_of_work, broken)

    unit_of_work.run = dying  # type: ignore[method-assign]
    assert (await station.notify(token, sent))[0] == 503
    del unit_of_work.run
    assert [await station.base.rows(name) for name in ("notifications", "results", "verdict_tallies")] == [[], [], []]


# --- What is refused -------------------------------------------------------------------------------------------------


async def test_of_a_list_what_is_wrong_is_refused_and_the_rest_is_kept(station: VendorStation, token: str) -> None:
    good, wrong = said_result(), said_result(exam_code="000-000")
    status, body = await station.notify(token, [wrong, good, {"kind": "hold"}, 5])
    assert (status, body["type"]) == (422, "urn:certrail:problem:invalid-request")
    assert verdicts(body) == ["refused", "new", "refused", "refused"]
    paths = {(each["path"], each["code"]) for each in body["errors"]}
    assert {("body.0.data.exam_code", "unknown_exam"), ("body.2.id", "schema"), ("body.3", "schema")} <= paths
    assert [reason["path"] for reason in body["items"][0]["reasons"]] == ["data.exam_code"]
    assert len(await station.base.rows("results")) == 1
    kept = await station.base.rows("rejections")
    assert {(each["message_id"], each["routing_key"]) for each in kept} == {
        (wrong["id"], "notification result"),
        (None, "notification hold"),
        (None, "notification unknown"),
    }
    assert {each["program"] for each in kept} == {"cisco", None}


@pytest.mark.parametrize(
    ("changed", "path", "code"),
    [
        ({"program": "nowhere"}, "program", "unknown_program"),
        ({"program": "juniper"}, "program", "unknown_program"),
        ({"kind": "forget"}, "kind", "schema"),
        ({"occurred_at": "2026-11-20 10:00"}, "occurred_at", "schema"),
        ({"occurred_at": "2099-01-01T00:00:00Z"}, "occurred_at", "schema"),
        ({"data": {}}, "data", "schema"),
        ({"data": {"result_id": "R 1"}}, "data.result_id", "schema"),
        ({"data": 7}, "data", "schema"),
        ({"id": "spaces are no id"}, "id", "schema"),
        ({"id": None}, "id", "schema"),
    ],
    ids=str,
)
async def test_fault_names_its_field(
    station: VendorStation, token: str, changed: dict[str, Any], path: str, code: str
) -> None:
    status, body = await station.notify(token, notice("hold") | changed)
    assert status == 422, body
    assert [(each["path"], each["code"]) for each in body["errors"]] == [(f"body.{path}", code)]
    assert await station.base.rows("notifications") == []
    assert await station.base.rows("results") == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff", 400),
        (b"[" * 5000, 400),
        (b"[]", 422),
        (b"7", 422),
        (b"null", 422),
        (b'"hold"', 422),
        (orjson.dumps([{}] * (MOST + 1)), 422),
        (b" " * 1_200_000, 413),
        (b'[{"id": 123456789012345678901234567890}]', 422),
        (b'[{"id": "\\ud800"}]', 400),
        (b'[{"id": NaN}]', 422),
    ],
    ids=lambda value: str(value)[:20],
)
async def test_no_body_breaks_it(station: VendorStation, token: str, body: bytes, status: int) -> None:
    assert (await station.notify(token, body))[0] == status


async def test_another_media_type_is_refused(station: VendorStation, token: str) -> None:
    sent = {"Authorization": f"Bearer {token}", "Content-Type": "text/plain"}
    response = await station.client.post("/api/exams/v1/vendors/vue/notifications", headers=sent, data=b"{}")
    assert response.status == 415


# --- Who may ---------------------------------------------------------------------------------------------------------


async def test_only_the_vendor_itself_is_let_in(station: VendorStation, token: str) -> None:
    other = await station.admit("psi")
    refused = [
        await station.notify(None, said_result()),
        await station.notify("", said_result()),
        await station.notify(token[:-1] + ("A" if token[-1] != "A" else "B"), said_result()),
        await station.notify(other, said_result()),
        await station.notify(token, said_result(), vendor="nobody"),
        await station.notify("ümläut", said_result()),
        await station.notify(token, said_result(), vendor="VUE"),
    ]
    assert [status for status, _ in refused] == [401] * len(refused)
    without = [{name: value for name, value in body.items() if name != "trace_id"} for _, body in refused[2:]]
    assert all(body == without[0] for body in without), "an unknown vendor answers like a wrong token"
    assert (await station.notify(other, said_result(), vendor="psi"))[0] == 200
    assert len(await station.base.rows("results")) == 1


async def test_access_token_of_ours_opens_nothing_here(station: VendorStation, token: str) -> None:
    status, _ = await station.operator("POST", "/vendors/vue/notifications", **said_result())
    assert status == 401


async def test_token_lies_nowhere_and_two_are_good_while_one_is_changed(station: VendorStation, token: str) -> None:
    assert token not in str(await station.base.rows("vendors"))
    second = await station.renew(old_works_hours=2)
    assert [(await station.notify(each, said_result()))[0] for each in (token, second)] == [200, 200]
    station.base.clock.advance(timedelta(hours=2))
    assert [(await station.notify(each, said_result()))[0] for each in (token, second)] == [401, 200]
    third = await station.renew(old_works_hours=24)
    fourth = await station.renew(old_works_hours=24)
    found = [(await station.notify(each, said_result()))[0] for each in (second, third, fourth)]
    assert found == [401, 200, 200], "two at most"
    fifth = await station.renew(old_works_hours=0)
    assert [(await station.notify(each, said_result()))[0] for each in (fourth, fifth)] == [401, 200]


async def test_signed_notification_is_taken_for_five_minutes(station: VendorStation) -> None:
    secret = await station.admit(kind="signing_secret")
    assert secret.startswith("whsec_")
    assert secret not in str(await station.base.rows("vendors"))
    sent = said_result()
    raw = orjson.dumps(sent)
    headers = signed(secret, raw, int(station.base.clock.now().timestamp()))
    assert (await station.notify(None, raw, **headers))[0] == 200
    station.base.clock.advance(timedelta(seconds=299))
    assert (await station.notify(None, raw, **headers))[0] == 200, "again, with no effect"
    station.base.clock.advance(timedelta(seconds=2))
    assert (await station.notify(None, raw, **headers))[0] == 401


async def test_changed_body_wrong_secret_and_other_vendor_are_refused(station: VendorStation) -> None:
    secret, other = await station.admit(kind="signing_secret"), await station.admit("psi", kind="signing_secret")
    raw = orjson.dumps(said_result())
    headers = signed(secret, raw, int(station.base.clock.now().timestamp()))
    assert (await station.notify(None, raw + b" ", **headers))[0] == 401
    assert (await station.notify(None, raw, vendor="psi", **headers))[0] == 401
    assert (await station.notify(None, raw, vendor="nobody", **headers))[0] == 401
    assert (await station.notify_signed(other, said_result()))[0] == 401
    assert (await station.notify_signed(secret, said_result(), **{signatures.SIGNATURE: "v1,"}))[0] == 401
    assert (await station.notify_signed(secret, said_result()))[0] == 200


async def test_old_secret_goes_on_for_the_overlap(station: VendorStation) -> None:
    old = await station.admit(kind="signing_secret")
    new = await station.renew(kind="signing_secret", old_works_hours=1)
    assert [(await station.notify_signed(each, said_result()))[0] for each in (old, new)] == [200, 200]
    station.base.clock.advance(timedelta(hours=1))
    assert [(await station.notify_signed(each, said_result()))[0] for each in (old, new)] == [401, 200]


async def test_removed_vendor_is_not_let_in_and_keeps_its_history(station: VendorStation, token: str) -> None:
    await station.notify(token, said_result())
    assert (await station.operator("DELETE", "/vendors/vue"))[0] == 204
    assert (await station.notify(token, said_result()))[0] == 401
    assert (await station.operator("POST", "/vendors/vue/credentials", kind="token"))[0] == 409
    assert len(await station.base.rows("results")) == 1
    assert (await station.notify(await station.admit(), said_result()))[0] == 200


async def test_too_many_calls_are_told_when_to_come_again(station: VendorStation, token: str) -> None:
    answers = [(await station.notify(token, b"[]"))[0] for _ in range(160)]
    assert set(answers[:100]) == {422}
    assert 429 in answers
    other = await station.admit("psi")
    assert (await station.notify(other, said_result(), vendor="psi"))[0] == 200
