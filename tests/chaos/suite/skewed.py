"""Runs a service whose clock is wrong: `python -m tests.chaos.suite.skewed SERVICE --role ROLE`.

All of a service's time comes from `SystemClock` (docs/code-style.md), so that is what goes wrong here, by as many
seconds as the file says that `CHAOS_CLOCK` names. What the operating system measures, timeouts above all, stays right:
a machine with a wrong clock counts its seconds as well as any other.
"""

import os
import runpy
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from libs.common.clock import SystemClock

SKEW_FILE = "CHAOS_CLOCK"


class _Skew:
    """Reads the file again when it has changed."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._changed = 0
        self._skew = timedelta()

    def __call__(self) -> timedelta:
        changed = self._file.stat().st_mtime_ns
        if changed != self._changed:
            self._skew, self._changed = timedelta(seconds=float(self._file.read_text())), changed
        return self._skew


def main() -> None:
    service = sys.argv.pop(1)
    skew = _Skew(Path(os.environ[SKEW_FILE]))

    def now(_clock: SystemClock) -> datetime:
        return datetime.now(UTC) + skew()

    SystemClock.now = now  # type: ignore[method-assign]
    runpy.run_module(f"services.{service}", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
