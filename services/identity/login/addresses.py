"""How often one address of the internet may try to get in: who guesses at many accounts gives no account away."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from pymongo import ASCENDING, IndexModel

from libs.common.clock import Clock
from libs.common.http.problems import Problem
from libs.common.http.senders import Network, sender
from libs.common.mongo.client import Database
from services.identity.login.problems import TOO_MANY_TRIES

TRIES = 100
WITHIN = timedelta(minutes=10)
"""So many tries that do not succeed, in each stretch of this length, may come from one address."""

COLLECTIONS = {
    "address_tries": [IndexModel([("expires_at", ASCENDING)], name="expiry", expireAfterSeconds=0)],
}


class AddressLimit:
    """Counts tries by address, in one place for all replicas."""

    def __init__(self, database: Database, proxies: Sequence[Network], clock: Clock) -> None:
        self._rows = database["address_tries"]
        self._proxies = proxies
        self._clock = clock

    async def count(self, remote: str | None, headers: Mapping[str, str]) -> str:
        """Count a try, and return what `give_back` takes. Raises the problem `too-many-tries` past the limit."""
        begun, now = self._window(), self._clock.now()
        key = f"{sender(remote, headers, self._proxies)} {begun:%Y-%m-%dT%H:%M}"
        ends = begun + WITHIN
        row = await self._rows.find_one_and_update(
            {"_id": key},
            {"$inc": {"tries": 1}, "$setOnInsert": {"expires_at": ends}},
            upsert=True,
            return_document=True,
        )
        if row["tries"] > TRIES:
            wait = max(1, round((ends - now).total_seconds()))
            raise Problem(TOO_MANY_TRIES, headers={"Retry-After": str(wait)})
        return key

    async def give_back(self, key: str) -> None:
        """A try that succeeded counts for nothing: many people may come from one address."""
        await self._rows.update_one({"_id": key}, {"$inc": {"tries": -1}})

    def _window(self) -> datetime:
        now = self._clock.now()
        return now - timedelta(seconds=now.timestamp() % WITHIN.total_seconds())
