"""How often one address may ask."""

from datetime import UTC, datetime, timedelta

import pytest

from libs.common.clock import FixedClock
from libs.common.http.problems import Problem
from libs.common.http.senders import read_networks
from services.certs.public.rates import AddressRates

PROXIES = read_networks("10.0.0.0/8")


def rates(clock: FixedClock, a_minute: int = 60) -> AddressRates:
    return AddressRates(a_minute, PROXIES, clock)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 11, 22, 12, tzinfo=UTC))


def test_address_past_its_rate_is_told_when_to_come_back(clock: FixedClock) -> None:
    limit = rates(clock)
    for _ in range(60):
        limit.take("203.0.113.7", {})
    with pytest.raises(Problem) as refused:
        limit.take("203.0.113.7", {})
    assert refused.value.headers == {"Retry-After": "1"}
    limit.take("203.0.113.8", {})
    clock.advance(timedelta(seconds=1))
    limit.take("203.0.113.7", {})
    with pytest.raises(Problem):
        limit.take("203.0.113.7", {})


def test_refused_request_takes_nothing_out(clock: FixedClock) -> None:
    limit = rates(clock, a_minute=10)
    limit.take("203.0.113.7", {}, cost=9)
    for _ in range(5):
        with pytest.raises(Problem):
            limit.take("203.0.113.7", {}, cost=2)
    limit.take("203.0.113.7", {}, cost=1)


def test_forwarded_address_counts_from_a_proxy_of_ours_only(clock: FixedClock) -> None:
    limit = rates(clock, a_minute=1)
    limit.take("10.0.0.1", {"X-Forwarded-For": "203.0.113.7"})
    limit.take("10.0.0.1", {"X-Forwarded-For": "203.0.113.8"})
    with pytest.raises(Problem):
        limit.take("10.0.0.2", {"X-Forwarded-For": "198.51.100.1, 203.0.113.7"})
    limit.take("192.0.2.1", {"X-Forwarded-For": "203.0.113.9"})
    with pytest.raises(Problem):
        limit.take("192.0.2.1", {"X-Forwarded-For": "203.0.113.10"})
