"""What a fault is, and all that there are."""

from abc import ABC, abstractmethod
from random import Random
from typing import ClassVar

from tests.chaos.suite.house import House
from tests.chaos.suite.schedule import Lasts


class Fault(ABC):
    """Something that goes wrong for a while.

    Attributes:
        name: what `--only` and the log call it.
        lasts: seconds from its beginning to its end.
    """

    name: ClassVar[str]
    lasts: ClassVar[Lasts]

    def __init__(self, house: House, rng: Random) -> None:
        self.house = house
        self.rng = rng

    @abstractmethod
    async def begin(self) -> str:
        """Let it go wrong. Returns whom it hits, for the log."""

    @abstractmethod
    async def end(self) -> None:
        """Put it right; returns when what was broken works again."""

    def one_process(self) -> str:
        """The name of some process of a service."""
        return self.rng.choice(sorted(self.house.stage.services()))
