"""What waits in a service's queues, and since when."""

from datetime import UTC, datetime, timedelta

from prometheus_client import REGISTRY

from libs.common.bus.queue_watch import QueueWatch
from libs.common.clock import FixedClock

QUEUE, PARKED = "certs.events", "certs.parked"


def value(name: str, queue: str = QUEUE) -> float | None:
    return REGISTRY.get_sample_value(name, {"queue": queue})


def test_a_queue_is_behind_since_it_was_last_seen_empty() -> None:
    clock = FixedClock(datetime(2026, 11, 22, tzinfo=UTC))
    watch = QueueWatch("certs", "", name="test", clock=clock)
    seen = []
    for count in (3, 9, 1, 0, 2, 2):
        watch.note([(QUEUE, count), (PARKED, count + 1)])
        seen.append((value("certrail_queue_messages"), value("certrail_queue_behind_seconds")))
        clock.advance(timedelta(seconds=15))
    assert seen == [(3, 0), (9, 15), (1, 30), (0, 0), (2, 0), (2, 15)]
    assert value("certrail_parked_messages", PARKED) == 3
    assert value("certrail_queue_messages", PARKED) is None
