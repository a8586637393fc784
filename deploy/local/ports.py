"""Free ports for servers whose address nobody needs to know beforehand."""

import socket
from contextlib import ExitStack

from deploy.local.settings import LOOPBACK


def free_ports(count: int) -> tuple[int, ...]:
    """Distinct ports that nobody listened on a moment ago.

    All are held open until the last is found, so that no port is given twice.
    """
    with ExitStack() as held:
        found = []
        for _ in range(count):
            listener = held.enter_context(socket.socket())
            listener.bind((LOOPBACK, 0))
            found.append(int(listener.getsockname()[1]))
        return tuple(found)


def is_listening(port: int, host: str = LOOPBACK) -> bool:
    """Whether somebody accepts connections on the port now."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0
