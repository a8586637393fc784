"""Where hooks may lead: to servers that everybody can reach, and not to machines behind our own doors.

Whoever may register an address could otherwise have us knock at databases and metadata services from inside. A name may
lead elsewhere tomorrow, so an address is looked at when it is registered, and again whenever a connection is made, at
the socket itself. No redirect is followed.
"""

import asyncio
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, ClassVar

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from libs.common.http.senders import Network

_GLOBAL_UNICAST = ip_network("2000::/3")
"""What is given out of IPv6; forms that carry an IPv4 address, or lead to one, lie outside or below."""
_NOBODYS = tuple(
    ip_network(text)
    for text in ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "2002::/16", "3fff::/20")  # protocols, relays, 6to4
)
_LOOKUPS = 8


class NotPublicError(OSError):
    """An address that hooks may not lead to."""


class BadTargetError(ValueError):
    """An address that no hook can have; the text says why."""


class Targets:
    """Decides on addresses, and connects to those that may be.

    Args:
        private: networks that are let through although they are nobody's on the internet.
    """

    LOOKUP_SECONDS: ClassVar = 5.0

    def __init__(self, private: Sequence[Network] = ()) -> None:
        self._private = private
        self._resolver = _Resolver(self)

    def allows(self, address: str) -> bool:
        """Whether an IP address may be connected to."""
        try:
            found = ip_address(address.partition("%")[0])
        except ValueError:
            return False
        return is_public(found) or any(found in network for network in self._private)

    async def check(self, text: str) -> None:
        """Look at the address of a hook, and at where its name leads now. Raises `BadTargetError`."""
        try:
            url = URL(text)
            host, port = url.host, url.port
        except ValueError as error:
            raise BadTargetError("is not an address") from error
        if not host or port is None or url.scheme not in {"https", "http"}:
            raise BadTargetError("must be an https address")
        if url.user is not None or url.password is not None or url.fragment:
            raise BadTargetError("must have no user and no fragment")
        # Without TLS only to where somebody has said so, machine by machine.
        if url.scheme == "http" and (not _is_address(host) or not self.allows(host) or is_public(ip_address(host))):
            raise BadTargetError("must be an https address")
        try:
            async with asyncio.timeout(self.LOOKUP_SECONDS):
                found = [host] if _is_address(host) else await self._resolver.look_up(host, port)
        except (OSError, TimeoutError, UnicodeError) as error:
            raise BadTargetError("leads nowhere: its name cannot be looked up") from error
        if not all(map(self.allows, found)):
            raise BadTargetError("leads to a private address")

    def session(self, connections: int) -> aiohttp.ClientSession:
        """A client that reaches what is allowed and nothing else; needs a running loop."""
        connector = aiohttp.TCPConnector(
            limit=connections, use_dns_cache=False, resolver=self._resolver, socket_factory=self._socket
        )
        return aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False, trust_env=False
        )

    def _socket(self, found: Any) -> socket.socket:
        """A socket for exactly the address that it is about to be connected to."""
        family, kind, protocol, _, place = found
        if not self.allows(str(place[0])):
            raise NotPublicError("a private address")
        return socket.socket(family=family, type=kind, proto=protocol)


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is somebody's on the internet."""
    if address.version == 6 and address not in _GLOBAL_UNICAST:  # noqa: PLR2004 IPv6
        return False
    nobodys = any(address in network for network in _NOBODYS if network.version == address.version)
    return address.is_global and not address.is_multicast and not nobodys


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


class _Resolver(AbstractResolver):
    """Looks names up in threads of its own: a slow name server holds up nobody but hooks."""

    def __init__(self, targets: Targets) -> None:
        self._targets = targets
        self._threads = ThreadPoolExecutor(_LOOKUPS, thread_name_prefix="hook-names")

    async def look_up(self, host: str, port: int) -> list[str]:
        return [one["host"] for one in await self._found(host, port, socket.AF_UNSPEC)]

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._found(host, port, family)
        allowed = [one for one in found if self._targets.allows(one["host"])]
        if found and not allowed:
            raise NotPublicError("leads to private addresses only")
        return allowed

    async def _found(self, host: str, port: int, family: int) -> list[ResolveResult]:
        loop = asyncio.get_running_loop()
        infos = await loop.run_in_executor(
            self._threads, lambda: socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)
        )
        return [
            ResolveResult(hostname=host, host=str(place[0]), port=port, family=kind, proto=protocol, flags=0)
            for kind, _, protocol, _, place in infos
        ]

    async def close(self) -> None:
        """Its threads go with the process: a session is not the only one that asks."""
