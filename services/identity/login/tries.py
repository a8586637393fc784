"""Tries on an account: every one counts as wrong until it has proved right."""

from collections.abc import Awaitable
from datetime import datetime
from typing import Protocol

from libs.common.mongo.client import Document
from services.identity.domain.lockout import rest_after
from services.identity.passwords import Passwords


class Counted(Protocol):
    """The accounts of a store, with `failures` and `locked_until`."""

    def count_try(self, known: Document, *, locked_until: datetime | None) -> Awaitable[bool]:
        """Count a try on the account as it is known. Returns False where it has changed since it was read."""
        ...

    def account(self, account_id: str) -> Awaitable[Document | None]: ...

    def rehash(self, account_id: str, *, old: str, new: str) -> Awaitable[None]:
        """Write the hash of the same password anew, unless the password has changed meanwhile."""
        ...


async def admitted(store: Counted, account: Document, now: datetime) -> bool:
    """Count a try and say whether its password may be looked at.

    Otherwise many tries at the same moment would all be looked at before the first of them was counted.
    """
    known: Document | None = account
    while known is not None and not (known["locked_until"] and known["locked_until"] > now):
        rest = rest_after(known["failures"] + 1)
        if await store.count_try(known, locked_until=now + rest if rest else None):
            return True
        known = await store.account(account["_id"])
    return False


async def knows_password(store: Counted, passwords: Passwords, account: Document, password: str, now: datetime) -> bool:
    """Count a try, and say whether the password is right; the try stays counted until it is forgotten."""
    if not await admitted(store, account, now):
        await passwords.matches(None, password)
        return False
    stored = account["password"]
    if not await passwords.matches(stored, password):
        return False
    if passwords.is_outdated(stored):
        await store.rehash(account["_id"], old=stored, new=await passwords.hash(password))
    return True
