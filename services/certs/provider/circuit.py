"""How long nothing is sent to a provider that does not answer as it should. Pure."""

from datetime import timedelta

OPENS_AT = 3
"""Failures in a row."""
_FIRST = timedelta(seconds=10)
_LONGEST = timedelta(minutes=10)
_LONGEST_ASKED = timedelta(days=1)

LEASE = timedelta(seconds=60)
"""How long a step is one process's. It is longer than any request may take, and nothing is asked about it before: by
then the provider has acted on the request or never will."""
_LONGEST_REST = timedelta(hours=1)


def pause(failures: int, asked: float | None, *, shut_out: bool = False) -> timedelta:
    """How long nobody asks, after so many failures in a row.

    Args:
        failures: the present one included.
        asked: seconds that the provider asks for.
        shut_out: whether it lets us in no more, which only people mend.
    """
    wanted = min(timedelta(seconds=min(asked or 0.0, 1e9)), _LONGEST_ASKED)
    if shut_out:
        return max(wanted, _LONGEST)
    if failures < OPENS_AT:
        return wanted
    return max(wanted, min(_FIRST * (1 << min(failures - OPENS_AT, 20)), _LONGEST))


def rest(tries: int) -> timedelta:
    """How long a single badge waits after so many requests without an answer."""
    return min(LEASE * (1 << min(max(tries - 1, 0), 20)), _LONGEST_REST)
