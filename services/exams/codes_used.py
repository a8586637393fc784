"""Codes that exams were paid with, as registrations and results name them."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from libs.common.mongo.unit_of_work import Transaction


class Use(NamedTuple):
    """A vendor names the code that a registration was paid with."""

    program: str
    vendor: str
    code: str
    registration_id: str
    said_at: datetime


class CodesUsed(Protocol):
    """Whoever wants to know of codes that were used."""

    async def record(self, transaction: Transaction, uses: Sequence[Use]) -> None:
        """Take note of uses, as a part of the transaction that takes in what names them."""
        ...
