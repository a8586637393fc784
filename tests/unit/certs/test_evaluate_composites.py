"""Rules the sample programs make no use of: certifications made of certifications, and a changed validity."""

from datetime import UTC, date, datetime

import pytest

from libs.common.programs import Program, load_program
from services.certs.domain.evaluate import evaluate
from services.certs.domain.facts import ExamFact

DEFINITION = """\
id: acme
name: Acme Certification
version: 1
time_zone: Europe/Berlin
candidate_id: {prefix: ACM, digits: 8}
branding:
  sender_name: Acme
  sender_email: certifications@acme.example
  colour: "#00aa11"
  support_url: https://support.acme.example/
levels: [base]
reminders_days: [30]
result_promise_business_days: 5
defaults: {validity: 2 years}
exams: {A: {title: A}, B: {title: B}, C: {title: C}, D: {title: D}}
certifications:
  One: {title: One, level: base, track: North, requires: A}
  Two: {title: Two, level: base, track: North, requires: {all: [B, C]}}
  Both: {title: Both, level: base, track: North, requires: {all: [certification: One, certification: Two]}}
  Either: {title: Either, level: base, track: North, requires: {any: [certification: One, exam: D]}}
  Two-Of-Three: {title: Two, level: base, track: North, requires: {n_of: {n: 2, of: [A, B, C]}}}
  Changed:
    title: Changed
    level: base
    track: North
    requires: D
    earlier_validity: [{earned_before: 2020-01-01, validity: 4 years}]
"""


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Program:
    path = tmp_path_factory.mktemp("programs") / "acme.yaml"
    path.write_text(DEFINITION, encoding="utf-8")
    return load_program(path)


def holding(policy: Program, name: str, passes: str, as_of: str) -> tuple[str, ...] | None:
    """Earned and expiry day of the newest holding; `passes` reads like `A 2020-01-01, B 2020-02-01`."""
    facts = []
    for number, given in enumerate(passes.split(", ")):
        code, day = given.split()
        known_at = datetime(2019, 1, 1, tzinfo=UTC)
        facts.append(ExamFact(f"r{number}", 1, code, date.fromisoformat(day), "pass", known_at))
    entry = evaluate(policy, facts, date.fromisoformat(as_of)).certifications.get(name)
    return None if entry is None else (str(entry.earned_on), str(entry.expires_on))


FIRST_PASSES = "A 2021-01-10, B 2021-02-10, C 2021-03-10"


def test_certifications_together_make_another(acme: Program) -> None:
    assert holding(acme, "Both", FIRST_PASSES, "2021-04-01") == ("2021-03-10", "2023-03-10")


def test_renewing_a_part_renews_what_is_made_of_it(acme: Program) -> None:
    passes = f"{FIRST_PASSES}, A 2022-06-10"
    assert holding(acme, "Both", passes, "2022-07-01") == ("2021-03-10", "2024-06-10")


def test_half_of_what_renews_a_part_renews_nothing(acme: Program) -> None:
    passes = f"{FIRST_PASSES}, B 2022-06-10"
    assert holding(acme, "Both", passes, "2022-07-01") == ("2021-03-10", "2023-03-10")


def test_any_way_that_is_new_renews(acme: Program) -> None:
    passes = "A 2021-01-10, D 2022-01-10"
    assert holding(acme, "Either", passes, "2022-07-01") == ("2021-01-10", "2024-01-10")


def test_so_many_of_a_list_in_any_order(acme: Program) -> None:
    assert holding(acme, "Two-Of-Three", "C 2021-01-10, A 2021-05-10", "2021-06-01") == (
        "2021-05-10",
        "2023-05-10",
    )
    assert holding(acme, "Two-Of-Three", "C 2021-01-10, C 2021-05-10", "2021-06-01") is None


def test_a_holding_keeps_the_validity_of_the_day_it_began(acme: Program) -> None:
    assert holding(acme, "Changed", "D 2019-12-31", "2020-06-01") == ("2019-12-31", "2023-12-31")
    assert holding(acme, "Changed", "D 2019-12-31, D 2021-05-01", "2021-06-01") == (
        "2019-12-31",
        "2025-05-01",
    )
    assert holding(acme, "Changed", "D 2020-01-01", "2020-06-01") == ("2020-01-01", "2022-01-01")
