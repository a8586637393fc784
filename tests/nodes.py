"""Programs of other people, written for Node.js, that tests hold ours against."""

import shutil
from pathlib import Path

import pytest

PACKAGES = Path(__file__).parent / "node"
"""The scripts that tests run, beside the packages that the set-up installed from the lock file."""

needs_node = pytest.mark.skipif(
    shutil.which("node") is None or not (PACKAGES / "node_modules").exists(),
    reason="needs Node.js and the packages of tests/node, which the set-up installs",
)
