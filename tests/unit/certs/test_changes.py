"""What a change of standing is called, and when the next one comes by itself."""

from datetime import UTC, date, datetime

from libs.common.programs import Program
from services.certs.domain.changes import diff, next_transition
from services.certs.domain.evaluate import evaluate
from services.certs.domain.facts import ExamFact, Outcome

KNOWN = datetime(2020, 1, 1, tzinfo=UTC)


def ccna(day: str, outcome: Outcome = "pass", revision: int = 1) -> ExamFact:
    return ExamFact(f"r {day}", revision, "200-301", date.fromisoformat(day), outcome, KNOWN)


def kinds(policy: Program, before: tuple[list[ExamFact], date], after: tuple[list[ExamFact], date]) -> list[str]:
    return [change.kind for change in diff(evaluate(policy, *before), evaluate(policy, *after))]


TODAY = date(2026, 6, 1)


def test_a_first_pass_awards(cisco: Program) -> None:
    before, after = evaluate(cisco, [], TODAY), evaluate(cisco, [ccna("2026-05-01")], TODAY)
    (change,) = diff(before, after)
    assert (change.kind, change.certification, change.before) == ("awarded", "CCNA", None)
    assert change.subject == after.certifications["CCNA"]


def test_a_pass_while_active_renews(cisco: Program) -> None:
    facts = [ccna("2024-05-01")]
    assert kinds(cisco, (facts, TODAY), ([*facts, ccna("2026-05-01")], TODAY)) == ["renewed"]


def test_a_first_day_that_moves_alone_is_told(cisco: Program) -> None:
    one, both = [ccna("2026-05-01")], [ccna("2026-05-01"), ccna("2024-05-01")]
    assert kinds(cisco, (one, TODAY), (both, TODAY)) == ["renewed"]
    voided = [*both, ccna("2024-05-01", "invalidated", 2)]
    (change,) = diff(evaluate(cisco, both, TODAY), evaluate(cisco, voided, TODAY))
    assert (change.kind, change.remains, change.subject.earned_on) == ("revoked", True, date(2026, 5, 1))


def test_a_late_older_pass_that_moves_no_day_changes_nothing(cisco: Program) -> None:
    facts = [ccna("2024-05-01"), ccna("2026-05-01")]
    assert kinds(cisco, (facts, TODAY), ([*facts, ccna("2025-05-01")], TODAY)) == []


def test_a_last_active_day_gone_by_expires(cisco: Program) -> None:
    facts = [ccna("2023-05-10")]
    assert kinds(cisco, (facts, date(2026, 5, 10)), (facts, date(2026, 5, 11))) == ["expired"]


def test_a_voided_only_pass_revokes_and_says_what_was(cisco: Program) -> None:
    facts = [ccna("2026-05-01")]
    voided = [*facts, ccna("2026-05-01", "invalidated", 2)]
    (change,) = diff(evaluate(cisco, facts, TODAY), evaluate(cisco, voided, TODAY))
    assert (change.kind, change.after) == ("revoked", None)
    assert change.subject.expires_on == date(2029, 5, 1)
    assert change.sentence.startswith("What it rested on no longer counts. It read: Earned on 1 May 2026")


def test_a_voided_renewal_revokes_though_something_is_left(cisco: Program) -> None:
    facts = [ccna("2024-05-01"), ccna("2026-05-01")]
    voided = [*facts, ccna("2026-05-01", "invalidated", 2)]
    (change,) = diff(evaluate(cisco, facts, TODAY), evaluate(cisco, voided, TODAY))
    assert (change.kind, change.subject.expires_on) == ("revoked", date(2027, 5, 1))
    assert change.sentence.startswith("Part of what it rested on no longer counts.")


def test_a_voided_renewal_revokes_even_where_the_rest_has_expired_by_now(cisco: Program) -> None:
    facts = [ccna("2022-05-01"), ccna("2025-04-01")]
    voided = [*facts, ccna("2025-04-01", "invalidated", 2)]
    assert kinds(cisco, (facts, TODAY), (voided, TODAY)) == ["revoked"]


def test_a_lapse_and_a_new_award_between_two_looks_are_told_in_order(cisco: Program) -> None:
    facts = [ccna("2022-05-01"), ccna("2025-06-01")]
    before, after = evaluate(cisco, facts[:1], date(2025, 4, 1)), evaluate(cisco, facts, TODAY)
    expired, awarded = diff(before, after)
    assert (expired.kind, expired.subject.expires_on) == ("expired", date(2025, 5, 1))
    assert (awarded.kind, awarded.subject.earned_on) == ("awarded", date(2025, 6, 1))


def test_a_late_result_of_a_time_long_over_changes_nothing_now(cisco: Program) -> None:
    assert kinds(cisco, ([], TODAY), ([ccna("2020-05-01")], TODAY)) == []


def test_the_next_transition_is_the_day_after_the_first_last_day(cisco: Program) -> None:
    other = ExamFact("o", 1, "820-605", date(2025, 1, 1), "pass", KNOWN)  # stands apart, and renews nothing
    facts = [ccna("2024-02-29"), other]
    due = next_transition(evaluate(cisco, facts, date(2027, 2, 28)))
    assert due == date(2027, 3, 1)
    assert next_transition(evaluate(cisco, facts, due)) == date(2028, 1, 2)
    assert next_transition(evaluate(cisco, facts, date(2028, 1, 2))) is None


def test_what_never_expires_has_no_next_transition(cisco: Program) -> None:
    entry = ExamFact("r", 1, "100-150", date(2025, 7, 14), "pass", KNOWN)
    assert next_transition(evaluate(cisco, [entry], TODAY)) is None


def test_a_result_dated_ahead_is_a_transition(cisco: Program) -> None:
    due = next_transition(evaluate(cisco, [ccna("2026-09-01")], TODAY))
    assert due == date(2026, 8, 31)
    assert evaluate(cisco, [ccna("2026-09-01")], due).certifications
