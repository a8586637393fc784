"""What staff decide about a certification: granted, revoked, suspended, reinstated, extended."""

from datetime import date
from typing import Any

import pytest

from libs.common.programs import Program
from services.certs.cases import read_inputs
from services.certs.domain.changes import diff, next_transition
from services.certs.domain.evaluate import evaluate
from services.certs.domain.progress import progress
from services.certs.domain.reminders import next_reminder
from services.certs.domain.renewals import renewals
from services.certs.domain.standing import CertificationStanding, Standing
from services.certs.domain.whatif import Assumption, what_if

Input = dict[str, Any]

CCNA = {"type": "exam", "code": "200-301", "date": "2024-05-01", "outcome": "pass"}
"""CCNA is active from 1 May 2024 through 1 May 2027."""


def passed(code: str, day: str) -> Input:
    return {"type": "exam", "code": code, "date": day, "outcome": "pass"}


def decided(decision: str, day: str, cert: str = "CCNA", **more: str) -> Input:
    return {"type": "decision", "decision": decision, "cert": cert, "date": day, "reason": "a reason", **more}


def judged(program: Program, inputs: list[Input], as_of: str) -> Standing:
    return evaluate(program, read_inputs(inputs, program), date.fromisoformat(as_of))


def entry(program: Program, inputs: list[Input], as_of: str, cert: str = "CCNA") -> CertificationStanding:
    return judged(program, inputs, as_of).certifications[cert]


def told(program: Program, inputs: list[Input], as_of: str, cert: str = "CCNA") -> tuple[str, str, str] | None:
    """Status, earned and last active day."""
    found = judged(program, inputs, as_of).certifications.get(cert)
    return None if found is None else (found.status, str(found.earned_on), str(found.expires_on))


def flagged(program: Program, inputs: list[Input], as_of: str) -> list[str]:
    return [flag.code for flag in judged(program, inputs, as_of).flags]


# --- Grants ----------------------------------------------------------------------------------------------------------


def test_a_grant_awards_for_the_programs_validity_and_says_so(cisco: Program) -> None:
    inputs = [decided("grant", "2026-05-03", reason="Lost in a migration.")]
    assert told(cisco, inputs, "2026-05-02") is None
    assert told(cisco, inputs, "2026-05-03") == ("active", "2026-05-03", "2029-05-03")
    assert entry(cisco, inputs, "2026-06-01").sentence == (
        "Earned on 3 May 2026: granted by the program on 3 May 2026: Lost in a migration; active through 3 May 2029."
    )


def test_a_grant_can_name_its_last_day(cisco: Program) -> None:
    inputs = [decided("grant", "2026-05-03", until="2026-12-31")]
    assert told(cisco, inputs, "2026-12-31") == ("active", "2026-05-03", "2026-12-31")
    assert told(cisco, inputs, "2027-01-01") == ("expired", "2026-05-03", "2026-12-31")
    assert flagged(cisco, [decided("grant", "2026-05-03", until="2026-05-02")], "2026-06-01") == ["DECISION_IDLE"]


def test_a_granted_certification_is_renewed_like_any_other(cisco: Program) -> None:
    inputs = [decided("grant", "2026-05-03"), passed("200-301", "2027-02-01")]
    assert told(cisco, inputs, "2027-03-01") == ("active", "2026-05-03", "2030-02-01")


def test_a_grant_renews_what_is_below_as_an_award_does(cisco: Program) -> None:
    inputs = [CCNA, decided("grant", "2026-05-03", "CCNP-Enterprise")]
    assert told(cisco, inputs, "2026-05-03") == ("active", "2024-05-01", "2029-05-03")
    assert "CCNP-Enterprise earned on 3 May 2026" in entry(cisco, inputs, "2026-05-03").sentence


@pytest.mark.parametrize("lab_day", ["2026-05-03", "2026-06-01"])
def test_a_granted_certification_is_a_prerequisite_on_its_own_day_too(juniper: Program, lab_day: str) -> None:
    inputs = [decided("grant", "2026-05-03", "JNCIP-ENT"), passed("JPR-946", lab_day)]
    assert told(juniper, inputs[1:], "2026-07-01", "JNCIE-ENT") is None
    found = told(juniper, inputs, "2026-07-01", "JNCIE-ENT")
    assert found is not None
    assert found[:2] == ("active", lab_day)
    assert "PREREQ_MISSING" not in flagged(juniper, inputs, "2026-07-01")


def test_a_pass_that_waits_is_used_by_a_grant(juniper: Program) -> None:
    inputs = [passed("JN0-351", "2026-02-01"), decided("grant", "2026-05-03", "JNCIA-Junos")]
    assert told(juniper, inputs, "2026-05-02", "JNCIS-ENT") is None
    found = told(juniper, inputs, "2026-05-03", "JNCIS-ENT")
    assert found is not None
    assert found[:2] == ("active", "2026-05-03")


def test_granting_what_is_active_changes_nothing_and_is_flagged(cisco: Program) -> None:
    inputs = [CCNA, decided("grant", "2025-05-03", until="2040-01-01")]
    assert entry(cisco, inputs, "2026-06-01") == entry(cisco, [CCNA], "2026-06-01")
    assert flagged(cisco, inputs, "2026-06-01") == ["DECISION_IDLE"]


def test_a_retired_certification_is_not_granted(cisco: Program) -> None:
    retired = {"type": "retire_cert", "cert": "CCNA", "date": "2026-01-01"}
    inputs = [retired, decided("grant", "2026-05-03")]
    assert told(cisco, inputs, "2026-06-01") is None
    assert flagged(cisco, inputs, "2026-06-01") == ["DECISION_IDLE"]


# --- Revocations -----------------------------------------------------------------------------------------------------


def test_a_revocation_ends_it_the_day_before_and_says_why(cisco: Program) -> None:
    inputs = [CCNA, decided("revoke", "2026-05-03", reason="a forged  identity.")]
    assert told(cisco, inputs, "2026-05-02") == ("active", "2024-05-01", "2027-05-01")
    assert told(cisco, inputs, "2026-05-03") == ("revoked", "2024-05-01", "2026-05-02")
    found = entry(cisco, inputs, "2030-01-01")
    assert found.sentence == (
        "Earned on 1 May 2024: 200-301 passed on 1 May 2024; revoked by the program on 3 May 2026: a forged identity."
    )
    assert found.because[-1].text == "revoked by the program on 3 May 2026: a forged identity"
    assert [holding.expires_on for holding in found.holdings] == [date(2026, 5, 2)]


def test_what_is_revoked_is_not_renewed(cisco: Program) -> None:
    inputs = [CCNA, decided("revoke", "2026-05-03"), decided("grant", "2026-06-01", "CCNP-Enterprise")]
    assert told(cisco, inputs, "2026-07-01") == ("revoked", "2024-05-01", "2026-05-02")
    months = {"type": "program_extension", "months": 6, "date": "2026-06-01", "window": ["2026-05-01", "2026-06-01"]}
    assert told(cisco, [*inputs, months], "2026-07-01") == ("revoked", "2024-05-01", "2026-05-02")


@pytest.mark.parametrize("day", ["2026-05-02", "2026-05-03"])
def test_a_pass_up_to_the_day_does_not_earn_it_again(cisco: Program, day: str) -> None:
    inputs = [CCNA, decided("revoke", "2026-05-03"), passed("200-301", day), passed("820-605", "2026-06-01")]
    found = told(cisco, inputs, "2026-07-01")
    assert found is not None
    assert found[0] == "revoked"


def test_a_pass_after_the_day_earns_it_anew(cisco: Program) -> None:
    inputs = [CCNA, decided("revoke", "2026-05-03"), passed("200-301", "2026-05-04")]
    found = entry(cisco, inputs, "2026-07-01")
    assert (found.status, found.earned_on, found.expires_on) == ("active", date(2026, 5, 4), date(2029, 5, 4))
    assert [(one.earned_on, one.expires_on) for one in found.holdings] == [
        (date(2024, 5, 1), date(2026, 5, 2)),
        (date(2026, 5, 4), date(2029, 5, 4)),
    ]


def test_every_part_of_a_requirement_must_be_new(cisco: Program) -> None:
    parts = [passed("350-401", "2025-01-10"), passed("300-410", "2025-02-10")]
    unused = passed("300-415", "2026-01-10")  # alone it renews nothing
    revoked = [*parts, unused, decided("revoke", "2026-05-03", "CCNP-Enterprise")]
    core = passed("350-401", "2026-06-01")
    found = told(cisco, [*revoked, core], "2026-07-01", "CCNP-Enterprise")
    assert found == ("revoked", "2025-02-10", "2026-05-02")
    both = [*revoked, core, passed("300-410", "2026-06-10")]
    assert told(cisco, both, "2026-07-01", "CCNP-Enterprise") == ("active", "2026-06-10", "2029-06-10")


def test_what_it_had_helped_to_earn_stays_and_nothing_more_is_earned_with_it(juniper: Program) -> None:
    first, next_one = passed("JN0-105", "2025-01-10"), decided("revoke", "2026-01-03", "JNCIA-Junos")
    found = told(juniper, [first, next_one, passed("JN0-351", "2025-02-10")], "2026-03-01", "JNCIS-ENT")
    assert found is not None
    assert found[:2] == ("active", "2025-02-10")
    assert told(juniper, [first, next_one, passed("JN0-351", "2026-02-10")], "2026-03-01", "JNCIS-ENT") is None


def test_what_is_revoked_is_shown_as_not_held_with_all_that_is_missing(cisco: Program) -> None:
    facts = read_inputs([CCNA, decided("revoke", "2026-05-03")], cisco)
    (goal,) = (one for one in progress(cisco, facts, date(2026, 6, 1)) if one.certification == "CCNA")
    assert (goal.in_hand, [one.exams for one in goal.missing]) == ((), [("200-301",)])


def test_what_had_expired_cannot_be_revoked(cisco: Program) -> None:
    inputs = [CCNA, decided("revoke", "2027-05-02")]
    assert told(cisco, inputs, "2027-06-01") == ("expired", "2024-05-01", "2027-05-01")
    (flag,) = judged(cisco, inputs, "2027-06-01").flags
    assert flag.text == "CCNA could not be revoked on 2 May 2027: it was expired"


def test_emeritus_can_be_revoked(cisco: Program) -> None:
    inputs: list[Input] = [
        {
            "type": "import_cert",
            "cert": "CCIE-Enterprise-Infrastructure",
            "earned": "2010-01-01",
            "expires": "2024-01-01",
        },
        {
            "type": "emeritus_granted",
            "cert": "CCIE-Enterprise-Infrastructure",
            "date": "2023-12-01",
            "paid": "2023-12-01",
        },
    ]
    name = "CCIE-Enterprise-Infrastructure"
    assert entry(cisco, inputs, "2024-06-01", name).status == "emeritus"
    revoked = [*inputs, decided("revoke", "2024-06-01", name)]
    assert told(cisco, revoked, "2024-06-01", name) == ("revoked", "2010-01-01", "2024-01-01")


# --- Suspensions and reinstatements ----------------------------------------------------------------------------------


def test_a_suspension_holds_until_it_is_reinstated_and_its_dates_run_on(cisco: Program) -> None:
    suspended = [CCNA, decided("suspend", "2026-05-03", reason="under review")]
    assert told(cisco, suspended, "2026-05-02") == ("active", "2024-05-01", "2027-05-01")
    assert told(cisco, suspended, "2026-05-03") == ("suspended", "2024-05-01", "2027-05-01")
    assert entry(cisco, suspended, "2026-06-01").sentence == (
        "Earned on 1 May 2024: 200-301 passed on 1 May 2024; "
        "suspended by the program on 3 May 2026: under review; its last day stays 1 May 2027."
    )
    back = [*suspended, decided("reinstate", "2026-07-01", reason="all is well")]
    found = entry(cisco, back, "2026-08-01")
    assert (found.status, found.expires_on) == ("active", date(2027, 5, 1))
    assert found.sentence.endswith(
        "; reinstated by the program on 1 July 2026: all is well; active through 1 May 2027."
    )
    assert [reason.text for reason in found.because][-2:] == [
        "suspended by the program on 3 May 2026: under review",
        "reinstated by the program on 1 July 2026: all is well",
    ]


def test_a_suspension_outlasts_the_last_day_and_its_end_shows_the_expiry(cisco: Program) -> None:
    suspended = [CCNA, decided("suspend", "2026-05-03")]
    assert told(cisco, suspended, "2027-06-01") == ("suspended", "2024-05-01", "2027-05-01")
    back = [*suspended, decided("reinstate", "2027-06-01")]
    assert told(cisco, back, "2027-06-01") == ("expired", "2024-05-01", "2027-05-01")


def test_its_holders_exams_renew_what_is_suspended(cisco: Program) -> None:
    inputs = [CCNA, decided("suspend", "2026-05-03"), passed("200-301", "2026-06-01")]
    assert told(cisco, inputs, "2026-07-01") == ("suspended", "2024-05-01", "2029-06-01")


def test_no_new_pass_gets_round_a_suspension(cisco: Program) -> None:
    inputs = [CCNA, decided("suspend", "2026-05-03"), passed("200-301", "2027-08-01")]
    found = entry(cisco, inputs, "2027-09-01")
    assert (found.status, found.earned_on) == ("suspended", date(2027, 8, 1))
    assert "suspended by the program on 3 May 2026" in found.sentence
    assert told(cisco, [*inputs, decided("reinstate", "2027-09-01")], "2027-09-01") == (
        "active",
        "2027-08-01",
        "2030-08-01",
    )
    granted = [*inputs[:2], decided("grant", "2027-08-01")]
    assert (entry(cisco, granted, "2027-09-01").status, flagged(cisco, granted, "2027-09-01")) == (
        "suspended",
        ["DECISION_IDLE"],
    )


def test_what_is_suspended_is_no_prerequisite_until_it_is_reinstated(juniper: Program) -> None:
    inputs = [
        passed("JN0-105", "2025-01-10"),
        decided("suspend", "2025-03-01", "JNCIA-Junos"),
        passed("JN0-351", "2025-04-01"),
    ]
    assert told(juniper, inputs, "2025-05-01", "JNCIS-ENT") is None
    facts = read_inputs(inputs, juniper)
    (goal,) = (one for one in progress(juniper, facts, date(2025, 5, 1)) if one.certification == "JNCIS-ENT")
    assert [one.certifications for one in goal.missing] == [("JNCIA-Junos",)]
    back = [*inputs, decided("reinstate", "2025-06-01", "JNCIA-Junos")]
    found = told(juniper, back, "2025-06-01", "JNCIS-ENT")
    assert found is not None
    assert found[:2] == ("active", "2025-06-01")


def test_results_of_the_day_of_a_suspension_still_find_what_they_need(juniper: Program) -> None:
    inputs = [
        passed("JN0-105", "2025-01-10"),
        decided("suspend", "2025-04-01", "JNCIA-Junos"),
        passed("JN0-351", "2025-04-01"),
    ]
    found = told(juniper, inputs, "2025-04-01", "JNCIS-ENT")
    assert found is not None
    assert found[:2] == ("active", "2025-04-01")


def test_a_reinstatement_gives_back_the_dates_that_a_revocation_took(cisco: Program) -> None:
    inputs = [CCNA, decided("revoke", "2026-05-03"), decided("grant", "2026-06-01", "CCNP-Enterprise")]
    back = [*inputs, decided("reinstate", "2026-07-01")]
    assert told(cisco, back, "2026-06-30") == ("revoked", "2024-05-01", "2026-05-02")
    assert told(cisco, back, "2026-07-01") == ("active", "2024-05-01", "2027-05-01")
    late = [*inputs, decided("reinstate", "2028-07-01")]
    assert told(cisco, late, "2028-07-01") == ("expired", "2024-05-01", "2027-05-01")


def test_a_revocation_ends_a_suspension(cisco: Program) -> None:
    inputs = [CCNA, decided("suspend", "2026-05-03"), decided("revoke", "2026-06-03")]
    assert told(cisco, inputs, "2026-07-01") == ("revoked", "2024-05-01", "2026-06-02")
    back = [*inputs, decided("reinstate", "2026-07-01")]
    assert told(cisco, back, "2026-07-01") == ("active", "2024-05-01", "2027-05-01")


def test_granted_revoked_and_reinstated(cisco: Program) -> None:
    inputs = [decided("grant", "2026-01-03"), decided("revoke", "2026-02-03"), decided("reinstate", "2026-03-03")]
    assert [told(cisco, inputs, day) for day in ("2026-01-03", "2026-02-03", "2026-03-03")] == [
        ("active", "2026-01-03", "2029-01-03"),
        ("revoked", "2026-01-03", "2026-02-02"),
        ("active", "2026-01-03", "2029-01-03"),
    ]


def test_a_new_award_after_a_revocation_leaves_nothing_to_reinstate(cisco: Program) -> None:
    inputs = [
        CCNA,
        decided("revoke", "2026-05-03"),
        passed("200-301", "2026-05-10"),
        decided("reinstate", "2026-06-03"),
    ]
    assert told(cisco, inputs, "2026-07-01") == ("active", "2026-05-10", "2029-05-10")
    assert flagged(cisco, inputs, "2026-07-01") == ["DECISION_IDLE"]


@pytest.mark.parametrize("decision", ["suspend", "revoke"])
def test_nobody_is_reminded_of_what_is_set_aside_nor_planned_for(cisco: Program, decision: str) -> None:
    inputs = [CCNA, decided(decision, "2026-05-03")]
    standing, facts = judged(cisco, inputs, "2026-06-01"), read_inputs(inputs, cisco)
    assert (next_reminder(cisco.reminders, standing), next_transition(standing)) == (None, None)
    assert renewals(cisco, facts, date(2026, 6, 1)) == []
    plan = what_if(cisco, facts, [Assumption(date(2026, 6, 2), exam="200-301")], date(2026, 6, 1))
    assert plan.warnings == ()


def test_no_designation_is_shown_of_what_is_revoked(juniper: Program) -> None:
    name = "JNCIE-ENT"
    inputs = [{"type": "import_cert", "cert": name, "earned": "2010-01-01", "expires": "2027-01-01"}]
    held = entry(juniper, inputs, "2026-06-01", name)
    revoked = entry(juniper, [*inputs, decided("revoke", "2026-05-03", name)], "2026-06-01", name)
    assert held.designations
    assert revoked.designations == ()


def test_no_designated_holder_gets_what_is_revoked_back_by_one_renewal(juniper: Program) -> None:
    name = "JNCIE-ENT"
    inputs = [
        {"type": "import_cert", "cert": name, "earned": "2010-01-01", "expires": "2025-01-01"},
        {"type": "import_cert", "cert": "JNCIP-ENT", "earned": "2010-01-01", "expires": "2025-01-01"},
    ]
    renewal = passed("JPR-946", "2026-06-01")
    assert told(juniper, [*inputs, renewal], "2026-07-01", name) == ("active", "2010-01-01", "2029-06-01")
    revoked = [*inputs, decided("revoke", "2024-05-03", name), renewal]
    assert told(juniper, revoked, "2026-07-01", name) == ("revoked", "2010-01-01", "2024-05-02")
    below = [*inputs, decided("revoke", "2024-05-03", "JNCIP-ENT"), renewal]
    assert told(juniper, below, "2026-07-01", "JNCIP-ENT") == ("revoked", "2010-01-01", "2024-05-02")


# --- Extensions ------------------------------------------------------------------------------------------------------


def test_an_extension_moves_the_last_day_and_never_shortens(cisco: Program) -> None:
    longer = [CCNA, decided("extend", "2026-05-03", until="2027-12-31", reason="parental leave")]
    assert told(cisco, longer, "2026-05-02") == ("active", "2024-05-01", "2027-05-01")
    assert told(cisco, longer, "2026-05-03") == ("active", "2024-05-01", "2027-12-31")
    assert "extended by the program on 3 May 2026: parental leave" in entry(cisco, longer, "2026-06-01").sentence
    shorter = [CCNA, decided("extend", "2026-05-03", until="2027-05-01")]
    assert told(cisco, shorter, "2026-06-01") == ("active", "2024-05-01", "2027-05-01")
    assert flagged(cisco, shorter, "2026-06-01") == ["DECISION_IDLE"]


@pytest.mark.parametrize(
    ("inputs", "why"),
    [
        ([decided("extend", "2026-05-03", until="2028-01-01")], "it was not held"),
        ([CCNA, decided("extend", "2027-05-02", until="2028-01-01")], "it was expired"),
        ([CCNA, decided("extend", "2026-05-03")], "it was active through 1 May 2027 already"),
        ([CCNA, decided("suspend", "2026-01-01"), decided("extend", "2026-05-03", until="2028-01-01")], "suspended"),
        ([CCNA, decided("reinstate", "2026-05-03")], "it was active"),
        ([CCNA, decided("suspend", "2026-01-01"), decided("suspend", "2026-05-03")], "it was suspended"),
        ([decided("suspend", "2026-05-03")], "it was not held"),
        ([decided("revoke", "2026-05-03")], "it was not held"),
        (
            [passed("100-150", "2025-07-14"), decided("extend", "2026-05-03", "CCST-Networking", until="2030-01-01")],
            "it never",
        ),
    ],
)
def test_a_decision_about_what_is_not_so_is_kept_and_flagged(cisco: Program, inputs: list[Input], why: str) -> None:
    without = judged(cisco, inputs[:-1], "2027-06-01")
    standing = judged(cisco, inputs, "2027-06-01")
    (flag,) = standing.flags
    assert flag.code == "DECISION_IDLE"
    assert why in flag.text
    assert standing.certifications == without.certifications


def test_a_certification_the_program_does_not_have_is_flagged(cisco: Program) -> None:
    assert flagged(cisco, [decided("grant", "2026-05-03", "CCXX")], "2026-06-01") == ["CERTIFICATION_UNKNOWN"]


def test_a_decision_dated_ahead_waits_for_its_day(cisco: Program) -> None:
    inputs = [CCNA, decided("suspend", "2026-05-03", received="2026-01-01")]
    before = judged(cisco, inputs, "2026-04-01")
    assert [flag.code for flag in before.flags] == ["DATED_AHEAD"]
    assert next_transition(before) == date(2026, 5, 3)
    assert told(cisco, inputs, "2026-05-03") == ("suspended", "2024-05-01", "2027-05-01")


# --- Order and knowledge ---------------------------------------------------------------------------------------------


def test_decisions_of_one_day_follow_one_another_as_they_became_known(cisco: Program) -> None:
    day = "2026-05-03"
    early, late = {"received": "2026-05-04"}, {"received": "2026-05-05"}
    suspended_last = [CCNA, decided("reinstate", day, **late), decided("suspend", day, **early)]
    assert told(cisco, suspended_last, "2026-06-01") == ("active", "2024-05-01", "2027-05-01")
    reinstated_first = [CCNA, decided("reinstate", day, **early), decided("suspend", day, **late)]
    assert told(cisco, reinstated_first, "2026-06-01") == ("suspended", "2024-05-01", "2027-05-01")


def test_decisions_known_at_one_moment_have_a_fixed_order(cisco: Program) -> None:
    day = "2026-05-03"
    kinds = ["reinstate", "revoke", "suspend", "grant"]
    inputs = [decided(kind, day) for kind in kinds]
    assert told(cisco, inputs, day) == ("active", day, "2029-05-03")
    assert flagged(cisco, inputs, day) == []


def test_a_decision_known_late_changes_what_was_from_its_day_on_and_no_earlier_knowledge(cisco: Program) -> None:
    inputs = [CCNA, passed("200-301", "2026-06-01")]
    late = [*inputs, decided("revoke", "2026-05-03", received="2026-07-01")]
    assert told(cisco, late, "2026-06-30") == ("active", "2024-05-01", "2029-06-01")
    assert told(cisco, late, "2026-07-01") == ("active", "2026-06-01", "2029-06-01")


def test_a_voided_result_takes_what_a_decision_was_about(cisco: Program) -> None:
    void = {"type": "revoke_result", "code": "200-301", "exam_date": "2024-05-01", "date": "2026-06-01"}
    inputs = [CCNA, decided("suspend", "2026-05-03"), void]
    assert told(cisco, inputs, "2026-06-01") is None
    assert flagged(cisco, inputs, "2026-06-01") == ["DECISION_IDLE"]


def test_a_former_name_is_understood(cisco: Program) -> None:
    renamed = {"type": "rename_cert", "from": "CCNA", "to": "CCNA-New", "date": "2025-01-01"}
    inputs = [CCNA, renamed, decided("suspend", "2026-05-03", "CCNA-New")]
    assert told(cisco, inputs, "2026-06-01", "CCNA-New") == ("suspended", "2024-05-01", "2027-05-01")


def test_a_long_reason_is_told_in_full_where_it_is_the_newest(cisco: Program) -> None:
    inputs = [
        decided("grant", "2026-01-03", reason="g" * 1000),
        decided("extend", "2026-02-03", until="2030-01-01", reason="e" * 1000),
        decided("suspend", "2026-03-03", reason="s" * 1000),
    ]
    found = entry(cisco, inputs, "2026-04-01")
    assert "s" * 1000 in found.sentence
    assert len(found.sentence) < 2000, "as long as an event's may be"
    assert "g" * 1000 in found.because[0].text


# --- What is told ----------------------------------------------------------------------------------------------------


def changes(program: Program, before: list[Input], after: list[Input], *days: str) -> list[tuple[str, str]]:
    first, last = days[0], days[-1]
    return [(one.kind, one.certification) for one in diff(judged(program, before, first), judged(program, after, last))]


SUSPENDED = [CCNA, decided("suspend", "2026-05-03")]
REVOKED = [CCNA, decided("revoke", "2026-05-03")]
VOID = {"type": "revoke_result", "code": "200-301", "exam_date": "2024-05-01", "date": "2026-05-20"}


@pytest.mark.parametrize(
    ("before", "after", "days", "kinds"),
    [
        ([CCNA], SUSPENDED, ["2026-06-01"], ["suspended"]),
        ([], SUSPENDED, ["2026-06-01"], ["suspended"]),
        ([CCNA], REVOKED, ["2026-06-01"], ["revoked"]),
        ([], REVOKED, ["2026-06-01"], []),
        (SUSPENDED, SUSPENDED, ["2026-06-01", "2027-06-01"], []),
        (SUSPENDED, [*SUSPENDED, passed("200-301", "2026-05-20")], ["2026-06-01"], []),
        (SUSPENDED, [*SUSPENDED, decided("reinstate", "2026-06-01")], ["2026-06-01"], ["reinstated"]),
        (SUSPENDED, [*SUSPENDED, decided("reinstate", "2027-06-01")], ["2026-06-01", "2027-06-01"], ["reinstated"]),
        (SUSPENDED, [*SUSPENDED, decided("revoke", "2026-06-01")], ["2026-06-01"], ["revoked"]),
        (SUSPENDED, [*SUSPENDED, VOID], ["2026-06-01"], ["revoked"]),
        (REVOKED, [*REVOKED, VOID], ["2026-06-01"], []),
        (REVOKED, [*REVOKED, decided("reinstate", "2026-06-01")], ["2026-06-01"], ["reinstated"]),
        (REVOKED, [*REVOKED, passed("200-301", "2026-05-20")], ["2026-06-01"], ["awarded"]),
        ([], [decided("grant", "2026-05-03")], ["2026-06-01"], ["awarded"]),
        ([CCNA], [CCNA, decided("extend", "2026-05-03", until="2028-01-01")], ["2026-06-01"], ["renewed"]),
        (
            [CCNA],
            [CCNA, passed("200-301", "2027-06-01"), decided("suspend", "2027-06-02")],
            ["2027-01-01", "2027-07-01"],
            ["expired", "suspended"],
        ),
    ],
)
def test_what_a_decision_is_called(
    cisco: Program, before: list[Input], after: list[Input], days: list[str], kinds: list[str]
) -> None:
    assert changes(cisco, before, after, *days) == [(kind, "CCNA") for kind in kinds]


def test_a_revocation_by_staff_is_told_in_its_own_words(cisco: Program) -> None:
    (change,) = diff(judged(cisco, [CCNA], "2026-06-01"), judged(cisco, REVOKED, "2026-06-01"))
    assert change.sentence == entry(cisco, REVOKED, "2026-06-01").sentence
