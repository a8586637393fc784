"""The published contracts as files: one JSON Schema an event, and the AsyncAPI document.

`python -m libs.common.events.contracts` compares them with the code; `--write` brings them up to date, unless the
change would break a reader or a writer of the old ones.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from libs.common.events import all_events
from libs.common.events.asyncapi import asyncapi_document, event_schema
from libs.common.events.compatibility import breaking_changes

FOLDER = Path(__file__).resolve().parents[3] / "deploy" / "contracts"


def generated() -> dict[str, dict[str, Any]]:
    """Every contract file by its name, as the code has it."""
    files = {f"{key}.schema.json": event_schema(model) for key, model in all_events().items()}
    return {**files, "asyncapi.json": asyncapi_document()}


def committed(folder: Path = FOLDER) -> dict[str, dict[str, Any]]:
    """Every contract file by its name, as it is published."""
    return {path.name: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}


def broken_promises(old: dict[str, dict[str, Any]], new: dict[str, dict[str, Any]]) -> list[str]:
    """What going from `old` to `new` would break: removed events, and changes that are no additions."""
    faults = []
    for name, schema in old.items():
        if not name.endswith(".schema.json"):
            continue
        if name not in new:
            faults.append(f"{name}: the event would vanish")
        else:
            faults += [f"{name}{fault}" for fault in breaking_changes(schema, new[name])]
    return faults


def write(folder: Path = FOLDER) -> None:
    for name, content in generated().items():
        (folder / name).write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="bring the files up to date")
    parser.add_argument("--check", action="store_true", help="only compare (the default)")
    arguments = parser.parse_args()
    old, new = committed(), generated()
    faults = broken_promises(old, new)
    for fault in faults:
        print(f"breaks a promise: {fault}", file=sys.stderr)  # noqa: T201 a command prints
    if faults:
        return 1
    if arguments.write:
        write()
        return 0
    changed = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    for name in changed:
        print(f"out of date: deploy/contracts/{name} (run with --write)", file=sys.stderr)  # noqa: T201
    return 1 if changed else 0


if __name__ == "__main__":
    sys.exit(main())
