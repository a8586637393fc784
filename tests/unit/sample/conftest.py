"""The sample feed, generated once."""

import pytest

from deploy.sample.generate import generate
from tests.unit.sample.feed import SEED, Sample, read


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    directory = tmp_path_factory.mktemp("sample")
    summary = generate(SEED, directory)
    rows = {vendor: read(directory / f"{vendor}.jsonl") for vendor in ("vue", "psi")}
    return Sample(directory, summary, rows, read(directory / "invalid.jsonl"))
