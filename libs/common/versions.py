"""Versions of what events are about: the higher one is the later one, whichever arrives first."""

from datetime import datetime


def next_version(known: int | None, now: datetime) -> int:
    """A version above `known`, and normally the present moment in microseconds.

    The moment keeps versions growing across everything that is said of one candidate without a counter that every
    transaction would have to read and write; `known`, kept in the document that the event is about, keeps them
    growing there whatever the clocks of several replicas say (a hybrid logical clock).
    """
    moment = int(now.timestamp() * 1_000_000)
    return moment if known is None else max(moment, known + 1)
