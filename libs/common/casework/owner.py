"""Who of staff is on something that waits, and since when, so that no two work on it unknowingly.

Nobody is kept from anything by it: whoever is not on it may take it over, or decide it.
"""

from datetime import datetime

from libs.common.mongo.client import Document


def give(item: Document, to: str | None, now: datetime) -> bool:
    """Give it to somebody, by the subject of their tokens, or to nobody; returns whether it was not theirs before."""
    if item.get("assignee") == to:
        return False
    item |= {"assignee": to, "assignee_since": None if to is None else now}
    return True


def query(assignee: str | None, *, unassigned: bool) -> Document:
    """What is somebody's, or nobody's; all of it where neither is asked for."""
    if unassigned:
        return {"assignee": None}
    return {} if assignee is None else {"assignee": assignee}
