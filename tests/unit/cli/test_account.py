"""The account agrees with the count from the files where the platform does, and says where it does not."""

from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from deploy.cli.account import Observed, account, in_any_order, repeated_results, show
from deploy.cli.sample import Sample
from deploy.cli.totals import Totals
from deploy.sample.count import count

AS_OF = date(2026, 11, 22)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    assert Sample(folder).make()
    return folder


@pytest.fixture(scope="module")
def counted(folder: Path) -> dict[str, Any]:
    return count(folder, AS_OF).summary()


@pytest.fixture
def observed(folder: Path, counted: dict[str, Any]) -> Observed:
    """What a platform says that has made no mistake."""
    totals = Totals(
        registrations=counted["registrations"],
        results=counted["results"],
        unmatched=counted["unmatched"],
        rejected=counted["rejected"],
        accounts=counted["accounts"],
        active=counted["certifications"]["active"],
        expired=counted["certifications"]["expired"],
        kits=counted["kits"],
        mails=counted["mails"],
    )
    ignored = counted["ignored"]
    verdicts = {
        "duplicate": repeated_results(folder) + ignored["resent"],
        "revised": counted["revisions"],
        "stale": ignored["stale"],
    }
    return Observed(totals, counted["refused_by_broker"], Counter(verdicts))


def test_account_of_a_faultless_platform_agrees(
    folder: Path, observed: Observed, capsys: pytest.CaptureFixture[str]
) -> None:
    assert show(account(folder, AS_OF, observed))
    assert "the numbers agree" in capsys.readouterr().out


def test_account_shows_what_is_lost(folder: Path, observed: Observed, capsys: pytest.CaptureFixture[str]) -> None:
    mails = {**observed.totals.mails, "congratulation": observed.totals.mails["congratulation"] - 3}
    fewer = replace(observed, totals=replace(observed.totals, mails=mails))
    lines = account(folder, AS_OF, fewer)
    assert [line.name.strip() for line in lines if not line.agrees] == ["mails sent", "congratulation"]
    assert not show(lines)
    assert "differs by -3" in capsys.readouterr().out


def test_account_shows_a_reason_nobody_expected(folder: Path, observed: Observed) -> None:
    rejected = {**observed.totals.rejected, "surprise": 1}
    lines = account(folder, AS_OF, replace(observed, totals=replace(observed.totals, rejected=rejected)))
    assert {line.name.strip() for line in lines if not line.agrees} == {"messages rejected", "surprise"}


def test_what_was_there_before_the_sample_does_not_count() -> None:
    before = Totals(results=5, mails={"result": 5, "activation": 2})
    after = Totals(results=12, mails={"result": 11, "activation": 2, "renewal": 1})
    assert after.since(before) == Totals(results=7, mails={"result": 6, "renewal": 1})


def test_the_first_plays_baseline_stays_when_it_is_played_again(tmp_path: Path) -> None:
    sample = Sample(tmp_path)
    assert sample.played is None
    first = sample.begin(Totals(results=5))
    sample.finish(first, Totals(results=100))
    again = sample.begin(Totals(results=100))
    assert again.before == Totals(results=5)
    assert sample.played is not None
    assert sample.played.results is None  # begun, and not finished


def test_the_sample_is_made_once(folder: Path) -> None:
    assert not Sample(folder).make()


def test_renewals_alone_may_follow_the_order_of_arrival(folder: Path, observed: Observed) -> None:
    mails = dict(observed.totals.mails)
    fewer = replace(observed.totals, mails=mails | {"renewal": mails["renewal"] - 3})
    lines = account(folder, AS_OF, replace(observed, totals=fewer))
    assert [line.name for line in lines if not line.agrees] == ["mails sent", "  renewal"]
    assert show(in_any_order(lines))
    lost = replace(fewer, mails=dict(fewer.mails) | {"congratulation": 0})
    lines = in_any_order(account(folder, AS_OF, replace(observed, totals=lost)))
    assert {line.name for line in lines if not line.agrees} == {"mails sent, renewals aside", "  congratulation"}
