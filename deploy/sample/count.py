"""A second account of the sample feed: `python -m deploy.sample.count DIR --as-of DATE [--json]`.

It shares nothing with the platform but the written rules: no code, no program file, no database, only the
table of certifications beside it (`count_rules`). It reads the rows one after the other in playing order and
keeps everything in dictionaries. What it says must come out of the running platform too; where the two
differ, one of them is wrong.

It judges no message: which of the hand-made ones are refused, and why, is stated in their file.
"""

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from deploy.sample.count_rules import PROGRAMS, Holding, certifications

Account = tuple[str, str, str]
"""Program, vendor, the vendor's candidate id: one account each, also where the person is the same."""


@dataclass
class Result:
    """The highest revision of a result, and what its candidate has been told of it."""

    account: Account
    revision: int
    grade: str
    score: float | None
    code: str
    day: date
    told: tuple[str, float | None] | None = None


@dataclass
class Count:
    """Everything counted so far."""

    as_of: date
    tally: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    mails: Counter[str] = field(default_factory=Counter)
    seen: set[tuple[str, str]] = field(default_factory=set)
    registrations: set[tuple[str, str, str]] = field(default_factory=set)
    results: dict[tuple[str, str, str], Result] = field(default_factory=dict)
    of_account: defaultdict[Account, list[Result]] = field(default_factory=lambda: defaultdict(list))
    """Results of each account, also of those that do not exist yet: these wait."""
    accounts: dict[Account, dict[str, Holding]] = field(default_factory=dict)
    kits: set[tuple[Account, str]] = field(default_factory=set)

    def event(self, vendor: str, row: dict[str, Any]) -> None:
        """One delivery of one event."""
        if (vendor, row["id"]) in self.seen:
            self.tally["ignored_redelivered"] += 1
            return
        self.seen.add((vendor, row["id"]))
        data = row["data"]
        if row["type"] == "ExamRegistered.v1":
            self.registered(row["program"], vendor, data)
        elif row["type"] == "ExamResultReported.v1":
            self.reported(row["program"], vendor, data)
        else:
            self.tally["appointment_changes"] += 1

    def registered(self, program: str, vendor: str, data: dict[str, Any]) -> None:
        self.registrations.add((program, vendor, data["registration_id"]))
        account = (program, vendor, data["vendor_candidate_id"])
        if account not in self.accounts:
            self.accounts[account] = {}
            self.mails["activation"] += 1
            for result in self.of_account[account]:
                self.tell(result)

    def reported(self, program: str, vendor: str, data: dict[str, Any]) -> None:
        key = (program, vendor, data["result_id"])
        known = self.results.get(key)
        if known is None:
            known = self.results[key] = Result(
                account=(program, vendor, data["vendor_candidate_id"]),
                revision=data["revision"],
                grade=data["grade"],
                score=data.get("score"),
                code=data["exam_code"],
                day=datetime.fromisoformat(data["taken_at"]).date(),
            )
            self.of_account[known.account].append(known)
        elif data["revision"] < known.revision:
            self.tally["ignored_stale"] += 1
            return
        elif data["revision"] == known.revision:
            if data["grade"] == known.grade:
                self.tally["ignored_resent"] += 1
            else:
                self.rejected["revision_conflict"] += 1
            return
        else:
            self.tally["revisions"] += 1
            known.revision, known.grade, known.score = data["revision"], data["grade"], data.get("score")
            known.day = datetime.fromisoformat(data["taken_at"]).date()
        if known.account in self.accounts:
            self.tell(known)

    def tell(self, result: Result) -> None:
        """Mails about a result, then about what it does to the certifications of its account."""
        outcome = (result.grade, result.score)
        if result.grade == "invalidated":
            self.mails["result_withdrawn"] += result.told is not None
        elif result.told is not None:
            self.mails["result_changed"] += outcome != result.told
            result.told = outcome
        elif result.grade != "pending":
            self.mails["result"] += 1
            result.told = outcome
        self.settle(result.account)

    def settle(self, account: Account) -> None:
        """Compare an account's certifications, as they stand on the day of the account, with those before."""
        before = self.accounts[account]
        told = [result for result in self.of_account[account] if result.grade == "pass"]
        after = certifications(account[0], [(result.day, result.code) for result in told], self.as_of)
        self.accounts[account] = after
        for certification in PROGRAMS[account[0]]:
            name = certification.id
            was = name in before and before[name].covers(self.as_of)
            now = name in after and after[name].covers(self.as_of)
            if now and not was:
                self.mails["congratulation"] += 1
                if certification.kit:
                    self.kits.add((account, name))
            elif was and not now:
                self.mails["revocation"] += 1
            elif was and now:
                self.moved(before[name], after[name])

    def moved(self, before: Holding, after: Holding) -> None:
        """What is held before and after may last longer or shorter than was said, or for longer or shorter already."""
        if after.expires > before.expires or (after.expires == before.expires and after.earned < before.earned):
            self.mails["renewal"] += 1
        elif (after.expires, after.earned) != (before.expires, before.earned):
            self.tally["shortened"] += 1
            self.mails["revocation"] += 1  # a renewal or the award has fallen: it is held, but less than was said

    def message(self, message: dict[str, Any]) -> None:
        """One hand-made message, taken as its file says."""
        if message["expect"] == "accepted":
            event = json.loads(message["body"])
            self.event(message["vendor"], event | {"type": event["type"].partition(".")[2]})
        elif message["expect"] == "rejected":
            self.rejected[message["code"]] += 1
        else:
            self.tally["refused_by_broker"] += 1

    def summary(self) -> dict[str, Any]:
        held = [holding for account in self.accounts.values() for holding in account.values()]
        active = sum(holding.covers(self.as_of) for holding in held)
        return {
            "as_of": self.as_of.isoformat(),
            "registrations": len(self.registrations),
            "appointment_changes": self.tally["appointment_changes"],
            "results": len(self.results),
            "revisions": self.tally["revisions"],
            "ignored": {kind: self.tally[f"ignored_{kind}"] for kind in ("redelivered", "resent", "stale")},
            "unmatched": sum(result.account not in self.accounts for result in self.results.values()),
            "rejected": dict(sorted(self.rejected.items())),
            "rejected_total": self.rejected.total(),
            "refused_by_broker": self.tally["refused_by_broker"],
            "accounts": len(self.accounts),
            "certifications": {"active": active, "expired": len(held) - active},
            "awards": self.mails["congratulation"],
            "renewals": self.mails["renewal"],
            "revocations": self.mails["revocation"],
            "kits": len(self.kits),
            "mails": dict(sorted(self.mails.items())),
            "mails_total": self.mails.total(),
        }

    def account_lines(self) -> Iterator[str]:
        """Each account with its certifications as one line of JSON, to find out where two counts differ."""
        for (program, vendor, number), held in self.accounts.items():
            dates = {name: [str(holding.earned), str(holding.expires)] for name, holding in sorted(held.items())}
            yield json.dumps(
                {"program": program, "vendor": vendor, "vendor_candidate_id": number, "certifications": dates}
            )


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def count(directory: Path, as_of: date) -> Count:
    """Play the files of a directory in order: vue, psi, then the hand-made messages."""
    counted = Count(as_of)
    for vendor in ("vue", "psi"):
        for row in _lines(directory / f"{vendor}.jsonl"):
            counted.event(vendor, row)
    for message in _lines(directory / "invalid.jsonl"):
        counted.message(message)
    return counted


def _print(summary: dict[str, Any]) -> None:
    for name, value in summary.items():
        if not isinstance(value, dict):
            print(f"{name.replace('_', ' '):<24}{value:>12}")
            continue
        print(name.replace("_", " "))
        for kind, number in value.items():
            print(f"  {kind.replace('_', ' '):<22}{number:>12}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Count what a sample feed must come to.")
    parser.add_argument("directory", type=Path, help="where the generated files are")
    parser.add_argument("--as-of", type=date.fromisoformat, required=True, help="the day to judge from, YYYY-MM-DD")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--accounts", action="store_true", help="print every account's certifications instead")
    options = parser.parse_args()
    counted = count(options.directory, options.as_of)
    if options.accounts:
        for line in counted.account_lines():
            print(line)
    elif options.json:
        print(json.dumps(counted.summary(), indent=2))
    else:
        _print(counted.summary())


if __name__ == "__main__":
    main()
