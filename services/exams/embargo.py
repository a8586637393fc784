"""What anyone may see of a result: all of it, or, while it is on hold, nothing but that it is not final."""

from typing import Any

from libs.common.mongo.client import Document
from services.exams.domain.results import Grade, State, Status, in_order, outcomes
from services.exams.results import word_of

_HIDDEN: dict[str, Any] = {
    "state": State.PROVISIONAL,
    "status": Status.PROVISIONAL,
    "grade": Grade.PENDING,
    "score": None,
    "passing_score": None,
    "sections": [],
    "score_report_url": None,
    "receipt_url": None,
}
_OPEN = ("revision", "said_at", "effective_at", "known_at")
"""What is seen of a word whose content is not."""


def shown(row: Document) -> Document:
    """The result as a reader sees it, with every word that led there in the order in which they count."""
    words = [word_of(kept) for kept in row["revisions"]]
    ordered = in_order(words)
    held = row["status"] == Status.ON_HOLD
    kept_of = {id(word): kept for word, kept in zip(words, row["revisions"], strict=True)}
    revisions = []
    for word, outcome in zip(ordered, outcomes(ordered), strict=True):
        if outcome is None:
            continue
        kept = kept_of[id(word)]
        if held or outcome.status is Status.ON_HOLD:
            pending = {"state": State.PROVISIONAL, "grade": Grade.PENDING, "score": None}
            revisions.append({**{name: kept[name] for name in _OPEN}, **pending})
        else:
            revisions.append({**kept, "state": outcome.state, "grade": outcome.grade, "score": outcome.score})
    view = row | {"revisions": revisions, "result_id": row["result_id"] or row["registration_id"]}
    return view | _HIDDEN if held else view
