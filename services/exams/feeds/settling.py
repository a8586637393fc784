"""When a file that somebody writes is whole: once it has not changed for a while, over two looks at least."""

from collections.abc import Hashable, Mapping
from datetime import datetime, timedelta


class Settling:
    """Remembers how files looked. What a process has seen is its own: after a change of process two looks more."""

    def __init__(self, settle: timedelta) -> None:
        self._settle = settle
        self._seen: dict[str, tuple[Hashable, datetime]] = {}

    def look(self, files: Mapping[str, Hashable], now: datetime) -> list[str]:
        """The names of files that have stood still, in order.

        Args:
            files: all that are there, each with what changes while it is written: its size and time.
            now: the moment of this look.
        """
        before = self._seen
        self._seen = {}
        settled: list[str] = []
        for name, looks in sorted(files.items()):
            earlier = before.get(name)
            since = earlier[1] if earlier is not None and earlier[0] == looks else now
            self._seen[name] = (looks, since)
            if earlier is not None and earlier[0] == looks and now - since >= self._settle:
                settled.append(name)
        return settled

    @property
    def waiting(self) -> bool:
        """Whether there is anything to look at again soon."""
        return bool(self._seen)

    def forget(self, name: str) -> None:
        """It has been read: another one of the name is a new file."""
        self._seen.pop(name, None)
