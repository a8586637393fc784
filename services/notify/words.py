"""Later words about what mails are about, kept for as long as such a mail may still be under way."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from pymongo import ASCENDING, IndexModel, UpdateOne

from libs.common.clock import as_stored
from libs.common.mongo.client import Database, Session
from libs.common.privacy.holdings import Holding, by
from libs.common.privacy.retention import Period
from services.notify.domain.words import Word, is_untrue
from services.notify.letters import Letter

COLLECTION: Final = "words"
INDEXES: Final = [
    IndexModel([("candidate_id", ASCENDING)], name="candidate"),
    IndexModel([("at", ASCENDING)], name="at"),
]
PERIOD: Final = Period(COLLECTION, "at", timedelta(days=730), {})
"""As long as the mails themselves."""
HOLDING: Final = Holding(collection=COLLECTION, find=by("candidate_id"))

UNTRUE: Final = "untrue"
"""Why a mail is withheld that a later word has made untrue."""


class Words:
    """Remembers them, and withholds mails that they make untrue."""

    def __init__(self, database: Database) -> None:
        self._words = database[COLLECTION]

    async def take(self, session: Session, words: Iterable[Word], now: datetime) -> None:
        """Keep words, as a part of a transaction. They may come in any order and more than once."""
        writes = [
            UpdateOne(
                {"_id": word.about.key},
                {
                    "$max": {f"later.{word.says}": word.about.order},
                    "$set": {"candidate_id": word.candidate_id, "at": as_stored(now)},
                },
                upsert=True,
            )
            for word in words
        ]
        if writes:
            await self._words.bulk_write(writes, session=session)

    async def withheld(self, letters: Sequence[Letter]) -> Mapping[str, str]:
        """As a `Check`."""
        about = {letter.about.key for letter in letters if letter.about}
        if not about:
            return {}
        later = {row["_id"]: row["later"] async for row in self._words.find({"_id": {"$in": sorted(about)}})}
        return {
            letter.id: UNTRUE
            for letter in letters
            if letter.about and is_untrue(letter.template, letter.about, later.get(letter.about.key, {}))
        }
