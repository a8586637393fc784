"""Writes the sample vendor feed: `python -m deploy.sample.generate --seed 7 --out DIR`.

The same seed gives the same bytes. DIR receives `vue.jsonl` and `psi.jsonl` (what two test vendors send
over almost three years), `invalid.jsonl` (messages a vendor should not send) and `summary.json` (how often
each hard case occurs).
"""

import argparse
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from deploy.sample.careers import Candidate, play_candidate
from deploy.sample.hard_cases import SIZES, HardCases
from deploy.sample.invalid import invalid_messages
from deploy.sample.people import Person, make_people
from deploy.sample.rows import Row, Vendor
from deploy.sample.timeline import Timeline

RESULTS = {"vue": 8_300, "psi": 4_500}
"""Attempts with a result, at least, by vendor."""
SHARED_EVENT_IDS = 40
"""Rows of the second vendor whose event id the first has used too: an id is unique within its source only."""
BOTH_PROGRAMS = 0.1
KNOWN_ELSEWHERE = 0.12
"""Share of people with accounts in both programs, and of the second vendor's people known to the first."""
CISCO = 0.62


@dataclass(frozen=True, slots=True)
class Feed:
    """What one vendor sends, in order, and a candidate no hard case has touched."""

    vendor: str
    rows: list[Row]
    plain: Candidate


def _population(rng: Random, people: list[Person], known: list[Person]) -> Iterable[Person]:
    """The vendor's people: new ones, and now and then somebody the other vendor knows."""
    strangers = iter(people)
    elsewhere = iter(rng.sample(known, len(known)))
    while True:
        yield next(elsewhere) if known and rng.random() < KNOWN_ELSEWHERE else next(strangers)


def _candidates(vendor: Vendor, people: Iterable[Person], results: int) -> list[Candidate]:
    candidates: list[Candidate] = []
    taken = 0
    for person in people:
        first, second = ("cisco", "juniper") if vendor.rng.random() < CISCO else ("juniper", "cisco")
        programs = (first, second) if vendor.rng.random() < BOTH_PROGRAMS else (first,)
        number = vendor.candidate_id()  # a vendor knows a person by one number, whatever the program
        candidates.extend(play_candidate(vendor, person, program, number) for program in programs)
        taken += sum(len(candidate.attempts) for candidate in candidates[-len(programs) :])
        if taken >= results:
            break
    return candidates


def _feed(vendor: Vendor, candidates: list[Candidate], other_ids: list[str]) -> Feed:
    rows = [row for candidate in candidates for row in candidate.rows]
    for row, used in zip(vendor.rng.sample(rows, len(other_ids)), other_ids, strict=True):
        row.id = used
    timeline = Timeline(rows)
    plain = HardCases(vendor, timeline, candidates).apply(SIZES[vendor.name])
    return Feed(vendor.name, timeline.rows(), plain)


def make_feeds(seed: int) -> tuple[list[Feed], dict[str, Any]]:
    """Both vendors' feeds and the facts about them that the files do not show at a glance."""
    rng = Random(seed)  # noqa: S311 - sample data must be repeatable, not secret
    people = make_people(rng, sum(RESULTS.values()))
    vue, psi = Vendor("vue", rng), Vendor("psi", rng)
    at_vue = _candidates(vue, _population(rng, people, []), RESULTS["vue"])
    met = list(dict.fromkeys(candidate.person for candidate in at_vue))
    at_psi = _candidates(psi, _population(rng, people[len(met) :], met), RESULTS["psi"])
    first = _feed(vue, at_vue, [])
    shared = rng.sample(list(dict.fromkeys(row.id for row in first.rows)), SHARED_EVENT_IDS)
    feeds = [first, _feed(psi, at_psi, shared)]
    facts = {
        "accounts_in_both_programs": _in_both_programs(at_vue) + _in_both_programs(at_psi),
        "people_at_both_vendors": len(set(met) & {candidate.person for candidate in at_psi}),
        "renewals": {
            feed.vendor: sum(candidate.renewed for candidate in candidates)
            for feed, candidates in zip(feeds, (at_vue, at_psi), strict=True)
        },
        "event_ids_at_both_vendors": SHARED_EVENT_IDS,
        "hard_cases": {vendor: dict(sizes) for vendor, sizes in SIZES.items()},
    }
    return feeds, facts


def _in_both_programs(candidates: list[Candidate]) -> int:
    numbers = Counter(candidate.vendor_candidate_id for candidate in candidates)
    return sum(1 for accounts in numbers.values() if accounts > 1)


def generate(seed: int, out: Path) -> dict[str, Any]:
    """Write the four files into `out`, which is created where missing; returns the summary."""
    out.mkdir(parents=True, exist_ok=True)
    feeds, facts = make_feeds(seed)
    messages = invalid_messages({feed.vendor: feed.plain.attempts[-1].result for feed in feeds})
    for feed in feeds:
        _write(out / f"{feed.vendor}.jsonl", (row.line() for row in feed.rows))
    _write(out / "invalid.jsonl", (json.dumps(message, ensure_ascii=False) for message in messages))
    summary = {
        "seed": seed,
        "rows": {feed.vendor: dict(sorted(Counter(row.type for row in feed.rows).items())) for feed in feeds},
        "messages": dict(sorted(Counter(message["expect"] for message in messages).items())),
        **facts,
    }
    (out / "summary.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    return summary


def _write(path: Path, lines: Iterable[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the sample vendor feed.")
    parser.add_argument("--seed", type=int, default=7, help="the same seed gives the same files (default 7)")
    parser.add_argument("--out", type=Path, required=True, help="directory for the files, created where missing")
    options = parser.parse_args()
    print(json.dumps(generate(options.seed, options.out), indent=2))


if __name__ == "__main__":
    main()
