"""The rules of awarding, lasting and renewing, one by one."""

from datetime import UTC, date, datetime, timedelta

import pytest

from libs.common.programs import Program
from services.certs.domain.evaluate import evaluate
from services.certs.domain.facts import ExamFact, ImportFact, Outcome
from services.certs.domain.standing import Standing

AS_OF = datetime(2026, 11, 22, 12, tzinfo=UTC)


def result(code: str, day: str, outcome: Outcome = "pass", *, revision: int = 1, known: str = "") -> ExamFact:
    known_at = datetime.fromisoformat(f"{known or day}T18:00:00+00:00")
    return ExamFact(f"{code} on {day}", revision, code, date.fromisoformat(day), outcome, known_at)


def dates(standing: Standing, name: str) -> tuple[str, str, str]:
    entry = standing.certifications[name]
    return entry.status, str(entry.earned_on), str(entry.expires_on)


def test_passing_again_while_active_extends_from_the_new_pass(cisco: Program) -> None:
    standing = evaluate(cisco, [result("200-301", "2024-02-01"), result("200-301", "2026-08-05")], AS_OF)
    assert dates(standing, "CCNA") == ("active", "2024-02-01", "2029-08-05")
    (holding,) = standing.certifications["CCNA"].holdings
    assert [step.kind for step in holding.steps] == ["awarded", "renewed"]


def test_passing_again_after_a_lapse_is_a_new_holding_beside_the_old_one(cisco: Program) -> None:
    facts = [result("200-301", "2020-02-01"), result("200-301", "2024-02-01")]
    first, second = evaluate(cisco, facts, AS_OF).certifications["CCNA"].holdings
    assert (str(first.earned_on), str(first.expires_on)) == ("2020-02-01", "2023-02-01")
    assert (str(second.earned_on), str(second.expires_on)) == ("2024-02-01", "2027-02-01")


def test_one_new_exam_of_two_does_not_meet_the_requirement_again(cisco: Program) -> None:
    facts = [
        result("350-401", "2024-01-10"),
        result("300-410", "2024-06-01"),
        result("300-415", "2025-06-01"),
    ]
    assert dates(evaluate(cisco, facts, AS_OF), "CCNP-Enterprise") == ("active", "2024-06-01", "2027-06-01")
    again = [*facts, result("350-401", "2026-05-05")]
    assert dates(evaluate(cisco, again, AS_OF), "CCNP-Enterprise") == ("active", "2024-06-01", "2029-05-05")


def test_a_renewal_uses_up_what_met_it(cisco: Program) -> None:
    earned = [result("350-401", "2024-01-10"), result("300-410", "2024-06-01")]
    renewed = [result("350-401", "2025-01-10"), result("300-415", "2025-02-01")]
    standing = evaluate(cisco, [*earned, *renewed, result("300-420", "2025-06-01")], AS_OF)
    assert dates(standing, "CCNP-Enterprise") == ("active", "2024-06-01", "2028-06-01"), "by two concentrations"


def test_a_renewal_does_not_ask_for_the_prerequisite_again(juniper: Program) -> None:
    balance = ImportFact("JNCIS-ENT", date(2022, 6, 10), datetime(2022, 6, 10, tzinfo=UTC))
    standing = evaluate(juniper, [balance, result("JN0-351", "2025-01-10")], date(2025, 6, 1))
    assert "JNCIA-Junos" not in standing.certifications
    assert dates(standing, "JNCIS-ENT") == ("active", "2022-06-10", "2028-01-10")


@pytest.mark.parametrize(("second_exam", "held"), [("2027-01-10", True), ("2027-01-11", False)])
def test_a_pass_counts_through_its_third_anniversary(cisco: Program, second_exam: str, held: bool) -> None:
    facts = [result("350-401", "2024-01-10"), result("300-410", second_exam)]
    assert ("CCNP-Enterprise" in evaluate(cisco, facts, date(2027, 2, 1)).certifications) is held


def test_a_lab_before_what_qualifies_for_it_is_lost(cisco: Program) -> None:
    lab = "LAB:CCIE-Security"
    early = evaluate(cisco, [result(lab, "2026-01-10"), result("350-701", "2026-01-11")], AS_OF)
    assert "CCIE-Security" not in early.certifications
    same_day = evaluate(cisco, [result(lab, "2026-01-10"), result("350-701", "2026-01-10")], AS_OF)
    assert dates(same_day, "CCIE-Security") == ("active", "2026-01-10", "2029-01-10")


def test_a_result_under_another_code_of_the_exam_counts(cisco: Program) -> None:
    facts = [result("350-401", "2025-01-10"), result("CCIE-EI-LAB", "2026-01-10")]
    assert "CCIE-Enterprise-Infrastructure" in evaluate(cisco, facts, AS_OF).certifications


@pytest.mark.parametrize(("lab_day", "held"), [("2026-03-18", True), ("2026-03-19", False)])
def test_an_exam_qualifies_until_its_last_day_in_the_requirement(cisco: Program, lab_day: str, held: bool) -> None:
    facts = [result("350-401", "2025-06-01"), result("LAB:CCIE-Wireless", lab_day)]
    assert ("CCIE-Wireless" in evaluate(cisco, facts, AS_OF).certifications) is held


@pytest.mark.parametrize(("exam_day", "held"), [("2026-04-05", True), ("2026-04-06", False)])
def test_a_result_after_the_exams_last_day_has_no_effect(juniper: Program, exam_day: str, held: bool) -> None:
    standing = evaluate(juniper, [result("JN0-105", exam_day)], AS_OF)
    assert ("JNCIA-Junos" in standing.certifications) is held


@pytest.mark.parametrize("outcome", ["fail", "pending", "invalidated"])
def test_only_a_pass_has_an_effect(cisco: Program, outcome: Outcome) -> None:
    assert not evaluate(cisco, [result("200-301", "2026-02-01", outcome)], AS_OF).certifications


def test_an_unknown_exam_has_no_effect(cisco: Program) -> None:
    assert not evaluate(cisco, [result("JN0-106", "2026-05-01")], AS_OF).certifications


def test_a_whole_chain_completes_on_the_day_its_first_link_comes(juniper: Program) -> None:
    facts = [
        result("JN0-650", "2026-05-01"),
        result("JN0-352", "2026-06-01"),
        result("JN0-106", "2026-07-01"),
    ]
    standing = evaluate(juniper, facts, AS_OF)
    assert {str(entry.earned_on) for entry in standing.certifications.values()} == {"2026-07-01"}
    assert list(standing.certifications) == ["JNCIA-Junos", "JNCIP-ENT", "JNCIS-ENT"]


def test_either_of_two_prerequisites_opens_the_way(juniper: Program) -> None:
    facts = [
        result("JN0-106", "2026-05-01"),
        result("JN0-352", "2026-06-01"),
        result("JN0-683", "2026-07-01"),
    ]
    assert dates(evaluate(juniper, facts, AS_OF), "JNCIP-DC") == ("active", "2026-07-01", "2029-07-01")


def test_a_pass_used_for_an_award_does_not_earn_again_after_a_lapse(juniper: Program) -> None:
    facts = [
        result("JN0-105", "2020-01-10"),
        result("JN0-351", "2020-02-10"),
        result("JN0-106", "2026-05-10"),
    ]
    standing = evaluate(juniper, facts, AS_OF)
    assert dates(standing, "JNCIS-ENT") == ("expired", "2020-02-10", "2023-02-10")


def test_what_never_expires_stays_so_when_passed_again(cisco: Program) -> None:
    facts = [result("100-150", "2025-07-14"), result("100-150", "2026-07-14")]
    entry = evaluate(cisco, facts, AS_OF).certifications["CCST-Networking"]
    assert (entry.expires_on, str(entry.earned_on)) == (None, "2025-07-14")
    assert entry.sentence.endswith("it never expires.")


def test_the_highest_revision_known_counts(cisco: Program) -> None:
    first = result("200-301", "2026-02-01")
    voided = result("200-301", "2026-02-01", "invalidated", revision=2, known="2026-03-01")
    restored = result("200-301", "2026-02-01", revision=3, known="2026-04-01")
    facts = [restored, first, voided]
    assert evaluate(cisco, facts, date(2026, 2, 28)).certifications
    assert not evaluate(cisco, facts, date(2026, 3, 31)).certifications
    assert evaluate(cisco, facts, date(2026, 4, 1)) == evaluate(cisco, [first], date(2026, 4, 1))


def test_a_day_ends_at_midnight_in_the_programs_time_zone(cisco: Program) -> None:
    evening = datetime.fromisoformat("2026-02-02T07:59:59+00:00")  # 23:59:59 of the first in Los Angeles
    fact = ExamFact("r", 1, "200-301", date(2026, 2, 1), "pass", evening)
    assert evaluate(cisco, [fact], date(2026, 2, 1)).certifications
    assert evaluate(cisco, [fact], evening).as_of == date(2026, 2, 1)
    assert not evaluate(cisco, [fact], date(2026, 1, 31)).certifications
    midnight = ExamFact("r", 1, "200-301", date(2026, 2, 1), "pass", evening + timedelta(seconds=1))
    assert not evaluate(cisco, [midnight], date(2026, 2, 1)).certifications


def test_a_result_from_where_it_is_already_tomorrow_counts_at_once(cisco: Program) -> None:
    known_at = datetime(2026, 2, 1, 20, tzinfo=UTC)  # noon in Los Angeles, the second of February in Auckland
    fact = ExamFact("r", 1, "200-301", date(2026, 2, 2), "pass", known_at)
    assert evaluate(cisco, [fact], known_at).certifications["CCNA"].status == "active"


def test_a_result_dated_far_ahead_waits_for_its_day(cisco: Program) -> None:
    fact = ExamFact("r", 1, "200-301", date(2099, 2, 2), "pass", AS_OF)
    standing = evaluate(cisco, [fact], AS_OF)
    assert (dict(standing.certifications), standing.resumes_on) == ({}, date(2099, 2, 1))
    assert evaluate(cisco, [fact], date(2099, 2, 1)).certifications


@pytest.mark.parametrize("day", [date(1, 1, 2), date(9999, 12, 30), date.max])
def test_the_ends_of_the_calendar_are_days_like_any_other(cisco: Program, day: date) -> None:
    fact = ExamFact("r", 1, "200-301", day, "pass", datetime.min.replace(tzinfo=UTC))
    assert evaluate(cisco, [fact], day).certifications["CCNA"].earned_on == day
    assert evaluate(cisco, [fact], datetime.combine(day, datetime.max.time(), UTC)).certifications
    assert not evaluate(cisco, [fact], date.min).certifications or day == date(1, 1, 2)


def test_moments_without_a_zone_are_refused_by_name(cisco: Program) -> None:
    with pytest.raises(ValueError, match="as_of has no offset"):
        evaluate(cisco, [], datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(ValueError, match="known_at has no offset"):
        ExamFact("r", 1, "200-301", date(2026, 1, 1), "pass", datetime(2026, 1, 1))  # noqa: DTZ001


def test_every_certification_says_why(juniper: Program) -> None:
    facts = [result("JN0-352", "2026-06-01"), result("JN0-106", "2026-07-01")]
    entry = evaluate(juniper, facts, AS_OF).certifications["JNCIS-ENT"]
    assert [(reason.fact, reason.clause, reason.text) for reason in entry.because] == [
        ("JN0-352 on 2026-06-01", "certifications.JNCIS-ENT.requires", "JN0-352 passed on 1 June 2026"),
        ("JNCIA-Junos", "certifications.JNCIS-ENT.requires", "JNCIA-Junos held since 1 July 2026"),
        (
            "JNCIA-Junos",
            "defaults.validity",
            "3 years from 1 July 2026: active through 1 July 2029",
        ),
    ]
    assert entry.sentence == (
        "Earned on 1 July 2026: JN0-352 passed on 1 June 2026 and JNCIA-Junos held since 1 July 2026; "
        "active through 1 July 2029."
    )
