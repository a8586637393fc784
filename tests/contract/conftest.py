"""Every service composed as it runs, without servers: what it offers and what it takes in."""

from collections.abc import Iterator, Mapping

import pytest

from deploy.gateway.reference.composed import composed
from libs.common.events import SERVICES
from libs.common.service import Parts
from tests.contract.metrics import Metric, declared


@pytest.fixture(scope="session")
def parts() -> Iterator[dict[str, Parts]]:
    """The parts of every service, by name."""
    with composed() as built:
        assert set(built) == set(SERVICES)
        yield built


@pytest.fixture(scope="session")
def metrics() -> Mapping[str, Metric]:
    """Every metric of ours, by name."""
    return declared()
