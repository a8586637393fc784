"""How long an account rests after wrong passwords: nothing at first, then twice as long each time."""

from datetime import timedelta

FREE_TRIES = 5
LONGEST = timedelta(hours=1)


def rest_after(failures: int) -> timedelta:
    """The time for which no password is looked at after that many wrong ones in a row."""
    if failures < FREE_TRIES:
        return timedelta(0)
    return min(timedelta(minutes=2 ** min(failures - FREE_TRIES, 10)), LONGEST)
