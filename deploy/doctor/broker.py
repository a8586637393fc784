"""Whether the broker has every queue, somebody reads each, and nothing was given up."""

from collections.abc import Iterator, Mapping

from deploy.cli.queues import Depth
from deploy.doctor.findings import Finding
from libs.common.bus.topology import is_retry_queue, parked_queue
from libs.common.events import SERVICES


def look_at(depths: Mapping[str, Depth], wanted: tuple[str, ...]) -> Iterator[Finding]:
    """What is wrong with queues.

    Args:
        depths: of every queue that exists.
        wanted: the queues that services read from and those that lead back to them.
    """
    for name in (*wanted, *map(parked_queue, SERVICES)):
        service = name.partition(".")[0]
        if name not in depths:
            mend = "apply the broker's definitions: certrail up, or the set-up step"
            yield Finding("queue-missing", service, "a queue does not exist", name, mend=mend)
    for name in wanted:
        if name in depths and not depths[name].consumers and not is_retry_queue(name):
            what = f"nobody reads it, and {depths[name].ready:,} messages wait"
            mend = "start a process with the role worker"
            yield Finding("queue-unread", name.partition(".")[0], what, name, mend=mend)
    for service in SERVICES:
        name = parked_queue(service)
        if name in depths and depths[name].ready:
            mend = f"certrail parked list --service {service}, and parked replay once its cause is mended"
            what = f"{depths[name].ready:,} messages could not be handled"
            yield Finding("parked", service, what, name, mend=mend)
