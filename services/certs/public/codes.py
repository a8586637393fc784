"""Verification codes: what is printed on a certificate or a transcript, and typed in by whoever checks it."""

import re
import secrets
from collections.abc import Mapping
from typing import Literal

from libs.common.mongo.client import Database, Document, Session
from libs.common.mongo.migrations import Migration, declare

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""No sign that can be taken for another: neither 0 and O nor 1, I, L and U."""

LENGTH = 12
"""Signs of a code: 58 random bits, so that guessing finds none."""

_GROUP = 4
_SEPARATORS = re.compile(r"[\s\-\u2010-\u2015._]+")

Kind = Literal["credential", "certificate", "transcript"]

COLLECTION = "verification_codes"
MIGRATION = Migration(8, "verification codes", declare({COLLECTION: []}))


def new_code() -> str:
    """A code as it is stored, without separators."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def printed(code: str) -> str:
    """A code as people read it: `7K2M-9QXT-4HPW`."""
    return "-".join(code[at : at + _GROUP] for at in range(0, len(code), _GROUP))


def read_code(text: str) -> str | None:
    """The code that somebody typed, with any separators and in any case; None where it cannot be one."""
    code = _SEPARATORS.sub("", text).upper()
    return code if len(code) == LENGTH and set(code) <= set(ALPHABET) else None


class Codes:
    """What each code stands for. Methods with a session are part of its transaction."""

    def __init__(self, database: Database) -> None:
        self._codes = database[COLLECTION]

    async def add(self, session: Session, code: str, *, program: str, kind: Kind, subject: str) -> None:
        """Let a code stand for something for good: `subject` is its id."""
        row = {"_id": code, "program": program, "kind": kind, "subject": subject}
        await self._codes.insert_one(row, session=session)

    async def add_all(self, session: Session, subjects: Mapping[str, str], *, program: str, kind: Kind) -> None:
        """As `add`, for several codes with the ids that they stand for; at least one."""
        rows = [{"_id": code, "program": program, "kind": kind, "subject": one} for code, one in subjects.items()]
        await self._codes.insert_many(rows, ordered=False, session=session)

    async def find(self, code: str) -> Document | None:
        """`program`, `kind` and `subject` of a code."""
        row: Document | None = await self._codes.find_one({"_id": code})
        return row
