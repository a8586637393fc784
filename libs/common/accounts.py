"""Accounts that were merged into others."""

from collections.abc import Mapping


def survivor(account: str, into: Mapping[str, str]) -> str:
    """The account that stands for one: itself, or where its merges end. `into` has no circles."""
    while account in into:
        account = into[account]
    return account
