"""Plays the sample feed through a composed platform and gives an account of it: `python -m deploy.images.play_sample`.

Playing it again changes nothing, and says so by the same account. The exit status is 1 where the platform's numbers
are not those counted from the files.
"""

import argparse
import asyncio
from dataclasses import dataclass
from time import monotonic

from deploy.cli.access import Access
from deploy.cli.account import Line, Observed, account, in_any_order, show
from deploy.cli.client import operator_client
from deploy.cli.console import note, run
from deploy.cli.flow import Reading, until_settled
from deploy.cli.sample import Sample
from deploy.cli.totals import read_totals

NOTE_SECONDS = 5.0


@dataclass
class Watch:
    """Says every few seconds how far things are."""

    began: float
    noted: float = 0.0

    def __call__(self, reading: Reading) -> None:
        seconds = monotonic() - self.began
        if seconds - self.noted >= NOTE_SECONDS:
            self.noted = seconds
            totals = reading.totals
            note(f"{seconds:6.1f} s  {totals.results:,} results, {totals.mails_sent:,} mails, {reading.waiting:,} wait")


async def play(access: Access) -> list[Line]:
    """Make the feed where it is not there yet, publish it, wait for its end, and count both ways."""
    feed = Sample(access.local.state_dir / "sample")
    await asyncio.to_thread(feed.make)
    async with operator_client(access) as client:
        before = await read_totals(client, reasons=True)
    played = feed.begin(before)
    watch = Watch(monotonic())
    rows = await feed.publish(access)
    messages, refused = await feed.publish_messages(access)
    note(f"{monotonic() - watch.began:6.1f} s  published {rows:,} rows and {messages} hand-made messages")
    after = await until_settled(access, watch)
    note(f"{monotonic() - watch.began:6.1f} s  all of it has flowed through")
    played = feed.finish(played, after)
    observed = Observed(after.since(played.before), refused.total(), verdicts=None)
    return await asyncio.to_thread(account, feed.folder, played.as_of, observed)


def main() -> None:
    parser = argparse.ArgumentParser(prog="deploy.images.play_sample")
    parser.add_argument(
        "--any-order",
        action="store_true",
        help="leave out what depends on the order in which results reach certs; several workers mix it up",
    )
    any_order: bool = parser.parse_args().any_order
    lines = run(play(Access.load()))
    if not show(in_any_order(lines) if any_order else lines):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
