"""Accounts merged and separated: every order of arrival ends the same, and each step is told to whom it concerns."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.common.accounts import survivor
from libs.common.events import EventData, certs, exams
from libs.common.programs import Program, load_definition
from services.certs.cases import read_inputs
from services.certs.domain.evaluate import evaluate
from services.certs.domain.facts import AgreementFact, ImportFact, MergeFact, SeparationFact
from services.certs.domain.merges import ends, lineage
from tests.service.samples import failed, invalidated, passed
from tests.unit.certs.desk import NOW, Desk, merged, separated

T1, T2, T3, T4 = (NOW - timedelta(hours=hours) for hours in (8, 6, 4, 2))
bounded = settings(max_examples=60)


def attempt(who: str, number: int, code: str, day: date, *, of: str | None = None) -> exams.ExamPassed:
    """A pass; `of` names whose result it is where another account's history is told under this one."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return passed(who, f"{of or who}-{number}", exam_code=code, taken_on=day, taken_at=noon, known_at=noon)


def history(who: str, of: str) -> list[EventData]:
    """What happened to `of`, told of account `who`."""
    if of == "A":
        second = attempt(who, 2, "350-401", date(2024, 9, 1), of=of)
        void = exams.ExamResultInvalidated(
            **second.model_dump(exclude={"score", "passing_score"}) | {"revision": 2, "previous_grade": "pass"}
        )
        return [
            attempt(who, 1, "200-301", date(2024, 5, 1), of=of),
            second,
            attempt(who, 3, "300-410", date(2025, 3, 1), of=of),
            attempt(who, 4, "350-401", date(2025, 6, 1), of=of),
            void,
        ]
    if of == "B":
        return [
            attempt(who, 1, "200-301", date(2023, 2, 1), of=of),
            failed(who, f"{of}-2", exam_code="300-415", taken_on=date(2025, 1, 10)),
            attempt(who, 3, "300-415", date(2025, 8, 1), of=of),
        ]
    return [attempt(who, 1, "200-201", date(2026, 1, 15), of=of), attempt(who, 2, "350-701", date(2026, 2, 1), of=of)]


def alone(program: Program, *whose: str) -> Any:
    """What all these histories give under one account."""
    desk = Desk(program)
    for of in whose:
        desk.take(*history("X", of))
    return desk.standing("X")


@st.composite
def arrivals(draw: st.DrawFn, events: Sequence[EventData]) -> list[list[EventData]]:
    """Batches of events: each at least once, in any order, some repeated."""
    order = list(draw(st.permutations(events)))
    for repeated in draw(st.lists(st.sampled_from(list(events)), max_size=6)):
        order.insert(draw(st.integers(0, len(order))), repeated)
    batches: list[list[EventData]] = [[]]
    for event in order:
        batches[-1].append(event)
        if draw(st.booleans()):
            batches.append([])
    return [batch for batch in batches if batch]


CASES: dict[str, tuple[list[EventData], dict[str, str]]] = {
    "merged": ([merged("A", "B", T1)], {"B": "AB"}),
    "merged twice": ([merged("A", "B", T1), merged("A", "B", T2)], {"B": "AB"}),
    "merged and separated": ([merged("A", "B", T1), separated("A", "B", T2)], {"A": "A", "B": "B"}),
    "separated though never merged": ([separated("A", "B", T1)], {"A": "A", "B": "B"}),
    "separated before it was merged": ([separated("A", "B", T1), merged("A", "B", T2)], {"B": "AB"}),
    "merged again": ([merged("A", "B", T1), separated("A", "B", T2), merged("A", "B", T3)], {"B": "AB"}),
    "merged the other way round": ([merged("A", "B", T1), merged("B", "A", T2)], {"A": "AB"}),
    "other way round after a separation": (
        [merged("A", "B", T1), separated("A", "B", T2), merged("B", "A", T3)],
        {"A": "AB"},
    ),
    "chain": ([merged("A", "B", T1), merged("B", "C", T2)], {"C": "ABC"}),
    "chain from its end": ([merged("B", "C", T1), merged("A", "B", T2)], {"C": "ABC"}),
    "chain cut at its end": (
        [merged("A", "B", T1), merged("B", "C", T2), separated("B", "C", T3)],
        {"B": "AB", "C": "C"},
    ),
    "chain cut at its start": (
        [merged("A", "B", T1), merged("B", "C", T2), separated("A", "B", T3)],
        {"A": "A", "C": "BC"},
    ),
    "chain taken over by its start": (
        [merged("A", "B", T1), merged("B", "C", T2), merged("C", "A", T3)],
        {"A": "ABC"},
    ),
    "two into one": ([merged("A", "C", T1), merged("B", "C", T2), separated("A", "C", T3)], {"A": "A", "C": "BC"}),
}


@pytest.mark.parametrize("case", CASES)
@bounded
@given(data=st.data())
def test_any_order_of_results_and_merges_ends_the_same(cisco: Program, case: str, data: st.DataObject) -> None:
    links, expected = CASES[case]
    desk = Desk(cisco)
    results = [event for who in "ABC" for event in history(who, who)]
    for batch in data.draw(arrivals([*results, *links])):
        desk.take(*batch)
    standing = {who: "".join(expected.get(who, "")) for who in "ABC"}
    if not any("C" in whose for whose in expected.values()):
        standing["C"] = "C"
    for who, whose in standing.items():
        row = desk.row(who)
        if whose:
            assert "merged_into" not in row
            assert desk.standing(who) == alone(cisco, *whose)
            assert desk.folded(who) == desk.active(who)
        else:
            (root,) = (end for end, parts in expected.items() if who in parts)
            assert (row["merged_into"], row["certifications"], row["flags"]) == (root, [], [])
            assert row["next_transition_on"] is None


def test_survivor_tells_what_it_gains_and_the_merged_account_nothing(cisco: Program) -> None:
    desk = Desk(cisco)
    desk.take(*history("A", "A"))
    desk.take(*history("B", "B"))
    before = len(desk.said["A"])
    told = len(desk.said["B"])
    desk.take(merged("A", "B", T1))
    assert len(desk.said["A"]) == before
    kinds = desk.told("B")[told:]
    assert ("CertificationAwarded", "CCNP-Enterprise") in kinds
    assert ("CertificationRenewed", "Specialist-300-415") not in kinds
    assert {kind for kind, _ in kinds} <= {"CertificationAwarded", "CertificationRenewed"}


def test_result_in_flight_counts_for_the_survivor_and_is_told_there_alone(cisco: Program) -> None:
    desk = Desk(cisco)
    desk.take(merged("A", "B", T1))
    desk.take(attempt("A", 1, "200-301", date(2026, 5, 1)))
    assert desk.told("A") == []
    assert desk.told("B") == [("CertificationAwarded", "CCNA")]
    assert desk.active("B") == {"CCNA": ("2026-05-01", "2029-05-01")}


def test_separation_takes_back_with_an_honest_reason(cisco: Program) -> None:
    desk = Desk(cisco)
    desk.take(*history("A", "A"), *history("B", "B"), merged("A", "B", T1))
    told, of_a = len(desk.said["B"]), desk.told("A")
    desk.take(separated("A", "B", T2))
    lost = [data for version, data in sorted(desk.said["B"].items()) if version > told]
    assert {type(data) for data in lost} == {certs.CertificationRevoked}
    for data in lost:
        assert data.because.startswith(
            "It rested on what belongs to another account, which was separated from this one on 21 November 2026."
        )
        assert "A-" not in data.because
        assert data.remains == (data.certification in desk.active("B"))
    assert desk.told("A") == of_a, "it holds what it was last told"


def test_separated_account_is_told_what_came_late_and_what_time_has_done(cisco: Program) -> None:
    desk = Desk(cisco)
    desk.take(attempt("A", 1, "200-301", date(2024, 5, 1)))
    desk.take(merged("A", "B", T1))
    desk.take(attempt("A", 2, "350-401", date(2026, 5, 1)))
    assert desk.told("A") == [("CertificationAwarded", "CCNA")]
    desk.now = NOW + timedelta(days=1)
    desk.take(separated("A", "B", NOW))
    assert desk.told("A")[1:] == [("CertificationRenewed", "CCNA"), ("CertificationAwarded", "Specialist-350-401")]
    assert desk.active("A") == desk.folded("A")
    desk.take(merged("A", "B", NOW + timedelta(hours=1)))
    desk.now = NOW + timedelta(days=365 * 4)
    desk.take(separated("A", "B", desk.now))
    assert {kind for kind, _ in desk.told("A")[3:]} == {"CertificationExpired"}
    assert desk.active("A") == desk.folded("A") == {}


def test_result_that_was_known_before_the_merge_and_came_after_it_is_not_lost(cisco: Program) -> None:
    desk = Desk(cisco)
    desk.take(attempt("A", 1, "200-301", date(2024, 5, 1)))
    desk.take(merged("A", "B", T1))
    early = attempt("A", 2, "200-201", date(2024, 6, 1))
    assert early.known_at < desk.row("A")["evaluated_at"]
    desk.take(early)
    desk.take(separated("A", "B", T2))
    assert desk.folded("A") == desk.active("A")
    assert len(desk.active("A")) == 2


def test_same_events_again_change_and_tell_nothing(cisco: Program) -> None:
    desk = Desk(cisco)
    events = [*history("A", "A"), merged("A", "B", T1), *history("B", "B"), separated("A", "B", T2)]
    desk.take(*events)
    rows, said = dict(desk.store.rows), {who: dict(about) for who, about in desk.said.items()}
    for event in events:
        desk.take(event)
    assert (desk.store.rows, desk.said) == (rows, said)


def test_moment_finer_than_the_database_keeps_is_the_same_event_again(cisco: Program) -> None:
    desk = Desk(cisco)
    event = merged("A", "B", T1.replace(microsecond=123_456))
    desk.take(event)
    desk.take(event)
    assert len(desk.row("B")["facts"]) == 1


def test_day_between_is_seen_as_it_was(cisco: Program) -> None:
    desk = Desk(cisco)
    desk.take(attempt("A", 1, "200-301", date(2026, 1, 5)), attempt("B", 1, "200-201", date(2026, 1, 6)))
    desk.take(merged("A", "B", datetime(2026, 3, 1, 12, tzinfo=UTC)))
    desk.take(separated("A", "B", datetime(2026, 6, 1, 12, tzinfo=UTC)))

    def seen(who: str, day: date) -> list[str]:
        end = datetime(day.year, day.month, day.day, 23, tzinfo=UTC)
        return sorted(evaluate(cisco, desk.facts(who, end), day).certifications)

    (own,) = seen("B", date(2026, 2, 1))
    assert seen("B", date(2026, 4, 1)) == sorted(["CCNA", own])
    assert seen("A", date(2026, 4, 1)) == [], "another stood for it"
    assert (seen("A", date(2026, 7, 1)), seen("B", date(2026, 7, 1))) == (["CCNA"], [own])


def test_facts_of_two_accounts_with_one_key_are_both_kept(cisco: Program) -> None:
    desk = Desk(cisco)
    desk.learn("A", ImportFact("CCNA", date(2024, 5, 1), T1, expires_on=date(2027, 5, 1)))
    desk.learn("B", ImportFact("CCNA", date(2024, 5, 1), T1, expires_on=date(2028, 5, 1)), AgreementFact(T1))
    desk.take(merged("A", "B", T2), separated("A", "B", T3))
    assert desk.standing("A")[0]["expires_on"] == "2027-05-01"
    assert desk.standing("B")[0]["expires_on"] == "2028-05-01"
    assert desk.standing("B")[0]["status"] == "pending_agreement"


def test_other_kinds_of_facts_pass_on_too(cisco: Program) -> None:
    desk = Desk(cisco)
    desk.take(merged("A", "B", T1))
    desk.learn("A", ImportFact("CCNA", date(2024, 5, 1), T2))
    assert desk.active("B") == {"CCNA": ("2024-05-01", "2027-05-01")}


def test_milestone_told_to_either_is_not_told_again_by_the_survivor(cisco: Program) -> None:
    desk = Desk(cisco)
    old = ImportFact("CCNA", date(2025, 5, 1), T1, continuous_since=date(2001, 5, 2))
    desk.learn("A", old)
    assert ("MilestoneReached", "") in desk.told("A")
    desk.take(merged("A", "B", T2))
    assert ("MilestoneReached", "") not in desk.told("B")
    desk.take(separated("A", "B", T3))
    assert desk.told("A").count(("MilestoneReached", "")) == 1
    # Somebody else after all: their own years are theirs to be told of.
    desk.learn("B", old)
    assert desk.told("B").count(("MilestoneReached", "")) == 1
    desk.take(merged("A", "B", T4))
    assert desk.told("B").count(("MilestoneReached", "")) == 1


def test_policy_that_changes_while_it_is_merged_is_told_after_the_separation(cisco: Program) -> None:
    desk = Desk(cisco)
    desk.take(attempt("A", 1, "200-301", date(2025, 5, 1)), merged("A", "B", T1))
    text = cisco.definition.replace(f"\nversion: {cisco.version}\n", f"\nversion: {cisco.version + 1}\n")
    desk.adopt(load_definition(text.replace("validity: 3 years ", "validity: 4 years ", 1), name="cisco.yaml"))
    desk.take(failed("A", "F", exam_code="350-401"))
    assert desk.row("A")["told"]["policy_version"] == cisco.version
    desk.take(separated("A", "B", T2))
    assert desk.told("A") == [("CertificationAwarded", "CCNA"), ("CertificationRenewed", "CCNA")]
    assert desk.active("A") == desk.folded("A") == {"CCNA": ("2025-05-01", "2029-05-01")}


def test_clock_ahead_of_ours_takes_nothing_back(cisco: Program) -> None:
    desk = Desk(cisco)
    desk.take(attempt("A", 1, "200-301", date(2026, 5, 1)))
    desk.take(merged("A", "B", NOW + timedelta(seconds=5)))
    desk.take(failed("B", "F", exam_code="350-401", taken_on=date(2026, 6, 1)))
    assert desk.told("B") == [("CertificationAwarded", "CCNA")]


_ACCOUNTS = st.sampled_from("ABCD")


@given(st.lists(st.tuples(_ACCOUNTS, _ACCOUNTS, st.booleans()), max_size=10), st.randoms())
def test_links_never_make_a_circle_and_their_order_means_nothing(
    pairs: list[tuple[str, str, bool]], random: Any
) -> None:
    links = []
    for n, (source, into, joins) in enumerate(pairs):
        kind = MergeFact if joins else SeparationFact
        links.append(kind(source, into, NOW.date(), NOW + timedelta(seconds=n)))
    gone = ends(links)
    shuffled = [*links, *links[:3]]
    random.shuffle(shuffled)
    assert ends(shuffled) == gone
    for account in "ABCD":
        chain = lineage(account, gone)
        assert len(set(chain)) == len(chain)
        assert survivor(account, gone) not in gone
    if pairs and pairs[-1][2] and pairs[-1][0] != pairs[-1][1]:
        assert gone[pairs[-1][0]] == pairs[-1][1]


def test_invalidation_of_a_merged_accounts_result_reaches_the_survivor(cisco: Program) -> None:
    desk = Desk(cisco)
    desk.take(passed("A", "R1"), merged("A", "B", T1), invalidated("A", "R1"))
    assert desk.told("B") == [("CertificationAwarded", "CCNA"), ("CertificationRevoked", "CCNA")]


def test_history_may_state_a_separation(cisco: Program) -> None:
    inputs = [
        {"type": "exam", "account": "A", "code": "350-401", "date": "2026-01-05", "outcome": "pass"},
        {"type": "exam", "account": "B", "code": "300-410", "date": "2026-01-06", "outcome": "pass"},
        {"type": "merge_accounts", "from": "A", "into": "B", "date": "2026-03-01"},
        {"type": "separate_accounts", "from": "A", "into": "B", "date": "2026-06-01"},
    ]

    def held(day: date) -> list[str]:
        return sorted(evaluate(cisco, read_inputs(inputs, cisco), day).certifications)

    apart = ["Specialist-300-410", "Specialist-350-401"]
    assert held(date(2026, 2, 1)) == apart
    assert held(date(2026, 4, 1)) == ["CCNP-Enterprise", *apart]
    assert held(date(2026, 7, 1)) == apart
