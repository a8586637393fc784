"""Every service composed as it runs, without servers: what it offers and what it takes in."""

from collections.abc import Iterator

import pytest

from deploy.gateway.reference.composed import composed
from libs.common.events import SERVICES
from libs.common.service import Parts


@pytest.fixture(scope="session")
def parts() -> Iterator[dict[str, Parts]]:
    """The parts of every service, by name."""
    with composed() as built:
        assert set(built) == set(SERVICES)
        yield built
