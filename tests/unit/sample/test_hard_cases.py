"""The hard cases, counted in the files and compared with what the summary says."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.sample.feed import Sample

LATE = 3_000

Versions = dict[int, tuple[int, dict[str, Any]]]
"""Revision to position and row of a result's first deliveries."""


@pytest.fixture(params=["vue", "psi"])
def vendor(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def versions(sample: Sample, vendor: str) -> dict[str, Versions]:
    found: defaultdict[str, Versions] = defaultdict(dict)
    for position, row in sample.results(vendor):
        found[row["data"]["result_id"]].setdefault(row["data"]["revision"], (position, row))
    return found


def account(row: dict[str, Any]) -> tuple[str, str]:
    return row["program"], row["data"]["vendor_candidate_id"]


def registered_at(sample: Sample, vendor: str) -> dict[tuple[str, str], int]:
    """Position of each account's first registration."""
    found: dict[tuple[str, str], int] = {}
    for position, row in enumerate(sample.rows[vendor]):
        if row["type"] == "ExamRegistered.v1":
            found.setdefault(account(row), position)
    return found


def corrections(sample: Sample, vendor: str) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """Kind, position and row of each correction of a result that had been told."""
    for found in versions(sample, vendor).values():
        if set(found) != {1, 2}:
            continue
        (first, before), (second, after) = found[1], found[2]
        old, new = before["data"], after["data"]
        if old["grade"] == "pending" or second < first:
            continue
        if new["grade"] == "invalidated":
            yield "invalidated", second, after
        elif new["grade"] != old["grade"]:
            yield f"{old['grade']}_to_{new['grade']}", second, after
        else:
            yield "score_only" if new.get("score") != old.get("score") else "sections_only", second, after


def test_repeated_deliveries_are_the_same_to_the_letter_and_in_the_stated_number(sample: Sample, vendor: str) -> None:
    seen: dict[str, dict[str, Any]] = {}
    repeated = 0
    for row in sample.rows[vendor]:
        if row["id"] in seen:
            assert row == seen[row["id"]]
            repeated += 1
        seen[row["id"]] = row
    assert repeated == sample.summary["hard_cases"][vendor]["redelivered"]


def test_resends_have_a_new_event_id_and_the_same_content(sample: Sample, vendor: str) -> None:
    told = Counter((row["data"]["result_id"], row["data"]["revision"]) for _, row in sample.results(vendor))
    assert sum(times - 1 for times in told.values()) == sample.summary["hard_cases"][vendor]["resent"]
    first: dict[tuple[str, int], dict[str, Any]] = {}
    for _, row in sample.results(vendor):
        data = row["data"]
        assert first.setdefault((data["result_id"], data["revision"]), data) == data


def test_overtaken_revisions_arrive_right_behind_the_one_that_overtook_them(sample: Sample, vendor: str) -> None:
    overtaken = [found for found in versions(sample, vendor).values() if 2 in found and found[2][0] < found[1][0]]
    assert all(found[1][0] == found[2][0] + 1 for found in overtaken)
    assert len(overtaken) == sample.summary["hard_cases"][vendor]["out_of_order"]


def test_corrections_come_in_the_stated_numbers(sample: Sample, vendor: str) -> None:
    kinds = Counter(kind for kind, _, _ in corrections(sample, vendor))
    stated = sample.summary["hard_cases"][vendor]
    names = ("fail_to_pass", "pass_to_fail", "score_only", "sections_only", "invalidated")
    assert kinds == {name: stated[name] for name in names}


def test_a_correction_comes_late_after_everything_else_of_its_candidate(sample: Sample, vendor: str) -> None:
    last: dict[tuple[str, str], int] = {}
    late = {(account(row), position) for _, position, row in corrections(sample, vendor)}
    for position, row in sample.results(vendor):
        if (account(row), position) not in late:
            last[account(row)] = position
    assert all(position - last[who] >= LATE for who, position in late)


def test_nobody_has_more_than_one_corrected_result(sample: Sample, vendor: str) -> None:
    corrected = Counter(account(row) for _, _, row in corrections(sample, vendor))
    assert max(corrected.values()) == 1


def test_pending_results_become_final_or_stay_pending_in_the_stated_numbers(sample: Sample, vendor: str) -> None:
    stated = sample.summary["hard_cases"][vendor]
    pending = [found for found in versions(sample, vendor).values() if found[1][1]["data"]["grade"] == "pending"]
    final = [found for found in pending if 2 in found]
    assert len(final) == stated["pending_then_final"]
    assert len(pending) - len(final) == stated["pending_for_ever"]
    assert all(found[2][0] > found[1][0] for found in final)
    assert all(found[2][1]["data"]["grade"] in {"pass", "fail"} for found in final)


def test_early_results_wait_for_a_registration_and_some_for_ever(sample: Sample, vendor: str) -> None:
    stated = sample.summary["hard_cases"][vendor]
    registered = registered_at(sample, vendor)
    waited, never = set(), set()
    for result_id, found in versions(sample, vendor).items():
        position, row = found[min(found)]
        if account(row) not in registered:
            never.add(result_id)
        elif position < registered[account(row)]:
            waited.add(result_id)
            assert registered[account(row)] - position >= 100
            assert len(found) == 1, "an early result is never revised"
    assert len(waited) == stated["early_result"]
    assert len(never) == stated["never_registered"]


def test_renewals_come_long_after_the_award(sample: Sample, vendor: str) -> None:
    passed: defaultdict[tuple[object, ...], list[int]] = defaultdict(list)
    for found in versions(sample, vendor).values():
        position, row = found[max(found)]
        exam = "JNCIA-Junos" if row["data"]["exam_code"] in {"JN0-105", "JN0-106"} else row["data"]["exam_code"]
        if row["data"]["grade"] == "pass":
            passed[(*account(row), exam)].append(position)
    renewed = [positions for positions in passed.values() if len(positions) > 1]
    assert len(renewed) == sample.summary["renewals"][vendor]
    assert all(positions[1] - positions[0] >= LATE for positions in map(sorted, renewed))


def test_the_vendors_use_some_of_the_same_ids(sample: Sample) -> None:
    ids = {vendor: {row["id"] for row in rows} for vendor, rows in sample.rows.items()}
    assert len(ids["vue"] & ids["psi"]) == sample.summary["event_ids_at_both_vendors"]
    results = {vendor: set(versions(sample, vendor)) for vendor in sample.rows}
    assert len(results["vue"] & results["psi"]) >= 1_000
