"""TLS towards database and broker: whose word is taken for who they are, and who we are to them.

Their addresses say whether TLS is spoken (`amqps://`, `tls=true`); the certificate is then always checked, and the name
in it. Where the authority is not one that every system knows, its certificate comes in a file.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from pydantic import AfterValidator, SecretStr

_UNCHECKED = frozenset({"no_verify_ssl", "tlsinsecure", "tlsallowinvalidcertificates", "tlsallowinvalidhostnames"})
"""What drivers would take in an address to let anybody pass for the server."""

_YES = frozenset({"true", "1"})


def _checked(address: SecretStr) -> SecretStr:
    for name, _ in parse_qsl(urlsplit(address.get_secret_value()).query, keep_blank_values=True):
        if name.lower() in _UNCHECKED:
            raise ValueError(f"says {name}, but a server's certificate is always checked: name its authority instead")
    return address


ServerAddress = Annotated[SecretStr, AfterValidator(_checked)]
"""A server's address with an account; refused where it would take anybody for the server."""


def broker_address(address: str, ca_file: Path | None, client_file: Path | None) -> str:
    """An `amqps:` address with the files as the driver looks for them in it; any other stays as it is."""
    parts = urlsplit(address)
    if parts.scheme != "amqps":
        return address
    return _with(address, {"cafile": ca_file, "certfile": client_file, "keyfile": client_file})


def database_address(address: str, ca_file: Path | None, client_file: Path | None) -> str:
    """A MongoDB address that asks for TLS, with the files; any other stays as it is."""
    parts = urlsplit(address)
    asked = {name.lower(): value.lower() for name, value in parse_qsl(parts.query)}
    if parts.scheme != "mongodb+srv" and not {asked.get("tls"), asked.get("ssl")} & _YES:
        return address
    return _with(address, {"tlsCAFile": ca_file, "tlsCertificateKeyFile": client_file})


def _with(address: str, files: Mapping[str, Path | None]) -> str:
    parts = urlsplit(address)
    said = parse_qsl(parts.query, keep_blank_values=True)
    named = {name.lower() for name, _ in said}
    more = [(name, str(file)) for name, file in files.items() if file is not None and name.lower() not in named]
    return urlunsplit(parts._replace(query=urlencode([*said, *more])))
