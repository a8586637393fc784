"""Where a request comes from, as far as that can be believed."""

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Annotated

from pydantic import AfterValidator

OUR_NETWORKS = "127.0.0.0/8 ::1/128 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fc00::/7"
"""Where the gateway is to be found unless a setting says otherwise."""

_OF_ONE_NETWORK = 64
"""Bits of an IPv6 address that a household or an office shares; the rest its machines choose at will."""

Network = IPv4Network | IPv6Network


def read_networks(text: str) -> tuple[Network, ...]:
    """Networks in CIDR notation, parted by spaces or commas. Raises `ValueError` for anything else."""
    return tuple(ip_network(part) for part in text.replace(",", " ").split())


def _checked(text: str) -> str:
    read_networks(text)
    return text


Networks = Annotated[str, AfterValidator(_checked)]
"""A setting that `read_networks` can read."""


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
