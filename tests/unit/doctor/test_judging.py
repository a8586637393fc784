"""The invariants across services: a candidate of whom all is whole, and each way in which something can be missing."""

from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from deploy.doctor.dossiers import Dossier
from deploy.doctor.judging import Surroundings, judge
from libs.common.programs import load_programs
from services.fulfillment.domain.offers import offers_for

WHO, RESULT = "CSCO000018", "cisco:vue:R-1"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
PROGRAMS = load_programs(Path(__file__).parents[3] / "deploy" / "programs")
ABOUT = Surroundings(PROGRAMS, NOW)
(OFFER,) = [one.id for one in offers_for(PROGRAMS["cisco"], WHO, "CCNA", NOW.date())]
Rows = dict[str, list[dict[str, Any]]]
Break = Callable[[Rows], object]

WHOLE: Rows = {
    "account": [{"_id": WHO, "program": "cisco"}],
    "ledger": [
        {
            "_id": WHO,
            "program": "cisco",
            "version": 1,
            "facts": [
                {"kind": "exam", "result_id": RESULT, "revision": 1, "outcome": "pass", "known_at": NOW, "code": "x"}
            ],
            "certifications": [
                {
                    "certification": "CCNA",
                    "status": "active",
                    "earned_on": "2026-11-22",
                    "because": [{"fact": RESULT, "clause": "", "text": ""}],
                }
            ],
        }
    ],
    "result": [{"_id": RESULT, "told": {"grade": "pass", "at": NOW}, "told_revision": 1}],
    "recipient": [{"_id": WHO}],
    "offer": [
        {
            "_id": OFFER,
            "certification": "CCNA",
            "benefit": "initial_kit",
            "stands": True,
            "awarded": True,
            "state": "claimed",
            "order_id": "o1",
        }
    ],
    "order": [{"_id": "o1", "offer_id": OFFER, "state": "shipped"}],
    "mail": [
        {"_id": "m0", "template": "activation"},
        {"_id": "m1", "template": "exam_passed", "about": [f"result:{WHO}:{RESULT}", 1]},
        {"_id": "m2", "template": "certification_awarded", "about": [f"certification:{WHO}:CCNA", 1]},
    ],
}


def found(rows: Rows, who: str = WHO) -> list[str]:
    return sorted(finding.check for finding in judge(Dossier(who, rows), ABOUT))


def broken(*breaks: Break) -> list[str]:
    rows = deepcopy(WHOLE)
    for each in breaks:
        each(rows)
    return found(rows)


def test_what_is_whole_gives_no_finding() -> None:
    assert found(WHOLE) == []


@pytest.mark.parametrize(
    ("change", "checks"),
    [
        pytest.param(lambda r: r["account"].clear(), ["account-missing"] * 4, id="account"),
        pytest.param(lambda r: r["recipient"].clear(), ["recipient-missing"], id="recipient"),
        pytest.param(
            lambda r: r["ledger"][0]["facts"].clear(), ["award-without-fact", "result-not-in-ledger"], id="fact"
        ),
        pytest.param(lambda r: r["result"][0].update(told_revision=2), ["result-not-in-ledger"], id="revision"),
        pytest.param(lambda r: r["result"].clear(), ["fact-without-result", "mail-without-cause"], id="result"),
        pytest.param(
            lambda r: r["ledger"].clear(),
            ["kit-without-award", "mail-without-cause", "result-not-in-ledger"],
            id="ledger",
        ),
        pytest.param(lambda r: r["offer"].clear(), ["kit-missing", "order-without-offer"], id="offer"),
        pytest.param(lambda r: r["order"].clear(), ["order-missing"], id="order"),
        pytest.param(
            lambda r: r["ledger"][0]["certifications"].clear(), ["kit-without-award", "mail-without-cause"], id="award"
        ),
        pytest.param(lambda r: r["mail"].pop(1), ["mail-missing"], id="mail about a result"),
        pytest.param(lambda r: r["mail"].pop(2), ["mail-missing"], id="mail about an award"),
        pytest.param(lambda r: r["mail"].append(r["mail"][1]), ["mail-doubled"], id="mail twice"),
        pytest.param(lambda r: r["ledger"][0].update(merged_into="CSCO2"), ["merge-differs"], id="merge"),
    ],
)
def test_what_is_missing_is_found(change: Break, checks: list[str]) -> None:
    assert broken(change) == checks


def test_every_finding_says_what_to_do() -> None:
    rows = {kind: [] if kind in {"account", "offer", "mail"} else each for kind, each in deepcopy(WHOLE).items()}
    findings = judge(Dossier(WHO, rows), ABOUT)
    assert findings
    assert all(finding.mend and finding.what for finding in findings)


def test_a_result_that_was_not_told_yet_is_no_loss() -> None:
    assert broken(lambda r: r["result"].append({"_id": "cisco:vue:R-2", "told": None, "told_revision": None})) == []


def test_what_is_taken_back_needs_no_cause() -> None:
    gone = [f"result:{WHO}:cisco:vue:R-9", 1]
    rows = deepcopy(WHOLE)
    rows["mail"].append({"_id": "m3", "template": "exam_passed", "about": gone})
    assert found(rows) == ["mail-without-cause"]
    rows["mail"].append({"_id": "m4", "template": "result_withdrawn", "about": [*gone[:1], 2]})
    assert found(rows) == []


def test_of_old_mails_none_is_missed() -> None:
    long_ago = NOW - timedelta(days=800)

    def age(rows: Rows) -> None:
        rows["result"][0]["told"]["at"] = long_ago
        rows["ledger"][0]["facts"][0]["known_at"] = long_ago
        del rows["mail"][1:]

    assert broken(age) == []


def test_what_an_older_system_had_told_needs_neither_kit_nor_mail() -> None:
    assert broken(lambda r: r["ledger"][0].update(version=0), lambda r: r["mail"].pop(2)) == []


def merge(rows: Rows) -> None:
    """The account went into another, which has the certification now; kit and mails stay where they were told."""
    rows["account"][0]["merged_into"] = rows["ledger"][0]["merged_into"] = "CSCO000026"
    rows["ledger"][0].update(kin=["CSCO000026"], certifications=[])


def survive(rows: Rows) -> None:
    """Another account went into this one, and brought a certification whose kit and mail it had already."""
    rows["account"][0]["merged_from"] = rows["ledger"][0]["kin"] = ["CSCO000026"]
    brought = {"kind": "exam", "result_id": "cisco:vue:R-9", "revision": 1, "outcome": "pass", "known_at": NOW}
    rows["ledger"][0]["facts"].append({**brought, "account": "CSCO000026"})
    because = [{"fact": "cisco:vue:R-9", "clause": "", "text": ""}]
    held = rows["ledger"][0]["certifications"][0]
    rows["ledger"][0]["certifications"].append({**held, "certification": "CCNP-ENT", "because": because})


@pytest.mark.parametrize("one", [merge, survive])
def test_what_was_told_before_a_merge_stays_with_its_account(one: Break) -> None:
    assert broken(one) == []


@pytest.mark.parametrize("one", [merge, survive])
@pytest.mark.parametrize(
    ("change", "check"),
    [
        pytest.param(lambda r: r["result"][0].update(told_revision=2), "result-not-in-ledger", id="revision"),
        pytest.param(lambda r: r["result"].clear(), "fact-without-result", id="result"),
        pytest.param(lambda r: r["order"].clear(), "order-missing", id="order"),
        pytest.param(lambda r: r["recipient"].clear(), "recipient-missing", id="recipient"),
    ],
)
def test_everything_else_of_merged_accounts_is_compared(one: Break, change: Break, check: str) -> None:
    assert broken(one, change) == [check]


def test_a_merge_is_one_on_both_sides() -> None:
    assert broken(merge, lambda r: r["ledger"][0].pop("merged_into")) == ["merge-differs"]
    assert broken(merge, lambda r: r["account"][0].pop("merged_into")) == ["merge-differs"]


def test_of_somebody_erased_only_what_is_kept_is_compared() -> None:
    rows = {"ledger": deepcopy(WHOLE["ledger"]), "result": WHOLE["result"]}
    assert found(rows, "erased-1") == []
    rows["ledger"][0]["facts"] = []
    assert "result-not-in-ledger" in found(rows, "erased-1")
