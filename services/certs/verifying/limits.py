"""The inside of a process that works on what strangers have written: it may take so much time and memory, no more.

The process has nothing to lose: no secrets in its environment, no connections, no right to write a file. It takes its
task from standard input, answers on standard output, and ends.
"""

import os
import resource
import sys
from collections.abc import Callable
from typing import Final

SECONDS: Final = 3
"""Of processor time; the largest transcript takes one."""

MEMORY_BYTES: Final = 640 * 1024 * 1024
"""Of address space, the libraries' own included."""

OPEN_FILES: Final = 16

GAVE_UP: Final = 3
"""Exit status where a parser failed on what it was given."""

OUT_OF_MEMORY: Final = 4

_NICENESS: Final = 10


def work_within_limits(work: Callable[[bytes], bytes]) -> None:
    """Answer the task on standard input. Libraries are loaded by now; whatever is read from here on is a stranger's."""
    os.nice(_NICENESS)
    for limit, most in (
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (most, most))
    try:
        answer = work(sys.stdin.buffer.read())
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    except Exception:  # noqa: BLE001 what a parser stumbles over is a matter of the file, whatever its name
        os._exit(GAVE_UP)
    sys.stdout.buffer.write(answer)
