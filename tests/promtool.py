"""Prometheus' own tool for rules: other people's word on whether ours are right."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REQUIRED = "CERTRAIL_TEST_PROMTOOL_REQUIRED"
"""Set where nothing may be left out: then the tests run, and fail where the tool is missing."""

_BESIDE_PYTHON = Path(sys.executable).parent / "promtool"
_PROGRAM = str(_BESIDE_PYTHON) if _BESIDE_PYTHON.exists() else shutil.which("promtool")

_MEMORY = Path("/dev/shm")
"""A folder in memory, where there is one: whatever the tool stores it flushes to the disk as well."""
_ENVIRONMENT = {**os.environ, "TMPDIR": str(_MEMORY)} if os.access(_MEMORY, os.W_OK) else None

needs_promtool = pytest.mark.skipif(
    _PROGRAM is None and REQUIRED not in os.environ, reason="needs promtool, which the set-up fetches"
)


def promtool(*words: str | Path) -> tuple[int, str]:
    """Run it. Returns its exit status and all that it says."""
    assert _PROGRAM is not None, "there is no promtool"
    command = [_PROGRAM, *map(str, words)]
    done = subprocess.run(command, env=_ENVIRONMENT, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout + done.stderr
