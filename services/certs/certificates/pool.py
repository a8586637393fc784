"""Processes that draw, beside the event loop. One that dies is replaced, and what it had in hand is drawn again."""

import asyncio
import multiprocessing
import os
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from multiprocessing.connection import wait
from typing import TypeVar, TypeVarTuple

import structlog
from prometheus_client import Histogram

from libs.common.errors import Unavailable
from services.certs.certificates.rendering import lacking

_TRIES = 2

Ts = TypeVarTuple("Ts")
T = TypeVar("T")

SECONDS = Histogram("certrail_drawing_seconds", "Time from asking for a drawing to having it")

log = structlog.get_logger(__name__)


class DrawingPool:
    """Runs functions that draw. Its processes start when one is at hand: most processes of the service draw none."""

    def __init__(self, processes: int) -> None:
        self._processes = processes
        self._pool: ProcessPoolExecutor | None = None

    async def run(self, draw: Callable[[*Ts], T], *given: *Ts) -> T:
        """What `draw` returns or raises; a function of a module, whose arguments can be sent to a process.

        Raises:
            Unavailable: every process that was given it has died.
        """
        for _ in range(_TRIES):
            pool = self._open()
            try:
                with SECONDS.time():
                    return await asyncio.get_running_loop().run_in_executor(pool, draw, *given)
            except BrokenProcessPool:
                log.warning("drawing_process_died")
                self._drop(pool)
        raise Unavailable(f"{_TRIES} processes have died while drawing")

    def warm(self) -> None:
        """Have a process ready before somebody waits for a drawing: on a busy machine it takes seconds to start."""
        if self._pool is None:
            self._open().submit(lacking)

    def close(self) -> None:
        """Let the processes go; the next drawing starts others."""
        if self._pool is not None:
            self._drop(self._pool)

    def _open(self) -> ProcessPoolExecutor:
        if self._pool is None:
            # Not forked: this process has threads and connections that a copy would share.
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self._processes, mp_context=context, initializer=begin)
        return self._pool

    def _drop(self, pool: ProcessPoolExecutor) -> None:
        pool.shutdown(wait=False, cancel_futures=True)
        if self._pool is pool:
            self._pool = None


@cache
def drawing_pool(processes: int) -> DrawingPool:
    """The pool of this process: there is one machine to share, however many ask."""
    return DrawingPool(processes)


def begin() -> None:
    """Make a fresh process ready, and have it end when the service is gone, however that came about."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_after, args=(parent.sentinel,), daemon=True).start()
    lacking()  # loads what drawing takes; where it is not there, the first drawing says so


def _end_after(sentinel: int) -> None:
    wait([sentinel])
    os._exit(0)
