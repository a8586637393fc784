"""`make chaos ARGS="--minutes 5 --seed 7 --only kill,freeze"`; exit 1 where anything is lost or doubled.

Needs MongoDB's and RabbitMQ's programs on this machine, and starts three of each.
"""

import argparse
import asyncio
import logging
import os
import secrets
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import psutil

from deploy.local.processes import recorded
from tests.chaos.suite.account import Account, written
from tests.chaos.suite.catalogue import FAULTS
from tests.chaos.suite.run import Chaos

MINUTES = 5.0
RESULTS_PER_SECOND = 60.0
FOLDER = "certrail-chaos-"


def main() -> int:
    options = _options()
    if options.list:
        for name, fault in FAULTS.items():
            print(f"{name:<20}{(fault.__doc__ or '').splitlines()[0]}")
        return 0
    for library in ("aio_pika", "aiormq"):  # of each connection that breaks they say more than we of the whole run
        logging.getLogger(library).setLevel(logging.CRITICAL)
    end_orphans()
    folder = Path(tempfile.mkdtemp(prefix=f"{FOLDER}{os.getpid()}-"))
    began = time.monotonic()
    chaos = Chaos(
        seed=secrets.randbelow(1_000_000) if options.seed is None else options.seed,
        minutes=options.minutes,
        results_per_second=options.rate,
        only=tuple(options.only.split(",")) if options.only else (),
        folder=folder,
        say=lambda line: print(f"{time.monotonic() - began:7.1f}  {line}", flush=True),
    )
    account = asyncio.run(_unless_told(chaos))
    for line in written(account):
        print(line)
    if account.agrees and not options.keep:
        shutil.rmtree(folder)
    else:
        print(f"logs are in {folder}; again with --seed {chaos.seed}")
    return 0 if account.agrees else 1


async def _unless_told(chaos: Chaos) -> Account:
    """Run until the end, or until SIGTERM or SIGINT; then everything that was started ends all the same."""
    running = asyncio.ensure_future(chaos.run())
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, running.cancel)
    return await running


def end_orphans() -> None:
    """End what a run has left that was killed before it could; its logs stay."""
    for folder in Path(tempfile.gettempdir()).glob(f"{FOLDER}*-*"):
        run = folder.name.removeprefix(FOLDER).partition("-")[0]
        if run.isdigit() and not psutil.pid_exists(int(run)):
            for file in (*folder.glob("*.pid"), *folder.glob("*/*.pid")):
                orphan = recorded(file)
                if orphan:
                    psutil.Process(orphan.pid).kill()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=MINUTES, help=f"how long faults go on (default {MINUTES:g})")
    parser.add_argument("--seed", type=int, help="repeats the faults of a run, and its messages")
    parser.add_argument("--only", default="", help="faults by name, with commas between them (default all)")
    parser.add_argument("--rate", type=float, default=RESULTS_PER_SECOND, help="results a second")
    parser.add_argument("--keep", action="store_true", help="keep data and logs also where all agrees")
    parser.add_argument("--list", action="store_true", help="say which faults there are, and do nothing")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
