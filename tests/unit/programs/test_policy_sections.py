"""The sections that state a program's policy: read whole, and refused where a rule could never hold."""

from datetime import date, timedelta

import pytest

from libs.common.programs import ProgramErrors, load_program
from libs.common.programs.cases import CaseRule
from libs.common.programs.challenges import ChallengeRules
from libs.common.programs.policy import Extension, Milestone, Way
from tests.unit.programs.test_loader import BODY, FIRST_LINE, HEAD

CREDITS = "credits: {claim_within: 90 days}\n"
LADDER = "ladder: {levels: [base]}\n"


@pytest.fixture
def load(tmp_path):
    def _load(sections: str, body: str = BODY):
        path = tmp_path / "acme.yaml"
        path.write_text(HEAD + sections + body, encoding="utf-8")
        return load_program(path)

    return _load


def test_ways_to_renew_are_read_in_roles_and_codes(load) -> None:
    program = load(f"{CREDITS}{LADDER}renewal:\n  base:\n  - exams: [core, core]\n  - {{credits: 40, exams: [A-2]}}\n")
    both = frozenset({"A-1", "A-2"})
    assert program.certifications["One"].renewal == (
        Way((both, both), 0, "renewal.base[0]"),
        Way((frozenset({"A-2"}),), 40, "renewal.base[1]"),
    )


def test_own_track_leaves_the_exams_of_the_certifications_tracks(load) -> None:
    program = load("renewal: {base: [{exams: [core], own_track: true}]}\n")
    assert program.certifications["One"].renewal[0].slots == (frozenset({"A-1"}),)
    wider = BODY.replace("track: North, requires", "track: North, also_tracks: [south], requires")
    assert load("renewal: {base: [{exams: [core], own_track: true}]}\n", wider).certifications["One"].renewal[
        0
    ].slots == (frozenset({"A-1", "A-2"}),)


def test_milestones_come_by_their_years_each_with_its_clause(load) -> None:
    program = load("milestones: [{id: b, title: Twenty, years: 20}, {id: a, title: Ten, years: 10}]\n")
    assert program.policy.milestones == (
        Milestone("a", "Ten", 10, "milestones[1]"),
        Milestone("b", "Twenty", 20, "milestones[0]"),
    )


def test_a_certifications_own_ways_stand_in_place_of_its_levels_and_further_ones_beside(load) -> None:
    own = BODY.replace("validity", "renewal: [{exams: [A-1]}], also_renewed_by: [{exams: [A-2]}], validity")
    ways = load("renewal: {base: [{exams: [core]}]}\n", own).certifications["One"].renewal
    assert [way.clause for way in ways] == ["certifications.One.renewal[0]", "certifications.One.also_renewed_by[0]"]


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ("renewal: {base: [{}]}", "renewal.base[0]: must name exams, credits or both"),
        ("renewal: {base: [{exams: [lab]}]}", "renewal.base[0].exams[0]: 'lab' is neither an exam nor the role of one"),
        (
            "renewal: {base: [{exams: [core, core, core]}]}",
            "renewal.base[0].exams: can never hold: there are not so many different exams",
        ),
        ("renewal: {top: [{exams: [core]}]}", "renewal.top: unknown level 'top'"),
        (
            "renewal: {base: [{credits: 30}]}",
            "renewal.base[0].credits: can never hold: the program has no section 'credits'",
        ),
        (
            CREDITS + "renewal: {base: [{credits: 30}]}",
            "renewal.base[0].credits: can never hold: 'One' is not on the ladder",
        ),
        ("renewal: {base: [{credits: -1}]}", "renewal.base[0].credits: input should be greater than or equal to 1"),
        ("ladder: {levels: [top]}", "ladder.levels[0]: unknown level 'top'"),
        ("ladder: {levels: [base], without: [Two]}", "ladder.without[0]: unknown certification 'Two'"),
        ("retake: {limit: 3 a year}", "retake.limit: must read like '3 in 12 months'"),
        ("retake: {after_fail: {wait: soon}}", "retake.after_fail.wait: must read like '5 days' or '14 full days'"),
        (
            "retake: {after_pass: {blocked: -5 days}}",
            "retake.after_pass.blocked: must read like '180 days', '18 months' or '3 years'",
        ),
        ("emeritus: {level: top, grant: 1 year, eligible_after: 9 years}", "emeritus.level: unknown level 'top'"),
        (
            "designations: [{name: honour, level: base, after: 0 years}]",
            "designations[0].after: must read like '9 years'",
        ),
        (
            "extensions: [{date: 2020-01-01, months: 6, window: [2020-03-01, 2020-02-01]}]",
            "window: ends before it begins",
        ),
        (
            "courses: {rules: [{name: a, until: 2019-12-31}, {name: b, from: 2019-06-01}]}",
            "courses.rules[1]: overlaps the rule before it; rules stand in order of their dates",
        ),
        (
            "courses: {rules: [{name: a, until: 2019-12-31}, {name: b, from: 2020-02-01}]}",
            "courses.rules[1]: leaves days without a rule after the one before it",
        ),
        (
            "courses: {rules: [{name: a, until: 2019-12-31}]}",
            "courses.rules[0]: the last rule has no 'until': it is the present one",
        ),
        (
            "milestones: [{id: a, title: A, years: 5}, {id: a, title: B, years: 6}]",
            "milestones[1].id: 'a' is listed twice",
        ),
        (
            "milestones: [{id: a, title: A, years: 5}, {id: b, title: B, years: 5}]",
            "milestones[1].years: another milestone is reached after 5 years",
        ),
        (
            "milestones: [{id: a, title: A, years: 0}]",
            "milestones[0].years: input should be greater than or equal to 1",
        ),
        (
            "courses: {rules: [{name: a}], items: {C: {title: C, level: top, track: T}}}",
            "courses.items.C.level: unknown level 'top'",
        ),
        (
            "courses: {rules: [{name: a}], items: {C: {title: C, level: base, track: Nowhere}}}",
            "courses.items.C.track: no certification has the track 'Nowhere'",
        ),
        (
            "credits: {claim_within: 90 days, items: {C: {title: C, credits: 0}}}",
            "credits.items.C.credits: input should be greater than or equal to 1",
        ),
        (
            "credits: {claim_within: 90 days, review_promise_business_days: -1}",
            "credits.review_promise_business_days: input should be greater than or equal to 0",
        ),
        ("fees: {currency: USD, exams: {top: 5}}", "fees.exams.top: 'top' is neither an exam nor the role of one"),
        ("fees: {currency: dollars, exams: {core: 5}}", "fees.currency: string should match pattern"),
        ("fees: {currency: USD, exams: {core: -5}}", "fees.exams.core: input should be greater than or equal to 0"),
        ("agreement: {version: '1', title: T}", "agreement.text: is missing"),
        ("agreement: {version: '1', title: T, text: x, award: maybe}", "agreement.award: input should be"),
        (
            "legacy_validity: {x: {active: -2 years, inactive: 1 year, until: 2015-10-01}}",
            "active: must read like '9 years'",
        ),
    ],
)
def test_a_bad_rule_is_refused_with_its_place(load, section: str, told: str) -> None:
    with pytest.raises(ProgramErrors) as caught:
        load(section + "\n")
    faults = [str(error) for error in caught.value.errors]
    line = FIRST_LINE + section.count("\n")
    assert any(fault.startswith(f"acme.yaml:{line}: ") and told in fault for fault in faults), faults


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("validity: -3 years", "validity: must read like '3 years' or 'never expires'"),
        ("renewal: [{exams: [A-9]}]", "renewal[0].exams[0]: 'A-9' is neither an exam nor the role of one"),
        ("formerly: [{title: B, until: 2026-01-01}, {title: A, until: 2025-01-01}]", "formerly: must be in order"),
    ],
)
def test_a_bad_rule_of_a_certification_is_refused_with_its_place(load, written: str, told: str) -> None:
    with pytest.raises(ProgramErrors) as caught:
        load("", BODY.replace("validity: 3 years", written))
    assert any(f"{FIRST_LINE + 4}: certifications.One.{told}" in str(error) for error in caught.value.errors)


def test_an_exam_is_replaced_by_one_that_is_there(load) -> None:
    with pytest.raises(ProgramErrors, match=r"exams\.A-1\.replaced_by: unknown exam 'A-9'"):
        load("", BODY.replace("title: First", "title: First, replaced_by: A-9"))


def test_a_clause_is_found_with_its_line_and_wording(load) -> None:
    program = load("extensions:   # of a bad year\n- {date: 2020-03-25, months: 6}   # all that was active\n")
    assert program.policy.extensions == (Extension(date(2020, 3, 25), 6, None, "extensions[0]"),)
    clause = program.clause("extensions[0]")
    assert (clause.file, clause.line, clause.wording) == (
        "acme.yaml",
        FIRST_LINE + 1,
        "{date: 2020-03-25, months: 6}",
    )
    assert program.clause("certifications.One.nothing.here[3]").line == FIRST_LINE + 6


def test_profile_section_says_what_candidates_are_asked_for_in_order_and_each_once(load) -> None:
    program = load("profile: {required: [employer, address, employer]}\n")
    assert program.profile_required == ("employer", "address")
    assert load("").profile_required == ()
    with pytest.raises(ProgramErrors):
        load("profile: {required: [shoe_size]}\n")


def test_cases_section_changes_what_it_names_and_leaves_the_rest(load) -> None:
    plain = load("").cases
    assert {kind for kind, rule in plain.items() if rule.four_eyes} == {"name", "duplicate"}
    assert {rule.due_business_days for rule in plain.values()} == {5}
    changed = load("cases: {name: {due_business_days: 2}, kit: {four_eyes: true}}\n").cases
    assert (changed["name"], changed["kit"]) == (CaseRule(2, four_eyes=True), CaseRule(5, four_eyes=True))
    assert load("cases: {name: {four_eyes: false}}\n").cases["name"] == CaseRule(5, four_eyes=False)
    for wrong in ("{pet: {}}", "{name: {due_business_days: 0}}", "{name: {four_eyes: maybe}}"):
        with pytest.raises(ProgramErrors):
            load(f"cases: {wrong}\n")


def test_challenges_are_offered_where_the_section_is_there(load) -> None:
    assert load("").challenges is None
    fifteen = ChallengeRules(15, 10, True, frozenset({"fail", "invalidated"}), 1, timedelta(days=90))  # noqa: FBT003
    assert load("challenges: {days: 15}\n").challenges == fifteen
    own = "{days: 7, due_business_days: 3, four_eyes: false, grades: [pass], per_result: 2, evidence: false}"
    seven = ChallengeRules(7, 3, False, frozenset({"pass"}), 2, None)  # noqa: FBT003
    assert load(f"challenges: {own}\n").challenges == seven


@pytest.mark.parametrize(
    "section", ["{}", "{days: 0}", "{days: 9, grades: []}", "{days: 9, grades: [pending]}", "{days: 9, per_result: 0}"]
)
def test_challenges_that_could_never_hold_are_refused_with_their_line(load, section: str) -> None:
    with pytest.raises(ProgramErrors) as refused:
        load(f"challenges: {section}\n")
    assert {error.line for error in refused.value.errors} == {FIRST_LINE}
