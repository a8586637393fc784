"""E-mail addresses as mail servers take them."""

from dataclasses import dataclass

import idna


@dataclass(frozen=True, slots=True)
class WireAddress:
    """An address for the envelope and the headers."""

    text: str
    needs_utf8: bool
    """Whether only a server with SMTPUTF8 (RFC 6531) can take it."""


def wire_address(address: str) -> WireAddress:
    """The address with its domain in letters that every server knows (RFC 5891).

    Raises:
        ValueError: it can belong to no mailbox.
    """
    if address.isascii():
        return WireAddress(address, needs_utf8=False)
    local, _, domain = address.rpartition("@")
    try:
        ascii_domain = idna.encode(domain, uts46=True).decode()
    except idna.IDNAError as error:
        raise ValueError(f"the domain is none: {error.__class__.__name__}") from error
    return WireAddress(f"{local}@{ascii_domain}", needs_utf8=not local.isascii())
