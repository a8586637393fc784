"""Who opens transcripts, as far as their owner is told: on which day, from which country, what kind of visitor."""

import asyncio
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date
from typing import Literal

import structlog

from libs.common.bus.connection import wait_or_stop
from libs.common.clock import Clock
from libs.common.http.senders import Network, from_proxy
from libs.common.mongo.faults import database_faults
from services.certs.transcripts.store import Transcript, TranscriptStore

Visitor = Literal["browser", "preview", "robot", "program"]

_PREVIEWS = re.compile(
    r"linkedinbot|facebookexternalhit|facebot|twitterbot|slackbot|slack-imgproxy|discordbot|telegrambot|whatsapp|"
    r"skypeuripreview|teams|pinterest|redditbot|mastodon|viber|line-poker|embedly|iframely|google-pagerenderer|"
    r"outlook|bitlybot|vkshare|snapchat|preview",
    re.IGNORECASE,
)
_ROBOTS = re.compile(
    r"bot\b|bot/|crawl|spider|slurp|scan|monitor|archiver|headless|lighthouse|validator", re.IGNORECASE
)
_BROWSERS = re.compile(r"^mozilla/|^opera/", re.IGNORECASE)
_COUNTRY = re.compile(r"[A-Z]{2}")
_NO_COUNTRY = frozenset({"XX", "T1"})

log = structlog.get_logger(__name__)


def visitor_of(headers: Mapping[str, str]) -> Visitor:
    """What opens a page, by what it says of itself: those who make previews and robots say so."""
    agent = headers.get("User-Agent", "")
    if _PREVIEWS.search(agent) or "prefetch" in headers.get("Sec-Purpose", headers.get("Purpose", "")).lower():
        return "preview"
    if _ROBOTS.search(agent):
        return "robot"
    return "browser" if _BROWSERS.match(agent) else "program"


class VisitLog:
    """Counts visits in memory and writes them down a moment later, many at once.

    A page does not wait for its line in the log, so that its time tells nothing and a crowd costs one write. A process
    that is killed loses the lines of its last moment; a count of visits is worth no more.
    """

    GATHERED_SECONDS = 0.5

    def __init__(
        self, store: TranscriptStore, proxies: Sequence[Network], country_header: str | None, clock: Clock
    ) -> None:
        self._store = store
        self._proxies = proxies
        self._country_header = country_header
        self._clock = clock
        self._counts: Counter[tuple[Transcript, date, str | None, str]] = Counter()
        self._writing: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    def note(self, transcript: Transcript, remote: str | None, headers: Mapping[str, str]) -> None:
        """Count a visit."""
        day = self._clock.now().astimezone(UTC).date()
        self._counts[transcript, day, self._country(remote, headers), visitor_of(headers)] += 1
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_soon())

    async def close(self) -> None:
        """Write down what is left, in one try: at the end nobody waits for a database that is away."""
        self._closing.set()
        if self._writing is not None:
            await self._writing

    async def _write_soon(self) -> None:
        try:
            while self._counts and not self._closing.is_set():
                await wait_or_stop(self._closing, self.GATHERED_SECONDS)
                await self.write()
        finally:
            self._writing = None

    async def write(self) -> None:
        """Write down what was counted; what the database does not take is tried again."""
        counts, self._counts = self._counts, Counter()
        if not counts:
            return
        written = False
        async with database_faults(log):
            await self._store.count_views(counts)
            written = True
        if not written:
            self._counts.update(counts)

    def _country(self, remote: str | None, headers: Mapping[str, str]) -> str | None:
        if self._country_header is None or not from_proxy(remote, self._proxies):
            return None
        country = headers.get(self._country_header, "").strip().upper()
        return country if _COUNTRY.fullmatch(country) and country not in _NO_COUNTRY else None
