"""The order in which a vendor's rows arrive, and changes to it."""

from collections.abc import Iterable
from datetime import datetime

from deploy.sample.rows import Row

BETWEEN = 0.5
"""Added to a position: behind the row that stands there and before the next."""
BESIDE = 0.001
"""As `BETWEEN`, and so close that nothing else comes between."""


class Timeline:
    """Rows by arrival. Positions are counted in the undisturbed order, where rows arrive by their time."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._base = sorted(rows, key=lambda row: row.time)
        self._places: dict[Row, float] = {row: float(index) for index, row in enumerate(self._base)}

    def __len__(self) -> int:
        return len(self._base)

    def position(self, row: Row) -> float:
        return self._places[row]

    def time_at(self, position: float) -> datetime:
        """When the row at a position was sent, so that a row placed there does not look out of place."""
        return self._base[min(int(position), len(self._base) - 1)].time

    def place(self, row: Row, position: float) -> None:
        """Put a new row at a position, or move a row there."""
        self._places[row] = position

    def drop(self, row: Row) -> None:
        """Take a row out: it never arrives."""
        del self._places[row]

    def rows(self) -> list[Row]:
        """All rows in order of arrival; of two at one position the one placed first."""
        return sorted(self._places, key=self._places.__getitem__)
