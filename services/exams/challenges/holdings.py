"""What challenges and rulings hold about people: of somebody erased the outcome stays, and no words."""

from libs.common.casework.progress import Stage
from libs.common.http.evidence import file_name
from libs.common.mongo.client import Document
from libs.common.privacy.holdings import Holding, Person, by
from libs.common.privacy.pseudonyms import Names
from services.exams.challenges.store import FILES
from services.exams.challenges.views import candidates_steps


def told_challenge(row: Document, _person: Person) -> Document:
    """A challenge as its candidate sees it: without what only some of the staff think."""
    return row | {"history": candidates_steps(row)}


def kept_challenge(row: Document, names: Names) -> Document:
    """A challenge without words and files; one that is not decided is withdrawn."""
    # Whoever has several accounts may have acted as any of them.
    told = {f"candidate:{one}": f"candidate:{name}" for one, name in names.items()}
    history = [one | {"note": None, "by": told.get(one["by"], one["by"])} for one in row["history"]]
    ended = {} if row["closed"] else {"state": Stage.WITHDRAWN.value, "closed": True, "first": None, "assignee": None}
    empty: Document = {"messages": [], "evidence": [], "reason": None, "history": history}
    return row | empty | ended | {"candidate_id": names[row["candidate_id"]]}


def kept_ruling(row: Document, names: Names) -> Document:
    """A ruling without its reasons; an opinion that waits for a second is void."""
    history = [one | {"note": None} for one in row["history"]]
    ended = {} if row["closed"] else {"state": Stage.OPEN.value, "closed": True, "first": None}
    return row | ended | {"candidate_id": names[row["candidate_id"]], "reason": None, "history": history}


HOLDINGS = (
    Holding(
        collection="challenges",
        find=by("candidate_id"),
        kind="challenges",
        withheld=frozenset({"first", "four_eyes", "assignee", "version", "overtaken"}),
        say=told_challenge,
        keep=kept_challenge,
    ),
    Holding(
        collection=FILES,
        find=by("candidate_id"),
        kind="challenge_evidence",
        content="content",
        filename=lambda row: file_name(row["media_type"], row["_id"][:8]),
    ),
    Holding(
        collection="rulings",
        find=by("candidate_id"),
        kind="rulings",
        withheld=frozenset({"first", "four_eyes", "by", "history", "overtaken"}),
        keep=kept_ruling,
    ),
)
