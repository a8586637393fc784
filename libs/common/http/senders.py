"""Where a request comes from, as far as it can be believed."""

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

TRUSTED_PROXIES: Final = "127.0.0.0/8 ::1/128 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fc00::/7"
"""Networks that are nobody's on the internet: where the gateway is, unless a setting says so."""

_OF_ONE_NETWORK = 64
"""Bits of an IPv6 address that a household or an office shares; the rest its machines choose at will."""

Network = IPv4Network | IPv6Network


def read_networks(text: str) -> tuple[Network, ...]:
    """Networks in CIDR notation, parted by spaces or commas. Raises `ValueError` for anything else."""
    return tuple(ip_network(part) for part in text.replace(",", " ").split())


def networks_text(text: str) -> str:
    """Networks as a setting has them, once they have been read. Raises `ValueError`."""
    read_networks(text)
    return text


def sender(remote: str | None, headers: Mapping[str, str], proxies: Sequence[Network]) -> str:
    """The address that a request comes from, as far as it can be believed.

    `X-Forwarded-For` is believed only from a proxy of ours, and of it only the last address, which the proxy itself has
    written; what stands before it is the sender's word.
    """
    forwarded = headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    trusted = from_proxy(remote, proxies)
    try:
        address = ip_address(forwarded if trusted and forwarded else remote or "")
    except ValueError:
        return "unknown"
    if isinstance(address, IPv6Address):
        return str(ip_network((address, _OF_ONE_NETWORK), strict=False))
    return str(address)


def from_proxy(remote: str | None, proxies: Sequence[Network]) -> bool:
    """Whether a proxy of ours is connected to us, so that headers of its making can be believed."""
    try:
        return any(ip_address(remote or "") in network for network in proxies)
    except ValueError:
        return False
