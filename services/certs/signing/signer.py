"""Signs credentials with the keys of their programs, in processes of its own: milliseconds of work for each."""

import asyncio
import multiprocessing
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache, partial
from typing import Final, ParamSpec, TypeVar

import structlog
from prometheus_client import Counter, Histogram

from libs.common.clock import Clock
from libs.common.errors import Unavailable
from services.certs.signing.keys import IssuerKeys, PublishedKey
from services.certs.signing.vocabulary import Json
from services.certs.signing.work import Signed, begin, sign_all

CHUNK: Final = 10
"""Documents that one process signs at a time: enough to be worth the way there, few enough that others get a turn."""

SIGNED: Final = Counter("certrail_credentials_signed_total", "Credentials and status lists signed")
SECONDS: Final = Histogram("certrail_signing_seconds", "Time from asking for signatures to having them")

log = structlog.get_logger(__name__)

P = ParamSpec("P")
T = TypeVar("T")


class SigningPool:
    """Processes that sign. They start with the first work, and end with this process."""

    def __init__(self, processes: int) -> None:
        self._processes = processes
        self._executor: ProcessPoolExecutor | None = None

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run picklable work. A process that dies takes no work with it, as it is tried again with others.

        Raises:
            Unavailable: they died again.
        """
        for _ in range(2):
            executor = self._running()
            try:
                return await asyncio.get_running_loop().run_in_executor(executor, partial(work, *args, **kwargs))
            except BrokenProcessPool:
                log.warning("signing_process_died")
                if self._executor is executor:
                    self._executor = None
                executor.shutdown(wait=False)
        raise Unavailable("the processes that sign have died")

    def close(self) -> None:
        """Let the processes end; what is asked for afterwards starts others."""
        if self._executor is not None:
            self._executor.shutdown()
            self._executor = None

    def _running(self) -> ProcessPoolExecutor:
        if self._executor is None:
            # A fork would take the driver's threads and locks along.
            context = multiprocessing.get_context("spawn")
            self._executor = ProcessPoolExecutor(self._processes, context, initializer=begin)
        return self._executor


@cache
def shared_pool(processes: int) -> SigningPool:
    """The pool of this process: there is one machine to share, however many ask."""
    return SigningPool(processes)


class Signer:
    """Signs with the active key of a program.

    Args:
        keys: the programs' keys.
        pool: where the work is done.
        clock: tells when a proof is made.
    """

    def __init__(self, keys: IssuerKeys, pool: SigningPool, clock: Clock) -> None:
        self._keys = keys
        self._pool = pool
        self._clock = clock

    async def sign(self, program: str, document: Json) -> Signed:
        """One credential, signed. Raises `Unsignable`, and `Unavailable` where it may be tried again."""
        (signed,) = await self.sign_many(program, [document])
        return signed

    async def sign_many(self, program: str, documents: Sequence[Json]) -> list[Signed]:
        """Credentials in their order, all signed with one key. Raises as `sign` does, with none of them signed."""
        began = time.perf_counter()
        signing = await self._keys.signing(program)
        created = self._clock.now().replace(microsecond=0)
        chunks = [documents[at : at + CHUNK] for at in range(0, len(documents), CHUNK)]
        done = await asyncio.gather(*(self._pool.run(sign_all, signing, chunk, created) for chunk in chunks))
        SIGNED.inc(len(documents))
        SECONDS.observe(time.perf_counter() - began)
        return [signed for chunk in done for signed in chunk]

    async def public_keys(self, program: str) -> Sequence[PublishedKey]:
        """Every key that stands in the program's DID document."""
        return await self._keys.published(program)
