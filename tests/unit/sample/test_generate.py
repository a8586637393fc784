"""What the generated feed promises about its size, its people and its calendar."""

import json
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from deploy.sample.generate import generate
from deploy.sample.journeys import ROADS
from libs.common.events import vendor_event
from libs.common.events.envelope import parse_single
from libs.common.programs import Program, load_programs
from tests.unit.sample.feed import SEED, Sample

PROGRAMS = Path(__file__).parents[3] / "deploy" / "programs"


@pytest.fixture(scope="module")
def programs() -> dict[str, Program]:
    return load_programs(PROGRAMS)


def everything(sample: Sample) -> Iterator[tuple[str, dict[str, Any]]]:
    for vendor, rows in sample.rows.items():
        for row in rows:
            yield vendor, row


def people(sample: Sample) -> Iterator[dict[str, str]]:
    for _vendor, row in everything(sample):
        if row["type"] == "ExamRegistered.v1":
            yield row["data"]["candidate"]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(sample: Sample, tmp_path: Path) -> None:
    generate(SEED, tmp_path / "again")
    generate(SEED + 1, tmp_path / "other")
    for name in ("vue.jsonl", "psi.jsonl", "invalid.jsonl", "summary.json"):
        assert (tmp_path / "again" / name).read_bytes() == (sample.directory / name).read_bytes()
    assert (tmp_path / "other" / "vue.jsonl").read_bytes() != (sample.directory / "vue.jsonl").read_bytes()


def test_there_are_enough_registrations_and_results_at_both_vendors_and_in_both_programs(sample: Sample) -> None:
    registrations, results = set(), set()
    used: Counter[tuple[str, str]] = Counter()
    for vendor, row in everything(sample):
        used[vendor, row["program"]] += 1
        if row["type"] == "ExamRegistered.v1":
            registrations.add((vendor, row["data"]["registration_id"]))
        elif row["type"] == "ExamResultReported.v1":
            results.add((vendor, row["data"]["result_id"]))
    assert len(registrations) >= 5_000
    assert len(results) >= 12_000
    assert set(used) == {(v, p) for v in ("vue", "psi") for p in ("cisco", "juniper")}
    assert min(used.values()) >= 1_000


def test_every_row_is_an_event_of_the_published_language(sample: Sample) -> None:
    for vendor, row in everything(sample):
        event_type = f"{vendor}.{row['type']}"
        model = vendor_event(event_type)
        assert model is not None, event_type
        envelope = row | {"specversion": "1.0", "source": vendor, "type": event_type}
        parse_single(model, json.dumps(envelope))


def test_every_exam_is_one_its_program_offers_on_that_day(sample: Sample, programs: dict[str, Program]) -> None:
    for _vendor, row in everything(sample):
        if row["type"] != "ExamResultReported.v1":
            continue
        exam = programs[row["program"]].find_exam(row["data"]["exam_code"])
        day = datetime.fromisoformat(row["data"]["taken_at"]).date()
        assert exam is not None, row["data"]["exam_code"]
        assert (exam.first_day or date.min) <= day <= (exam.last_day or date.max)


def test_exams_are_taken_between_january_2024_and_november_2026(sample: Sample) -> None:
    days = [datetime.fromisoformat(row["data"]["taken_at"]).date() for _, row in sample.results("vue")]
    times = [row["time"] for _vendor, row in everything(sample)]
    assert date(2024, 1, 24) <= min(days) < date(2024, 3, 1)
    assert date(2026, 11, 1) < max(days) <= date(2026, 11, 20)
    assert min(times) >= "2024-01-05"
    assert max(times) < "2026-11-22"


def test_rows_arrive_by_time_except_where_a_hard_case_moves_them(sample: Sample) -> None:
    for vendor, rows in sample.rows.items():
        backwards = sum(after["time"] < before["time"] for before, after in pairwise(rows))
        sizes = sample.summary["hard_cases"][vendor]
        assert backwards <= sizes["redelivered"]


def test_names_come_in_many_scripts(sample: Sample) -> None:
    scripts: Counter[str] = Counter()
    for person in people(sample):
        letters = person["given_name"] + person["family_name"]
        scripts.update({unicodedata.name(letter, "NONE").split()[0] for letter in letters})
    for script in ("LATIN", "GREEK", "CYRILLIC", "ARABIC", "HEBREW", "DEVANAGARI", "TAMIL", "THAI", "CJK"):
        assert scripts[script] >= 20, script
    for script in ("HANGUL", "HIRAGANA", "GEORGIAN", "ARMENIAN", "ETHIOPIC", "SINHALA", "BENGALI", "COMBINING"):
        assert scripts[script] >= 5, script


def test_names_have_apostrophes_fillers_and_great_lengths(sample: Sample) -> None:
    written = [(person["given_name"], person["family_name"]) for person in people(sample)]
    assert sum("'" in given + family for given, family in written) >= 50
    assert sum(bool({given, family} & {".", "-", "FNU", "LNU"}) for given, family in written) >= 20
    assert sum(given == family for given, family in written) >= 5
    assert max(len(family) for _, family in written) >= 50


def test_mailboxes_are_ascii_of_example_domains_and_some_are_shared(sample: Sample) -> None:
    named: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    for person in people(sample):
        named[person["email"]].add((person["given_name"], person["family_name"]))
    assert all(email.isascii() for email in named)
    assert all(email.endswith((".example", "example.com", "example.org", "example.net")) for email in named)
    assert 50 <= sum(len(names) > 1 for names in named.values()) <= len(named) // 10


def test_for_some_results_the_local_day_is_not_the_day_in_utc(sample: Sample) -> None:
    taken = [datetime.fromisoformat(row["data"]["taken_at"]) for _, row in sample.results("vue")]
    assert sum(moment.date() != moment.astimezone(UTC).date() for moment in taken) >= 200


def test_some_people_are_in_both_programs_and_some_at_both_vendors(sample: Sample) -> None:
    programs: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    vendors: defaultdict[tuple[str, str, str], set[str]] = defaultdict(set)
    for vendor, row in everything(sample):
        if row["type"] == "ExamRegistered.v1":
            programs[vendor, row["data"]["vendor_candidate_id"]].add(row["program"])
            person = row["data"]["candidate"]
            vendors[person["given_name"], person["family_name"], person["email"]].add(vendor)
    assert sum(len(used) == 2 for used in programs.values()) >= 300
    assert sum(len(used) == 2 for used in vendors.values()) >= 150


def test_no_exam_is_taken_again_within_a_waiting_time(sample: Sample) -> None:
    slots = {code: slot for road in ROADS for slot in road.slots if len(slot) == 2 for code in slot}
    attempts: defaultdict[tuple[str, str, str, object], dict[str, tuple[date, str]]] = defaultdict(dict)
    for vendor in sample.rows:
        for _, row in sample.results(vendor):
            data = row["data"]
            key = (vendor, row["program"], data["vendor_candidate_id"], slots.get(data["exam_code"], data["exam_code"]))
            day = datetime.fromisoformat(data["taken_at"]).date()
            grade = attempts[key].get(data["result_id"], (day, ""))[1]
            attempts[key][data["result_id"]] = (day, "pass" if "pass" in (grade, data["grade"]) else data["grade"])
    for taken in attempts.values():
        for (before, grade), (after, _) in pairwise(sorted(taken.values())):
            assert after - before > timedelta(days=550 if grade == "pass" else 15)


def test_missed_moved_and_cancelled_appointments_occur(sample: Sample) -> None:
    changes = Counter(row["data"]["change"] for _, row in everything(sample) if "change" in row["data"])
    assert min(changes[change] for change in ("rescheduled", "cancelled", "no_show")) >= 200
