"""The JSON-LD contexts that credentials may name: bundled, fixed by their hashes, never fetched.

What a context says decides what a signature covers, so one that changed under us would change what we have signed.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pyld.context_resolver import ContextResolver

from services.certs.signing.vocabulary import CLR, OB, OB_EXTENSIONS, VC, Json

_FOLDER: Final = Path(__file__).parent / "bundled"
_FILES: Final = {
    VC: ("credentials-v2.json", "59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734"),
    OB: ("ob-v3p0-3.0.3.json", "ef2fa9c7846dce233cc166b43639027278be4ee44f00bb1d45c75de2dd0cd761"),
    OB_EXTENSIONS: ("ob-v3p0-extensions.json", "146f85aa16effd7ca1da8056eb443f53ce1eca8a34186cb062832c0a97d889c3"),
    CLR: ("clr-v2p0-2.0.1.json", "880f1902d4158f2f33ce06af41b90719977cd1ea337a9de2e41edb3ff5e543d6"),
}


class Contexts:
    """The contexts that there are.

    Args:
        documents: by address.
    """

    def __init__(self, documents: Mapping[str, Json]) -> None:
        self._documents = documents
        # PyLD's own cache is one for all loaders of a process: what another calls by the same address would pass here.
        self._resolved: dict[str, Any] = {}
        self.processed: dict[Any, Any] = {}
        """What `canonical` keeps of contexts that were applied."""

    def __contains__(self, address: object) -> bool:
        return address in self._documents

    def load(self, address: str, _options: object) -> Json:
        """What PyLD asks for; see `pyld.documentloader.base`. Raises `KeyError` for every other address."""
        # By `static` PyLD keeps what it makes of a context beyond one operation.
        return {
            "contentType": "application/ld+json",
            "contextUrl": None,
            "documentUrl": address,
            "document": self._documents[address],
            "tag": "static",
        }

    def options(self) -> Json:
        """Options of an operation of PyLD that knows these contexts and no others."""
        return {"documentLoader": self.load, "contextResolver": ContextResolver(self._resolved, self.load)}


def bundled(addresses: Mapping[str, tuple[str, str]] = _FILES, folder: Path = _FOLDER) -> Contexts:
    """Contexts of files, with their sha256, by address. Raises `ValueError` where a file is not what it was."""
    documents: dict[str, Json] = {}
    for address, (name, digest) in addresses.items():
        content = (folder / name).read_bytes()
        if hashlib.sha256(content).hexdigest() != digest:
            raise ValueError(f"{name} is not the context that was bundled")
        documents[address] = json.loads(content)
    return Contexts(documents)


BUNDLED: Final = bundled()
