"""What is left of a code whose holder or user is erased."""

from libs.common.mongo.client import Document
from libs.common.privacy.pseudonyms import Names
from services.exams.vouchers.states import State


def nobodys_code(row: Document, names: Names) -> Document:
    """A code under pseudonyms. One that was not used is withdrawn: whoever held it may have kept a copy."""
    after = row | {"candidate_id": names.get(row["candidate_id"], row["candidate_id"])}
    after["history"] = [line | {"candidate_id": _renamed(line, names)} for line in row["history"]]
    if row["used"] is not None:
        after["used"] = row["used"] | {"candidate_id": _renamed(row["used"], names)}
    if row["state"] == State.ASSIGNED and row["candidate_id"] in names:
        after["state"] = State.WITHDRAWN
    return after


def _renamed(named: Document, names: Names) -> str | None:
    was: str | None = named["candidate_id"]
    return was if was is None else names.get(was, was)
