"""What stands for a candidate who was erased: a random name of its own form, known at a glance."""

from collections.abc import Mapping

from libs.common.ids import new_id

_PREFIX = "erased-"

Names = Mapping[str, str]
"""Candidates' IDs with the pseudonyms that stand for them."""


def new_pseudonym() -> str:
    """A name that says nothing of whom it stands for."""
    return f"{_PREFIX}{new_id()}"


def is_pseudonym(candidate_id: str) -> bool:
    """Whether an id stands for somebody erased: nobody to write to, and nobody to offer anything."""
    return candidate_id.startswith(_PREFIX)
