"""A person as a program's provider knows them: an id among partners' ids."""

import hashlib
import re
from dataclasses import dataclass

from libs.common.mongo.links import link_id

_HASHED = "sha256:"
_PLAIN = re.compile(r"[A-Za-z0-9._:/@+=-]{1,100}")
"""What an id of a partner's may be; a provider's may be more."""


@dataclass(frozen=True, slots=True)
class FederatedId:
    """Unique within program and system."""

    program: str
    system: str
    external_id: str

    @property
    def key(self) -> str:
        return link_id(self.program, self.system, self.external_id)


def external_id_of(subject: str) -> str:
    """A provider's `sub` as an id of a partner's: itself where it can be one, else a hash. Never the same for two."""
    if _PLAIN.fullmatch(subject) and not subject.startswith(_HASHED):
        return subject
    return _HASHED + hashlib.sha256(subject.encode()).hexdigest()
