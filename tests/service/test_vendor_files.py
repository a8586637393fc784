"""Files to a vendor and its answers: sent once, in order, as the very same bytes whoever dies, and nothing lost."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from libs.common.events import identity
from libs.common.programs import Program
from tests.service.conftest import OpenBase
from tests.service.outgoing_station import OutgoingStation, person, profile
from tests.service.rig import said
from tests.service.samples import TAKEN, received

NEW = {"vendor": "vue", "exam_code": "200-301", "first": "2026-12-01"}
FAR = {**NEW, "first": "2090-12-01"}
OWN = "/candidates/C1/authorizations"


@pytest.fixture
async def station(base_of: OpenBase, programs: dict[str, Program], tmp_path: Path) -> AsyncIterator[OutgoingStation]:
    async with base_of("exams") as base:
        yield OutgoingStation(base, programs, tmp_path)


async def grant(station: OutgoingStation, candidate_id: str = "C1", **changes: Any) -> str:
    async with station.api() as ask:
        status, body = await ask.staff("POST", f"/candidates/{candidate_id}/authorizations", **{**FAR, **changes})
        assert status == 201, body
        return str(body["authorization_id"])


async def right(station: OutgoingStation, key: str) -> dict[str, Any]:
    (row,) = await station.base.rows("authorizations", _id=key)
    return row


# --- Demographics ----------------------------------------------------------------------------------------------------


async def test_new_candidate_is_told_once_and_a_changed_one_again(station: OutgoingStation) -> None:
    await station.take(received(person()))
    await station.round()
    (line,) = station.sent("cdd-cisco-000001.txt")
    assert (line["ClientCandidateID"], line["FirstName"], line["Country"], line["State"]) == ("C1", "Zoë", "USA", "TX")
    await station.round()
    await station.take(profile(version=2, employer="Acme"))
    await station.round()
    assert station.names() == ["cdd-cisco-000001.txt"], "nothing that the vendor would see has changed"
    await station.take(profile(version=3, family_name="Byron"))
    await station.round()
    assert station.sent("cdd-cisco-000002.txt")[0]["LastName"] == "Byron"


async def test_latest_profile_counts_whatever_the_order(station: OutgoingStation) -> None:
    await station.take(profile(version=3, family_name="Last"))
    await station.take(profile(version=2, family_name="Middle"), received(person()))
    await station.round()
    assert [line["LastName"] for line in station.sent("cdd-cisco-000001.txt")] == ["Last"]


async def test_who_cannot_be_told_is_asked_to_mend_it_and_goes_by_itself_then(station: OutgoingStation) -> None:
    await station.take(received(person(family_name="Wąsłowski")))
    await station.round()
    assert station.names() == []
    assert station.told() == ["VendorProfileProblemFound"]
    (event,) = [each for each in said(station.base) if "ProblemFound" in each["type"]]
    assert event["data"]["problems"] == [
        {
            "field": "family_name",
            "code": "letters",
            "reason": "Test Centres cannot take “ą”, “ł” in your family name.",
        }
    ]
    async with station.api() as ask:
        _, shown = await ask.candidate("GET", "/candidates/C1/vendor-profiles")
        assert [(one["state"], len(one["problems"])) for one in shown["items"]] == [("problem", 1)]
        assert (await ask.candidate("GET", "/candidates/C1/vendor-profiles", who="C2"))[0] == 404
        _, queue = await ask.staff("GET", "/vendor-profiles?state=problem")
        assert [one["candidate_id"] for one in queue["items"]] == ["C1"]
    await station.take(profile(version=2, family_name="Wąsłowski", email="other@example.com"))
    await station.round()
    assert station.told() == ["VendorProfileProblemFound"], "the same problem is told once"
    await station.take(profile(version=3, family_name="Waslowski"))
    await station.round()
    assert station.told() == ["VendorProfileProblemFound", "VendorProfileProblemSolved"]
    assert station.sent("cdd-cisco-000001.txt")[0]["LastName"] == "Waslowski"


async def test_changed_rules_of_a_vendor_are_applied_to_everybody(station: OutgoingStation) -> None:
    await station.take(received(person()), received(person("C2", given_name="Ada", family_name="Byron")))
    await station.round()
    station.define({"demographics": {"letters": "ascii"}})
    await station.round()
    assert (station.told("C1"), station.told("C2")) == (["VendorProfileProblemFound"], [])
    station.define({"demographics": {"letters": "ascii", "transliterate": True}})
    await station.round()
    assert station.told("C1") == ["VendorProfileProblemFound", "VendorProfileProblemSolved"]
    assert [line["FirstName"] for line in station.sent("cdd-cisco-000002.txt")] == ["Zoe"]


async def test_nothing_is_sent_that_only_former_rules_have_let_pass(station: OutgoingStation) -> None:
    await station.take(received(person()), received(person("C2", given_name="Ada", family_name="Byron")))
    await station.run("vendor-profiles")
    for n in (1, 2):
        await grant(station, f"C{n}", accommodations="Zeitverlängerung")
    station.define({"demographics": {"letters": "ascii"}, "authorizations": {"letters": "ascii"}})
    await station.exchange()
    assert station.names() == []
    await station.round()
    assert station.names() == ["cdd-cisco-000001.txt"]
    assert [line["ClientCandidateID"] for line in station.sent("cdd-cisco-000001.txt")] == ["C2"]
    async with station.api() as ask:
        _, shown = await ask.staff("GET", "/authorizations?state=refused")
        assert [one["reason"] for one in shown["items"]] == ["the accommodations do not fit: letters"]


async def test_merged_account_is_told_to_nobody_and_its_unsent_rights_go_over(station: OutgoingStation) -> None:
    await station.take(received(person("C1")), received(person("C2")))
    key = await grant(station, "C2")
    merged = identity.CandidatesMerged(merge_id="M1", candidate_id="C1", merged_id="C2", merged_at=TAKEN)
    await station.take(received(merged))
    await station.round()
    assert [line["ClientCandidateID"] for line in station.sent("cdd-cisco-000001.txt")] == ["C1"]
    assert [line["ClientCandidateID"] for line in station.sent("ead-cisco-000001.txt")] == ["C1"]
    assert (await right(station, key))["candidate_id"] == "C1"


# --- Authorizations --------------------------------------------------------------------------------------------------


async def test_right_follows_its_candidate_and_changes_are_told_as_what_they_are(station: OutgoingStation) -> None:
    await station.take(received(person()))
    key = await grant(station, attempts=2, accommodations="ET30MN")
    async with station.api() as ask:
        _, shown = await ask.candidate("GET", OWN)
        assert [(one["state"], one["waits_for"]) for one in shown["items"]] == [("pending", "demographics")]
    await station.round()
    assert station.names() == ["cdd-cisco-000001.txt", "ead-cisco-000001.txt"]
    (line,) = station.sent("ead-cisco-000001.txt")
    assert line == {
        "AuthorizationTransactionType": "Add",
        "ClientAuthorizationID": key,
        "ClientCandidateID": "C1",
        "ExamAuthorizationCount": "2",
        "ExamSeriesCode": "200-301",
        "Accommodations": "ET30MN",
        "EligibilityApptDateFirst": "2090/12/01 00:00:00",
        "EligibilityApptDateLast": "2091/11/30 23:59:59",
        "LastUpdate": line["LastUpdate"],
    }
    async with station.api() as ask:
        status, changed = await ask.staff("PATCH", f"/authorizations/{key}", last="2090-12-24")
        assert (status, changed["state"], changed["last"]) == (200, "pending", "2090-12-24")
    await station.round()
    async with station.api() as ask:
        for _ in range(2):
            status, over = await ask.staff("PUT", f"/authorizations/{key}/withdrawal", reason="asked by phone")
            assert (status, over["state"]) == (200, "withdrawn")
        assert (await ask.staff("PATCH", f"/authorizations/{key}", attempts=3))[0] == 409
    await station.round()
    types = [station.sent(f"ead-cisco-00000{n}.txt")[0]["AuthorizationTransactionType"] for n in (1, 2, 3)]
    assert types == ["Add", "Update", "Delete"]
    async with station.api() as ask:
        _, shown = await ask.staff("GET", f"/authorizations/{key}")
    assert [step["what"] for step in shown["history"]] == ["granted", "sent", "changed", "sent", "withdrawn", "sent"]


async def test_right_waits_while_the_vendor_cannot_know_the_candidate(station: OutgoingStation) -> None:
    await station.take(received(person(given_name="Łukasz")))
    await station.round()
    key = await grant(station)
    await station.round()
    assert station.names() == []
    await station.take(profile(version=2, given_name="Lukasz"))
    await station.round()
    assert station.names() == ["cdd-cisco-000001.txt", "ead-cisco-000001.txt"]
    assert (await right(station, key))["state"] == "sent"


async def test_refused_demographics_stop_rights_until_they_are_mended(station: OutgoingStation) -> None:
    await station.take(received(person()))
    await station.round()
    station.answer("vcdc-cisco-000001.txt", "ClientCandidateID", ("C1", "Error", "No such street"))
    await station.round()
    await grant(station)
    await station.round()
    assert station.names() == ["cdd-cisco-000001.txt"]
    async with station.api() as ask:
        _, shown = await ask.staff("GET", "/vendor-profiles?state=refused")
        assert [one["reason"] for one in shown["items"]] == ["No such street"]
        assert (await ask.staff("POST", "/candidates/C1/vendor-profiles/vue/again"))[0] == 204
        assert (await ask.staff("POST", "/candidates/C1/vendor-profiles/vue/again"))[0] == 409
    await station.round()
    assert station.names() == ["cdd-cisco-000001.txt", "cdd-cisco-000002.txt", "ead-cisco-000001.txt"]


async def test_right_that_was_let_go_is_stopped_when_its_candidate_is_refused(station: OutgoingStation) -> None:
    station.define({"authorizations": {"every_minutes": 600}})
    await station.take(received(person()), received(person("C2", given_name="Ada", family_name="Byron")))
    await grant(station, "C2")
    await station.round()
    await grant(station)
    station.answer("vcdc-cisco-000001.txt", "ClientCandidateID", ("C1", "Error", "No such street"))
    await station.round()
    station.base.clock.advance(timedelta(hours=11))
    await station.exchange()
    assert [name for name in station.names() if name.startswith("ead")] == ["ead-cisco-000001.txt"]
    assert [line["ClientCandidateID"] for line in station.sent("ead-cisco-000001.txt")] == ["C2"]


async def test_right_that_is_granted_while_its_candidate_is_sent_is_not_forgotten(station: OutgoingStation) -> None:
    """Both at the same moment: one of the two must see the other."""
    for n in range(12):
        await station.take(received(person(f"C{n}")))
        await station.run("vendor-profiles")
        station.base.clock.advance(timedelta(hours=1, seconds=1))
        key, _ = await asyncio.gather(grant(station, f"C{n}"), station.exchange())
        station.base.clock.advance(timedelta(hours=1, seconds=1))
        await station.exchange()
        assert (await right(station, key))["state"] == "sent"


async def test_right_that_cannot_be_is_refused(station: OutgoingStation) -> None:
    await station.take(received(person()))
    async with station.api() as ask:
        for wrong in (
            {"vendor": "psi"},
            {"exam_code": "no-such"},
            {"last": "2026-11-30"},
            {"accommodations": "文"},
            {"attempts": 0},
        ):
            assert (await ask.staff("POST", OWN, **{**NEW, **wrong}))[0] == 422, wrong
        assert (await ask.staff("POST", "/candidates/nobody/authorizations", **NEW))[0] == 404
        assert (await ask.staff("POST", OWN, program="juniper", **NEW))[0] == 404
        assert (await ask.candidate("POST", OWN, **NEW))[0] == 403
        first = await ask.staff("POST", OWN, key="k", **NEW)
        assert first == await ask.staff("POST", OWN, key="k", **NEW)
    assert len(await station.base.rows("authorizations")) == 1


async def test_right_ends_with_its_last_day_at_the_vendors_place(station: OutgoingStation) -> None:
    await station.take(received(person()))
    now = station.base.clock.now()
    today = now.date().isoformat()
    key = await grant(station, first=today, last=today)
    await station.run("authorizations")
    assert (await right(station, key))["state"] == "pending"
    station.base.clock.advance(timedelta(days=2))
    await station.run("authorizations")
    await station.round()
    assert (await right(station, key))["state"] == "expired"
    assert station.names() == ["cdd-cisco-000001.txt"]


# --- Answers ---------------------------------------------------------------------------------------------------------


async def test_answers_settle_lines_and_accepted_may_carry_a_warning(station: OutgoingStation) -> None:
    await station.take(*(received(person(f"C{n}")) for n in (1, 2, 3)))
    keys = [await grant(station, f"C{n}") for n in (1, 2, 3)]
    await station.round()
    answers = (
        (keys[0], "Accepted", ""),
        (keys[1], "Accepted", "Already has one"),
        (keys[2], "Error", "Unknown exam"),
        ("stranger", "Accepted", ""),
    )
    station.answer("eac-cisco-000001.txt", "ClientAuthorizationID", *answers)
    await station.round()
    rows = [await right(station, key) for key in keys]
    assert [(row["state"], row["text"]) for row in rows] == [
        ("accepted", None),
        ("accepted", "Already has one"),
        ("refused", "Unknown exam"),
    ]
    async with station.api() as ask:
        _, files = await ask.staff("GET", "/vendor-files?kind=authorizations")
        (file,) = files["items"]
        assert (file["state"], file["lines"], file["unanswered"]) == ("delivered", 3, 0)
        _, lines = await ask.staff("GET", f"/vendor-files/{file['vendor_file_id']}/lines?state=warned")
        assert [(one["record"], one["text"]) for one in lines["items"]] == [(keys[1], "Already has one")]
        _, read = await ask.staff("GET", "/vendor-confirmations")
        assert read["items"][0]["faults"] == [{"line": 5, "record": "stranger", "code": "unknown_record"}]
        _, shown = await ask.staff("GET", f"/authorizations/{keys[1]}")
        assert (shown["warning"], shown["reason"]) == ("Already has one", None)
        assert (await ask.staff("GET", f"/vendor-files/{file['vendor_file_id']}", program="juniper"))[0] == 404
        assert (await ask.staff("POST", f"/authorizations/{keys[2]}/again"))[1]["state"] == "pending"
    await station.round()
    assert [line["ClientAuthorizationID"] for line in station.sent("ead-cisco-000002.txt")] == [keys[2]]


async def test_answer_that_comes_twice_or_late_changes_nothing(station: OutgoingStation) -> None:
    await station.take(received(person()))
    key = await grant(station)
    await station.round()
    async with station.api() as ask:
        await ask.staff("PATCH", f"/authorizations/{key}", attempts=2)
    await station.round()
    station.answer("eac-cisco-000002.txt", "ClientAuthorizationID", (key, "Accepted", "careful"))
    await station.round()
    before = await right(station, key)
    assert (before["state"], before["text"]) == ("accepted", "careful")
    station.answer("eac-cisco-000001.txt", "ClientAuthorizationID", (key, "Error", "late"))
    (station.outbox / "eac-cisco-000002.txt.copy").write_bytes(b"")
    station.answer("eac-cisco-2.txt", "ClientAuthorizationID", (key, "Accepted", "careful"))
    await station.round()
    after = await right(station, key)
    assert (after["state"], after["text"], after["known"]) == ("accepted", "careful", True)
    rows = await station.base.rows("confirmations", kind="authorizations")
    assert sorted(row["repeated"] for row in rows) == [0, 0, 1]
    station.answer("eac-cisco-0002.txt", "ClientAuthorizationID", (key, "Accepted", "very careful"))
    await station.round()
    assert (await right(station, key))["text"] == "very careful", "a later answer to the same line replaces it"
    files = await station.base.rows("outgoing_files", kind="authorizations")
    assert [file["unanswered"] for file in files] == [0, 0]


async def test_file_that_nobody_answers_is_flagged_once(station: OutgoingStation) -> None:
    await station.take(received(person()))
    await station.round()
    station.base.clock.advance(timedelta(hours=25))
    await station.exchange()
    async with station.api() as ask:
        _, late = await ask.staff("GET", "/vendor-files?silent=true")
        assert [one["name"] for one in late["items"]] == ["cdd-cisco-000001.txt"]
    station.answer("vcdc-cisco-000001.txt", "ClientCandidateID", ("C1", "Accepted", ""))
    await station.round()
    (file,) = await station.base.rows("outgoing_files")
    assert (file["silent"], file["unanswered"]) == (False, 0)


# --- Making and carrying ---------------------------------------------------------------------------------------------


async def test_two_processes_at_once_make_no_second_file(station: OutgoingStation) -> None:
    for n in range(10):
        await station.take(received(person(f"C{n}")))
        await station.run("vendor-profiles")
        station.base.clock.advance(timedelta(hours=1, seconds=1))
        _, other = station.process()
        await asyncio.gather(station.exchange(), other.exchanges[0].run())
    sent = [line["ClientCandidateID"] for name in station.names() for line in station.sent(name)]
    assert sent == [f"C{n}" for n in range(10)]
    assert station.names() == [f"cdd-cisco-{n:06}.txt" for n in range(1, 11)]


async def test_next_file_waits_for_the_interval_and_what_is_too_much_for_one_goes_at_once(
    station: OutgoingStation,
) -> None:
    station.define({"demographics": {"lines": 2, "every_minutes": 30}})
    await station.take(*(received(person(f"C{n}")) for n in range(5)))
    await station.round()
    assert [len(station.sent(name)) for name in station.names()] == [2, 2, 1]
    await station.take(received(person("C9")))
    await station.run("vendor-profiles")
    station.base.clock.advance(timedelta(minutes=29))
    await station.exchange()
    assert len(station.names()) == 3
    station.base.clock.advance(timedelta(minutes=2))
    await station.exchange()
    assert len(station.names()) == 4


async def test_folder_that_is_away_is_tried_again_with_longer_waits_and_nothing_is_lost(
    station: OutgoingStation,
) -> None:
    station.inbox.rmdir()
    await station.take(received(person()))
    await station.round()
    await station.exchange()
    async with station.api() as ask:
        _, shown = await ask.staff("GET", "/vendor-exchanges")
        (one,) = shown["items"]
        assert (one["failures"], one["undelivered"]) == (1, 1), "not tried again at once"
        assert "No such file" in one["error"]
    station.base.clock.advance(timedelta(seconds=61))
    await station.exchange()
    station.base.clock.advance(timedelta(seconds=61))
    await station.exchange()
    (exchange,) = await station.base.rows("exchanges")
    assert exchange["failures"] == 2, "the second wait is longer"
    station.inbox.mkdir()
    station.base.clock.advance(timedelta(minutes=2))
    await station.exchange()
    assert station.names() == ["cdd-cisco-000001.txt"]
    (exchange,) = await station.base.rows("exchanges")
    assert (exchange["failures"], exchange["error"]) == (0, None)


async def test_erased_person_is_in_no_later_file_and_nothing_of_them_is_left(station: OutgoingStation) -> None:
    await station.take(received(person()), received(person("C2", given_name="Ada", family_name="Byron")))
    await grant(station, accommodations="ET30MN")
    await station.round()
    erased = identity.CandidateErased(
        candidate_id="C1",
        accounts=[identity.ErasedAccount(candidate_id="C1", pseudonym="erased-1")],
        erased_at=station.base.clock.now(),
    )
    await station.take(received(erased))
    await station.take(profile(version=9), received(erased))
    await station.round()
    names = await station.base.database.list_collection_names()
    left = str([await station.base.rows(name) for name in names if name not in ("outbox", "idempotency")])
    for word in ("'C1'", "Ångström", "Zoë", "ET30MN", "c1@example.com", "\\xc5ngstr"):
        assert word not in left, word
    (kept,) = await station.base.rows("authorizations")
    assert (kept["candidate_id"], kept["todo"]) == ("erased-1", None)
    assert len(station.names()) == 2
