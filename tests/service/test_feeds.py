"""Vendors' files on a real database: every good row once, every bad one told, whatever happens on the way."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from libs.common.candidate_ids import candidate_id
from libs.common.mongo.links import own_link
from libs.common.programs import Program
from services.exams.consumers import VendorMessages
from services.exams.feeds import batches
from services.exams.feeds.shape import FeedsShape
from services.exams.feeds.store import FILE_LEASE
from tests.service.conftest import OpenBase
from tests.service.feeds_station import FeedsStation, vendors
from tests.service.samples import linked, received, registration, reported
from tests.unit.exams.vendor_files import absent, cells, member, packed, result_file

JUNIPER = "JN0-106"


@pytest.fixture
async def station(base_of: OpenBase, programs: dict[str, Program], tmp_path: Path) -> AsyncIterator[FeedsStation]:
    async with base_of("exams") as base:
        yield FeedsStation(base, programs, tmp_path)


async def test_good_rows_are_recorded_and_told_and_bad_ones_listed(station: FeedsStation) -> None:
    await station.link(received(linked("P1")))
    file = await station.imported(
        packed(
            {
                "results.txt": member(
                    cells(),
                    cells(RegistrationID="G2", Grade="fail", Score="300"),
                    cells(RegistrationID="G3", Grade="great", Score="much"),
                    cells(RegistrationID="G4", ExamSeriesCode=JUNIPER, ClientCandidateID="P9"),
                ),
                "absent.txt": member(absent(RegistrationID="G5")),
            }
        )
    )
    assert (file["state"], file["refusal"]) == ("done", None)
    assert file["counts"] == {"rows": 5, "results": 3, "absences": 1, "bad": 1}
    assert file["lines"] == {"done": 7, "all": 7}
    assert station.told() == [("ExamPassed", "G1"), ("ExamFailed", "G2")]
    assert await station.bad() == [(4, [("Score", "number"), ("Grade", "grade")])]
    results = {row["registration_id"]: row for row in await station.base.rows("results")}
    assert {key: row["program"] for key, row in results.items()} == {"G1": "cisco", "G2": "cisco", "G4": "juniper"}
    first = results["G1"]
    assert (first["grade"], first["score"], first["candidate_id"], first["result_id"]) == ("pass", 870.0, "C1", None)
    assert (first["taken_on"], first["attempt"], first["site"], first["language"]) == ("2025-03-10", 1, "70412", "ENU")
    (word,) = first["revisions"]
    assert word["source"] == {"kind": "file", "ref": f"{file['_id']}:000:000000002"}
    assert word["raw"].startswith(b"G1\tP1\t70412")
    assert word["said_at"] == datetime(2025, 3, 11, 11, tzinfo=UTC)
    (missed,) = await station.base.rows("registrations")
    assert (missed["registration_id"], missed["state"]) == ("G5", "no_show")
    tallies = await station.base.rows("verdict_tallies")
    counts = [each["counts"] for each in tallies]
    assert sum((Counter(each) for each in counts), Counter()) == {
        "file:new": 3,
        "file:kept": 1,
        "file:refused:number": 1,
    }


async def test_row_with_the_programs_own_id_is_matched_without_a_link_at_the_vendor(
    station: FeedsStation, programs: dict[str, Program]
) -> None:
    cisco = programs["cisco"]
    own = candidate_id(cisco.candidate_id_prefix, cisco.candidate_id_digits, 4711)
    mistyped = own[:-1] + str((int(own[-1]) + 1) % 10)
    await station.base.database["links"].insert_one({"_id": own_link("cisco", own), "candidate_id": own, "waiting": 0})
    await station.imported(
        result_file(cells(ClientCandidateID=own), cells(RegistrationID="G2", ClientCandidateID=mistyped))
    )
    rows = {row["registration_id"]: row for row in await station.base.rows("results")}
    assert (rows["G1"]["candidate_id"], rows["G1"]["link"]) == (own, f"cisco:certrail:{own}")
    assert (rows["G2"]["candidate_id"], rows["G2"]["link"]) == (None, f"cisco:vue:{mistyped}")


async def test_file_of_an_exam_that_two_programs_have_needs_the_definition_to_say_whose(
    base_of: OpenBase, programs: dict[str, Program], tmp_path: Path
) -> None:
    both = {"cisco": programs["cisco"], "juniper": programs["cisco"]}
    said = vendors(FeedsShape(exams={"200-301": "cisco"}))
    async with base_of("exams") as base:
        unsaid = FeedsStation(base, both, tmp_path)
        await unsaid.imported(result_file(cells()))
        both["juniper"] = programs["juniper"]
        one = FeedsStation(base, both, tmp_path, said)
        file = await one.imported(result_file(cells(), cells(RegistrationID="G2")))
        assert file["counts"] == {"rows": 2, "results": 2}


async def test_same_file_again_is_one_file_and_changes_nothing(station: FeedsStation) -> None:
    await station.link(received(linked("P1")))
    content = result_file(cells(), cells(RegistrationID="G2"))
    first = await station.imported(content)
    again = await station.imported(content, name="another name.zip")
    assert (again["_id"], again["seen"], again["state"]) == (first["_id"], 2, "done")
    assert len(await station.base.rows("feed_chunks")) == 1
    both = member(cells(), cells(RegistrationID="G2"))
    other = await station.imported(packed({"other.txt": both}, written=(2025, 3, 11, 7, 0, 0)))
    assert other["counts"] == {"rows": 2, "unchanged": 2}
    assert station.told() == [("ExamPassed", "G1"), ("ExamPassed", "G2")]
    assert [len(row["revisions"]) for row in await station.base.rows("results")] == [1, 1]


async def test_correction_in_a_later_file_counts_and_an_earlier_file_changes_it_no_more(station: FeedsStation) -> None:
    await station.link(received(linked("P1")))
    old, new = ((2025, 3, day, 6, 0, 0) for day in (11, 12))
    await station.imported(packed({"a.txt": member(cells())}, written=old))
    await station.imported(packed({"a.txt": member(cells(Grade="fail", Score="700"))}, written=new))
    station.base.clock.advance(timedelta(hours=1))
    await station.imported(packed({"b.txt": member(cells(Score="869"))}, written=(2025, 3, 10, 6, 0, 0)))
    assert station.told() == [("ExamPassed", "G1"), ("ExamResultRevised", "G1")]
    (row,) = await station.base.rows("results")
    assert (row["grade"], row["score"]) == ("fail", 700.0)


async def test_of_two_rows_about_one_registration_the_later_one_counts(station: FeedsStation) -> None:
    others = [cells(RegistrationID=f"G{n}") for n in range(2, 12)]
    await station.imported(result_file(*others, cells(RegistrationID="G9", Grade="fail", Score="1")))
    (row,) = await station.base.rows("results", registration_id="G9")
    assert (row["grade"], len(row["revisions"])) == ("fail", 2)


async def test_absence_is_told_once_its_registration_is_there(station: FeedsStation) -> None:
    await station.link(received(linked("P1")))
    await station.imported(result_file(absent(NDARefused="1")))
    await station.base.handle(VendorMessages(station.store).handle, reported(registration()))
    assert station.told() == [("ExamScheduled", "G1"), ("ExamAppointmentChanged", "G1")]
    (row,) = await station.base.rows("registrations")
    assert (row["state"], row["history"][0]["reason"]) == ("no_show", "nda_refused")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"no zip", "not_a_zip"),
        (result_file(cells())[:-30], "not_a_zip"),
        (packed({"../../etc/passwd": member(cells())}), "member_name"),
        (packed({"a.txt": [bytes(1_000_000)] * 30}), "bomb"),
        (packed({"a.txt": b"Some\tother\theader\n", "b.txt": b""}), "no_rows"),
    ],
)
async def test_file_that_cannot_be_read_is_refused_with_a_reason_and_kept(
    station: FeedsStation, content: bytes, code: str
) -> None:
    file = await station.imported(content)
    assert (file["state"], file["refusal"]["code"]) == ("refused", code)
    assert file["refusal"]["message"]
    kept = b"".join([chunk async for chunk in station.feeds.archive.blocks(file)])
    assert kept == content
    assert await station.base.rows("results") == []


async def test_member_that_cannot_be_read_leaves_the_others_alone(station: FeedsStation) -> None:
    file = await station.imported(packed({"README.txt": b"Hello.\n", "results.txt": member(cells())}))
    assert file["state"] == "done"
    assert [member["refusal"] and member["refusal"]["code"] for member in file["members"]] == ["missing_column", None]
    assert file["counts"] == {"rows": 1, "results": 1, "refused_members": 1}


async def test_import_goes_on_where_another_process_has_left_it(
    station: FeedsStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "ROWS", 4)
    await station.link(received(linked("P1")))
    rows = [cells(RegistrationID=f"G{n}") for n in range(10)]
    key = await station.keep(packed({"a.txt": member(*rows[:7]), "b.txt": member(*rows[7:], b"a\tb")}))
    for owner in range(4):
        process = station.another(f"process {owner}")
        process.stopping.set()  # each stops after its first batch
        await process.feeds.importer.import_next(process.stopping)
    file = await station.file(key)
    assert (file["state"], file["counts"]) == ("done", {"rows": 11, "results": 10, "bad": 1})
    assert station.told() == [("ExamPassed", f"G{n}") for n in range(10)]
    assert await station.bad() == [(5, [("", "cells")])]


async def test_process_that_was_only_thought_dead_records_nothing_more(
    station: FeedsStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "ROWS", 2)
    key = await station.keep(result_file(*(cells(RegistrationID=f"G{n}") for n in range(6))))
    second = station.another("second")
    slow, record = station.feeds.importer, station.feeds.importer._record
    turns: list[Any] = []

    async def late(*arguments: Any) -> Any:
        turns.append(arguments)
        if len(turns) == 2:
            station.base.clock.advance(FILE_LEASE * 2)
            await second.feeds.importer.import_next(second.stopping)
        return await record(*arguments)

    monkeypatch.setattr(slow, "_record", late)
    await slow.import_next(station.stopping)
    file = await station.file(key)
    assert (file["state"], file["owner"], file["counts"]) == ("done", None, {"rows": 6, "results": 6})
    assert len(turns) == 2


async def test_two_processes_never_import_the_same_file_at_once(station: FeedsStation) -> None:
    await station.keep(result_file(*(cells(RegistrationID=f"G{n}") for n in range(20))))
    processes = [station.another(f"process {n}") for n in range(4)]
    worked = await asyncio.gather(*(each.feeds.importer.import_next(each.stopping) for each in processes))
    assert sorted(worked) == [False, False, False, True]


async def test_file_that_kills_each_process_is_given_up(station: FeedsStation) -> None:
    key = await station.keep(result_file(cells()))
    for _ in range(2 * station.feeds.importer.MOST_TRIES):
        assert await station.feeds.store.claim("dies at once", station.base.clock.now()) is not None
        station.base.clock.advance(FILE_LEASE * 2)
    await station.feeds.importer.import_next(station.stopping)
    assert (await station.file(key))["refusal"]["code"] == "failed"


async def test_import_that_fails_each_time_is_given_up(station: FeedsStation, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_arguments: Any) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(station.feeds.importer, "_record", broken)
    key = await station.keep(result_file(cells()))
    for _ in range(station.feeds.importer.MOST_TRIES):
        assert (await station.file(key))["state"] in {"waiting", "importing"}
        await station.feeds.importer.import_next(station.stopping)
        station.base.clock.advance(FILE_LEASE * 2)
    assert (await station.file(key))["refusal"]["code"] == "failed"
