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

needs_promtool = pytest.mark.skipif(
    _PROGRAM is None and REQUIRED not in os.environ, reason="needs promtool, which the set-up fetches"
)


def promtool(*words: str | Path) -> tuple[int, str]:
    """Run it. Returns its exit status and all that it says."""
    assert _PROGRAM is not None, "there is no promtool"
    done = subprocess.run([_PROGRAM, *map(str, words)], capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout + done.stderr
