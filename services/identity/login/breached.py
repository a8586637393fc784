"""Passwords that have leaked: a small list that ships, and a longer one of the operator's."""

import hashlib
import re
from importlib.resources import files
from pathlib import Path

from services.identity.domain.password_rules import forms

_SHA1 = re.compile(r"([0-9A-Fa-f]{40})(:\d+)?")
"""A line of the lists that Have I Been Pwned offers: the hash, and how often it was seen."""


class Breached:
    """Tells whether a password has leaked.

    Args:
        file: one password or its SHA-1 a line, UTF-8; kept in memory, about 100 bytes a line.
    """

    def __init__(self, file: Path | None = None) -> None:
        shipped = (files("services.identity") / "login" / "breached.txt").read_text(encoding="utf-8")
        self._digests = frozenset(map(_digest, _lines(shipped)))
        if file is not None:
            self._digests |= frozenset(map(_of_line, _lines(file.read_text(encoding="utf-8"))))

    def __contains__(self, password: str) -> bool:
        return any(_digest(form) in self._digests for form in forms(password))


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not line.startswith("# ")]


def _of_line(line: str) -> bytes:
    found = _SHA1.fullmatch(line)
    return bytes.fromhex(found[1]) if found else _digest(line)


def _digest(text: str) -> bytes:
    # Only the name under which a list is searched: what is kept of anybody's password is argon2.
    return hashlib.sha1(text.encode(), usedforsecurity=False).digest()
