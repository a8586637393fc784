"""Programs of other people, written for Node.js, that tests hold ours against."""

import os
import shutil
from pathlib import Path

import pytest

REQUIRED = "CERTRAIL_TEST_NODE_REQUIRED"
"""Set where nothing may be left out: then the tests run, and fail where Node.js is missing."""

PACKAGES = Path(__file__).parent / "node"
"""The scripts that tests run, beside the packages that the set-up installed from the lock file."""

_INSTALLED = shutil.which("node") is not None and (PACKAGES / "node_modules" / ".certrail-lock").exists()

needs_node = pytest.mark.skipif(
    not _INSTALLED and REQUIRED not in os.environ,
    reason="needs Node.js and the packages of tests/node, which the set-up installs",
)
