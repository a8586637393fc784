"""`python -m tests.bench`: run every participant in turn and print the tables."""

import asyncio
import signal

from tests.bench.command import main


async def _stoppable() -> None:
    """SIGTERM ends the run as Ctrl-C does: with every process stopped that it has started."""
    task = asyncio.create_task(main())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    await task


if __name__ == "__main__":
    asyncio.run(_stoppable())
