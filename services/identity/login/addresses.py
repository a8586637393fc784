"""How often one address of the internet may try to get in: who guesses at many accounts gives no account away."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from pymongo import ASCENDING, IndexModel

from libs.common.clock import Clock
from libs.common.http.problems import Problem
from libs.common.mongo.client import Database
from services.identity.login.problems import TOO_MANY_TRIES

TRIES = 100
WITHIN = timedelta(minutes=10)
"""So many tries that do not succeed, in each stretch of this length, may come from one address."""

_OF_ONE_NETWORK = 64
"""Bits of an IPv6 address that a household or an office shares; the rest its machines choose at will."""

COLLECTIONS = {
    "address_tries": [IndexModel([("expires_at", ASCENDING)], name="expiry", expireAfterSeconds=0)],
}

Network = IPv4Network | IPv6Network


def read_networks(text: str) -> tuple[Network, ...]:
    """Networks in CIDR notation, parted by spaces or commas. Raises `ValueError` for anything else."""
    return tuple(ip_network(part) for part in text.replace(",", " ").split())


def sender(remote: str | None, headers: Mapping[str, str], proxies: Sequence[Network]) -> str:
    """The address that a request comes from, as far as it can be believed.

    `X-Forwarded-For` is believed only from a proxy of ours, and of it only the last address, which the proxy itself has
    written; what stands before it is the sender's word.
    """
    forwarded = headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    trusted = remote is not None and any(ip_address(remote) in network for network in proxies)
    try:
        address = ip_address(forwarded if trusted and forwarded else remote or "")
    except ValueError:
        return "unknown"
    if isinstance(address, IPv6Address):
        return str(ip_network((address, _OF_ONE_NETWORK), strict=False))
    return str(address)


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
