"""What processes that draw are killed with. Imports next to nothing: each process that dies starts anew in seconds."""

import os
import signal


def die(*_: object) -> bytes:
    """Die as one that ran out of memory."""
    os.kill(os.getpid(), signal.SIGKILL)
    return b""


def wait_for_death(first: int) -> int:
    """Wait in the process `first`; return at once in any other, with its id."""
    if os.getpid() == first:
        signal.pause()
    return os.getpid()
