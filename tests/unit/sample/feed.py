"""The sample feed as the tests read it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SEED = 7


@dataclass(frozen=True)
class Sample:
    directory: Path
    summary: dict[str, Any]
    rows: dict[str, list[dict[str, Any]]]
    messages: list[dict[str, Any]]

    def results(self, vendor: str) -> list[tuple[int, dict[str, Any]]]:
        """Position and row of the first delivery of each reported result."""
        seen: set[str] = set()
        found = []
        for position, row in enumerate(self.rows[vendor]):
            if row["id"] not in seen and row["type"] == "ExamResultReported.v1":
                found.append((position, row))
            seen.add(row["id"])
        return found


def read(path: Path) -> list[dict[str, Any]]:
    # Not splitlines(): that breaks at characters JSON lets stand in a string.
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
