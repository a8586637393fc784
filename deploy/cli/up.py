"""`certrail up`: starts the platform on this machine, plays the sample feed, and gives an account of it."""

import asyncio
import shutil
import sys
from collections import Counter
from time import monotonic
from typing import Annotated

import typer

from deploy.cli.access import Access
from deploy.cli.account import Observed, account, show
from deploy.cli.client import operator_client
from deploy.cli.console import note, progress_bar, run, say
from deploy.cli.errors import FAILED, CliError
from deploy.cli.flow import Reading, until_settled
from deploy.cli.sample import Sample, read_verdicts
from deploy.cli.totals import Totals, read_totals
from deploy.cli.whereabouts import show_whereabouts
from deploy.local.mongod import mongod_binary
from deploy.local.platform import start_platform
from deploy.local.rabbitmq import rabbitmq_installed
from deploy.local.settings import LocalSettings

_NOTE_EVERY_SECONDS = 5.0


def up(
    sample: Annotated[bool, typer.Option(help="Play the sample feed where it has not been played yet")] = True,
    play: Annotated[bool, typer.Option("--play", help="Play the sample feed again; that changes nothing")] = False,
) -> None:
    """Start the whole platform in the background, play the sample feed once, and say what came of it.

    The exit status is 1 where the numbers do not agree with a count made from the files.
    """
    steps = _Steps()
    access = Access.load()
    _require_servers(access.local)
    agrees = run(_up(access, steps, sample=sample, play=play))
    show_whereabouts(access)
    if not agrees:
        raise typer.Exit(FAILED)


class _Steps:
    """One line for each step, with the seconds since the start."""

    def __init__(self) -> None:
        self._began = monotonic()

    def __call__(self, text: str) -> None:
        note(f"{monotonic() - self._began:6.1f} s  {text}")


def _require_servers(local: LocalSettings) -> None:
    """Say what is missing, and what to do instead, before anything is started."""
    missing = []
    if local.mongo_admin_url is None and mongod_binary() is None:
        missing.append("MongoDB (CERTRAIL_MONGO_ADMIN_URL names one elsewhere)")
    if local.amqp_admin_url is None and not rabbitmq_installed():
        missing.append("RabbitMQ (CERTRAIL_AMQP_ADMIN_URL and CERTRAIL_MANAGEMENT_URL name one elsewhere)")
    if missing:
        docker = shutil.which("docker") is not None
        hint = "there is Docker: `docker compose up --build` runs the same platform" if docker else "see `make setup`"
        raise CliError(f"not on this machine: {'; '.join(missing)}", hint=hint)


async def _up(access: Access, steps: _Steps, *, sample: bool, play: bool) -> bool:
    await start_platform(access.local, steps)
    if not sample and not play:
        steps("ready")
        return True
    feed = Sample(access.local.state_dir / "sample")
    if await asyncio.to_thread(feed.make):
        steps("sample feed written")
    async with operator_client(access) as client:
        totals = await read_totals(client, reasons=True)
    played = feed.played
    done = played is not None and played.results is not None and totals.results >= played.results
    if played is not None and done and not play:
        steps(f"ready; the sample feed was played on {played.as_of} (once more: `certrail up --play`)")
        _show_totals(totals)
        return True
    return await _play(access, steps, feed, totals)


async def _play(access: Access, steps: _Steps, feed: Sample, totals: Totals) -> bool:
    first = feed.played is None
    verdicts = await read_verdicts(access)
    played = feed.begin(totals)
    rows = await feed.publish(access)
    messages, refused = await feed.publish_messages(access)
    steps(f"published {rows:,} rows and {messages} hand-made messages, of which the broker refused {refused.total()}")
    after = await _settle(access)
    steps("all of it has flowed through")
    played = feed.finish(played, after)
    observed = Observed(
        totals=after.since(played.before),
        refused=refused.total(),
        verdicts=Counter(await read_verdicts(access)) - verdicts if first else None,
    )
    lines = await asyncio.to_thread(account, feed.folder, played.as_of, observed)
    return show(lines)


async def _settle(access: Access) -> Totals:
    """Wait for the end with a line that shows how far things are."""
    began = last = monotonic()
    with progress_bar("") as bar:
        task = bar.add_task("flowing through", total=None, detail="")

        def show_reading(reading: Reading) -> None:
            nonlocal last
            words = _in_words(reading)
            bar.update(task, detail=words)
            if not sys.stderr.isatty() and monotonic() - last > _NOTE_EVERY_SECONDS:
                last = monotonic()
                note(f"          {last - began:4.0f} s: {words}")

        return await until_settled(access, show_reading)


def _in_words(reading: Reading) -> str:
    totals = reading.totals
    return (
        f"{totals.results:,} results, {totals.active:,} certifications, {totals.kits:,} kits, "
        f"{totals.mails_sent:,} mails; {reading.waiting:,} messages wait"
    )


def _show_totals(totals: Totals) -> None:
    say(
        f"{totals.registrations:,} registrations, {totals.results:,} results ({totals.unmatched} without a candidate), "
        f"{totals.accounts:,} accounts, {totals.active:,} certifications, {totals.kits:,} kits, "
        f"{totals.mails_sent:,} mails, {sum(totals.rejected.values())} rejected messages"
    )
