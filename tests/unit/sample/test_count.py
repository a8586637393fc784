"""The second account: a small feed counted by hand, its independence, and its agreement with the platform."""

import ast
import json
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from deploy.sample import count as count_module
from deploy.sample import count_rules
from deploy.sample.count import count
from deploy.sample.count_rules import PROGRAMS
from libs.common.programs import load_programs
from services.certs.domain.evaluate import evaluate
from services.certs.domain.facts import ExamFact
from tests.unit.sample.feed import Sample

AS_OF = date(2026, 11, 22)
PROGRAM_FILES = Path(__file__).parents[3] / "deploy" / "programs"


def registered(event_id: str, who: str, program: str = "cisco") -> dict[str, Any]:
    data = {"vendor_candidate_id": who, "registration_id": f"reg-{event_id}", "exam_code": "200-301"}
    return {"id": event_id, "type": "ExamRegistered.v1", "program": program, "data": data}


def reported(
    event_id: str,
    who: str,
    code: str,
    day: str,
    grade: str = "pass",
    *,
    result: str | None = None,
    revision: int = 1,
    score: int | None = None,
    program: str = "cisco",
) -> dict[str, Any]:
    data = {
        "result_id": result or f"res-{event_id}",
        "revision": revision,
        "vendor_candidate_id": who,
        "exam_code": code,
        "taken_at": f"{day}T23:30:00-05:00",
        "grade": grade,
        "score": score,
    }
    return {"id": event_id, "type": "ExamResultReported.v1", "program": program, "data": data}


def counted(
    tmp_path: Path,
    vue: list[dict[str, Any]],
    psi: list[dict[str, Any]] | None = None,
    messages: list[dict[str, Any]] | None = None,
    as_of: date = AS_OF,
) -> dict[str, Any]:
    for name, rows in (("vue", vue), ("psi", psi or []), ("invalid", messages or [])):
        (tmp_path / f"{name}.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return count(tmp_path, as_of).summary()


def test_a_small_feed_counts_to_what_a_hand_counts(tmp_path: Path) -> None:
    vue = [
        registered("1", "ann"),  # an account
        reported("2", "ann", "200-301", "2024-03-01", "fail", score=700),  # a result told
        reported("3", "ann", "200-301", "2024-04-01", score=900),  # told; CCNA, with a kit
        reported("3", "ann", "200-301", "2024-04-01", score=900),  # the same delivery again
        reported("4", "ann", "200-301", "2024-04-01", result="res-3", score=900),  # the same revision again
        reported("5", "ann", "350-401", "2024-06-01"),  # told; Specialist-350-401, no kit; CCNA renewed
        reported("6", "ann", "300-410", "2024-07-01"),  # told; Specialist-300-410 and CCNP-Enterprise, a kit;
        # CCNA and the other specialist renewed
        reported("7", "bob", "200-301", "2024-05-01", "pending"),  # waits
        reported("8", "bob", "200-301", "2024-05-01", result="res-7", revision=3),  # a revision, waits
        reported("9", "bob", "200-301", "2024-05-01", "fail", result="res-7", revision=2),  # overtaken
        registered("10", "bob"),  # an account; told; CCNA, a kit
        reported("11", "bob", "200-301", "2026-05-01"),  # told; CCNA renewed
        reported("12", "ann", "350-401", "2024-06-01", "invalidated", result="res-5", revision=2),  # withdrawn:
        # Specialist-350-401 and CCNP-Enterprise revoked
        reported("13", "ann", "200-301", "2024-03-01", "fail", result="res-2", revision=2, score=710),  # changed
        reported("14", "nobody", "200-301", "2024-03-01"),  # unmatched
        reported("15", "ann", "200-301", "2024-04-01", "fail", result="res-3"),  # a contradiction
        {"id": "16", "type": "ExamAppointmentChanged.v1", "program": "cisco", "data": {"change": "no_show"}},
    ]
    psi = [
        registered("1", "ann", "juniper"),  # another account, though the ids are those of the other vendor
        reported("2", "ann", "JN0-351", "2025-01-10", program="juniper"),  # told; waits for JNCIA-Junos
        reported("3", "ann", "JN0-105", "2025-03-20", program="juniper"),  # told; JNCIA-Junos, JNCIS-ENT, two kits
    ]
    accepted = reported(
        "x1", "ann", "JN0-364", "2025-05-01", program="juniper"
    )  # told; JNCIS-SP, a kit; JNCIA-Junos renewed
    accepted["type"] = "psi.ExamResultReported.v1"
    messages: list[dict[str, Any]] = [
        {"vendor": "vue", "expect": "rejected", "code": "not_json", "body": "no"},
        {"vendor": "vue", "expect": "refused_by_broker", "code": "access_refused", "body": "no"},
        {"vendor": "psi", "expect": "accepted", "code": None, "body": json.dumps(accepted)},
    ]
    assert counted(tmp_path, vue, psi, messages) == {
        "as_of": "2026-11-22",
        "registrations": 3,
        "appointment_changes": 1,
        "results": 10,
        "revisions": 3,
        "ignored": {"redelivered": 1, "resent": 1, "stale": 1},
        "unmatched": 1,
        "rejected": {"not_json": 1, "revision_conflict": 1},
        "rejected_total": 2,
        "refused_by_broker": 1,
        "accounts": 3,
        "certifications": {"active": 6, "expired": 0},
        "awards": 8,
        "renewals": 5,
        "revocations": 2,
        "kits": 6,
        "mails": {
            "activation": 3,
            "congratulation": 8,
            "renewal": 5,
            "result": 9,
            "result_changed": 1,
            "result_withdrawn": 1,
            "revocation": 2,
        },
        "mails_total": 29,
    }


def test_the_day_of_the_account_decides_what_is_active(tmp_path: Path) -> None:
    rows = [registered("1", "ann"), reported("2", "ann", "200-301", "2024-02-29")]
    on_the_last_day = counted(tmp_path, rows, as_of=date(2027, 2, 28))
    a_day_later = counted(tmp_path, rows, as_of=date(2027, 3, 1))
    before_the_exam = counted(tmp_path, rows, as_of=date(2024, 2, 28))
    assert on_the_last_day["certifications"] == {"active": 1, "expired": 0}
    assert a_day_later["certifications"] == {"active": 0, "expired": 1}
    assert before_the_exam["certifications"] == {"active": 0, "expired": 0}
    assert [a["kits"] for a in (on_the_last_day, a_day_later, before_the_exam)] == [1, 0, 0]


def test_a_kit_is_counted_once_where_a_certification_is_lost_and_won_again(tmp_path: Path) -> None:
    rows = [
        registered("1", "ann"),
        reported("2", "ann", "200-301", "2024-03-01"),
        reported("3", "ann", "200-301", "2024-03-01", "invalidated", result="res-2", revision=2),
        reported("4", "ann", "200-301", "2025-03-01"),
    ]
    summary = counted(tmp_path, rows)
    assert (summary["awards"], summary["revocations"], summary["kits"]) == (2, 1, 1)


def test_a_core_pass_older_than_three_years_gives_no_professional_certification(tmp_path: Path) -> None:
    rows = [registered("1", "ann"), reported("2", "ann", "350-401", "2023-01-10")]
    in_time = [*rows, reported("3", "ann", "300-410", "2026-01-10")]
    too_late = [*rows, reported("3", "ann", "300-410", "2026-01-11")]
    assert counted(tmp_path, in_time)["certifications"] == {"active": 3, "expired": 0}
    assert counted(tmp_path, too_late)["certifications"] == {"active": 1, "expired": 1}


def test_the_sums_of_the_sample_fit_together(sample: Sample) -> None:
    counted_up = count(sample.directory, AS_OF)
    summary = counted_up.summary()
    sizes = {
        name: sum(v[name] for v in sample.summary["hard_cases"].values())
        for name in sample.summary["hard_cases"]["vue"]
    }
    told = summary["mails"]
    assert told["result"] == summary["results"] - summary["unmatched"] - sizes["pending_for_ever"]
    assert told["result_changed"] == sizes["fail_to_pass"] + sizes["pass_to_fail"] + sizes["score_only"]
    assert told["result_withdrawn"] == sizes["invalidated"]
    assert summary["unmatched"] == sizes["never_registered"]
    assert summary["ignored"]["stale"] == sizes["out_of_order"]
    assert summary["ignored"]["resent"] == sizes["resent"]
    assert summary["ignored"]["redelivered"] == sizes["redelivered"] + 1  # and one hand-made message
    assert summary["renewals"] > sum(sample.summary["renewals"].values())  # higher exams renew what is below
    held = summary["certifications"]
    assert held["expired"] == 0
    assert held["active"] == summary["awards"] - summary["revocations"] + counted_up.tally["shortened"]
    assert summary["mails_total"] == sum(told.values())


def test_the_count_imports_nothing_but_the_standard_library_and_its_own_rules() -> None:
    for module, own in ((count_module, {"deploy.sample.count_rules"}), (count_rules, set())):
        tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
        imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert {name for name in imported - own if name.partition(".")[0] not in sys.stdlib_module_names} == set()


def test_the_table_names_the_certifications_and_kits_of_the_program_files() -> None:
    programs = load_programs(PROGRAM_FILES)
    for program, table in PROGRAMS.items():
        for entry in table:
            certification = programs[program].certifications[entry.id]
            assert entry.kit == ("initial_kit" in certification.entitlements), entry.id


def test_count_and_evaluation_agree_on_every_account_of_the_sample(sample: Sample) -> None:
    programs = load_programs(PROGRAM_FILES)
    known_at = datetime(2026, 11, 21, tzinfo=UTC)
    for as_of in (AS_OF, date(2028, 6, 30)):
        account = count(sample.directory, as_of)
        for who, held in account.accounts.items():
            facts = [
                ExamFact(str(number), result.revision, result.code, result.day, result.grade, known_at)  # type: ignore[arg-type]
                for number, result in enumerate(account.of_account[who])
            ]
            standing = evaluate(programs[who[0]], facts, as_of)
            expected = {name: (h.earned, h.expires) for name, h in held.items()}
            found = {n: (s.earned_on, s.expires_on or date.max) for n, s in standing.certifications.items()}
            assert found == expected, who


def test_a_lab_before_its_written_exam_gives_no_expert_certification(tmp_path: Path) -> None:
    lab, core = ("2024-05-01", "2024-06-01")
    first = [reported("2", "ann", "LAB:CCIE-Security", lab), reported("3", "ann", "350-701", core)]
    second = [reported("2", "ann", "350-701", lab), reported("3", "ann", "LAB:CCIE-Security", core)]
    assert counted(tmp_path, [registered("1", "ann"), *first])["certifications"]["active"] == 1
    assert counted(tmp_path, [registered("1", "ann"), *second])["certifications"]["active"] == 2
