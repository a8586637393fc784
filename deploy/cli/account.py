"""The account of the sample feed: what the platform made of it, beside a count made from the files alone."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import orjson
from rich.text import Text

from deploy.cli.console import output, say, table
from deploy.cli.totals import Totals
from deploy.sample.count import count

_MAILS = "mails sent"
_RENEWALS = "  renewal"
_RESULT_TYPE = "ExamResultReported.v1"


@dataclass(frozen=True)
class Line:
    """One number that two independent ways must agree on."""

    name: str
    platform: int
    counted: int

    @property
    def agrees(self) -> bool:
        return self.platform == self.counted


@dataclass(frozen=True)
class Observed:
    """What the platform says of a play.

    Attributes:
        totals: what it holds because of the sample.
        refused: messages the broker did not let in.
        verdicts: what result reports were found to be while it was played; None where another play came before,
            because then every report is a repetition.
    """

    totals: Totals
    refused: int
    verdicts: Counter[str] | None


def account(folder: Path, as_of: date, observed: Observed) -> list[Line]:
    """Both counts, line by line."""
    counted: dict[str, Any] = count(folder, as_of).summary()
    totals = observed.totals
    return [
        Line("registrations recorded", totals.registrations, counted["registrations"]),
        Line("results recorded", totals.results, counted["results"]),
        *_duplicates(folder, observed.verdicts, counted),
        Line("results without a candidate yet", totals.unmatched, counted["unmatched"]),
        Line("messages rejected", sum(totals.rejected.values()), counted["rejected_total"]),
        *_parts(totals.rejected, counted["rejected"]),
        Line("messages refused by the broker", observed.refused, counted["refused_by_broker"]),
        Line("accounts", totals.accounts, counted["accounts"]),
        Line("certifications active", totals.active, counted["certifications"]["active"]),
        Line("certifications expired", totals.expired, counted["certifications"]["expired"]),
        Line("kits offered", totals.kits, counted["kits"]),
        Line(_MAILS, totals.mails_sent, counted["mails_total"]),
        *_parts(totals.mails, counted["mails"]),
    ]


def in_any_order(lines: Iterable[Line]) -> list[Line]:
    """The lines that come out the same in whatever order results reach certs.

    A pass that arrives before the certification it renews becomes part of the award, and the renewal is not told: so
    the number of those mails follows the order, while every certification and every date does not.
    """
    lines = list(lines)
    told = next(line for line in lines if line.name == _RENEWALS)
    return [
        Line(f"{line.name}, renewals aside", line.platform - told.platform, line.counted - told.counted)
        if line.name == _MAILS
        else line
        for line in lines
        if line is not told
    ]


def _duplicates(folder: Path, verdicts: Counter[str] | None, counted: Mapping[str, Any]) -> Iterator[Line]:
    if verdicts is None:
        return
    repeated = repeated_results(folder) + counted["ignored"]["resent"]
    yield Line("result reports ignored as duplicates", verdicts["duplicate"], repeated)
    yield Line("revisions taken over", verdicts["revised"], counted["revisions"])
    yield Line("older revisions that came too late", verdicts["stale"], counted["ignored"]["stale"])


def _parts(platform: Mapping[str, int], counted: Mapping[str, int]) -> Iterator[Line]:
    for name in sorted(platform.keys() | counted.keys()):
        yield Line(f"  {name.replace('_', ' ')}", platform.get(name, 0), counted.get(name, 0))


def repeated_results(folder: Path) -> int:
    """How many rows and good messages deliver a result report whose event was delivered before."""
    seen: Counter[tuple[str, str]] = Counter()
    for vendor, event in _deliveries(folder):
        if str(event["type"]).endswith(_RESULT_TYPE):
            seen[vendor, event["id"]] += 1
    return seen.total() - len(seen)


def _deliveries(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for vendor in ("vue", "psi"):
        for line in _lines(folder / f"{vendor}.jsonl"):
            yield vendor, line
    for message in _lines(folder / "invalid.jsonl"):
        if message["expect"] == "accepted":
            yield message["vendor"], orjson.loads(message["body"])


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        for line in file:
            yield orjson.loads(line)


def show(lines: Iterable[Line]) -> bool:
    """Print the account; returns whether all numbers agree."""
    made = table("", "platform", "from the files", "", numbers=("platform", "from the files"))
    differing = 0
    for line in lines:
        differing += not line.agrees
        mark = Text("✓", "green") if line.agrees else Text(f"differs by {line.platform - line.counted:+,}", "bold red")
        made.add_row(line.name, f"{line.platform:,}", f"{line.counted:,}", mark)
    output().print(made)
    if differing:
        say(f"{differing} numbers differ", style="bold red")
    else:
        say("the numbers agree", style="bold green")
    return differing == 0
