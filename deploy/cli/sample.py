"""The sample feed: made once with a fixed seed, played once, and remembered."""

from collections import Counter
from dataclasses import asdict
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
from pydantic import BaseModel, ConfigDict

from deploy.cli.access import Access
from deploy.cli.console import progress_bar
from deploy.cli.feed import open_file, publish
from deploy.cli.metrics import read_figures
from deploy.cli.raw_messages import play_messages, read_messages
from deploy.cli.totals import Totals
from deploy.sample.generate import generate
from libs.common.bus.messages import Outgoing

SEED = 7
VENDORS = ("vue", "psi")
"""In playing order."""

_MESSAGES = "invalid.jsonl"


class Played(BaseModel):
    """What is remembered of a play, beside the files."""

    model_config = ConfigDict(frozen=True)

    baseline: dict[str, Any]
    """The totals before the sample was first played: what is not the sample's."""
    as_of: date
    """The day it was first played, in UTC."""
    results: int | None = None
    """How many results the platform held when all had flowed through; None until then."""

    @property
    def before(self) -> Totals:
        return Totals(**self.baseline)


class Sample:
    """The sample feed in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._record = folder / "played.json"

    def make(self) -> bool:
        """Write the files if they are not there. Returns whether they had to be written."""
        if (self.folder / "summary.json").exists():  # written last
            return False
        generate(SEED, self.folder)
        return True

    @property
    def played(self) -> Played | None:
        """The last play; None where there was none on this data."""
        if not self._record.exists():
            return None
        return Played.model_validate_json(self._record.read_bytes())

    def begin(self, totals: Totals) -> Played:
        """Note that a play begins. The first one's baseline stays: repeating changes nothing."""
        earlier = self.played
        played = Played(
            baseline=earlier.baseline if earlier else asdict(totals),
            as_of=earlier.as_of if earlier else datetime.now(UTC).date(),
        )
        return self._keep(played)

    def finish(self, played: Played, totals: Totals) -> Played:
        return self._keep(played.model_copy(update={"results": totals.results}))

    def _keep(self, played: Played) -> Played:
        self._record.write_text(played.model_dump_json(indent=1))
        return played

    async def publish(self, access: Access) -> int:
        """Publish both vendors' files; returns how many rows."""
        total = 0
        for vendor in VENDORS:
            file = open_file(self.folder / f"{vendor}.jsonl", vendor, None, None)
            messages: list[Outgoing] = [row.message for row in file.rows() if row.message is not None]
            total += await publish(access.vendor_amqp(vendor), iter(messages), file.path.name, len(messages), None)
        return total

    async def publish_messages(self, access: Access) -> tuple[int, Counter[str]]:
        """Play the hand-made messages; how many, and how many the broker refused, by its reply."""
        messages = read_messages(self.folder / _MESSAGES)
        with progress_bar("messages") as bar:
            task = bar.add_task(f"publishing {_MESSAGES}", total=len(messages), detail="")
            refused = await play_messages(messages, access.vendor_amqp, partial(bar.advance, task))
        return len(messages), refused


async def read_verdicts(access: Access) -> Counter[str]:
    """How many result reports exams has found to be what, since its process began."""
    async with aiohttp.ClientSession() as session:
        figures = await read_figures(session, access.local, "exams")
    found = figures.by("certrail_results_reported_total", "verdict") if figures else {}
    return Counter({verdict: int(count) for verdict, count in found.items()})
