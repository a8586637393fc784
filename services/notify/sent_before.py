"""Mails that went before the database was restored to an earlier moment: settled as they were, and sent no more."""

from collections.abc import Sequence

from libs.common.mongo.client import Document, Session
from libs.common.mongo.said_before import SaidBefore
from services.notify.domain.mails import SENT_TO, TOKEN
from services.notify.store import State


class SentBefore:
    """Settles mails before they are stored."""

    def __init__(self, said_before: SaidBefore) -> None:
        self._said_before = said_before

    async def settle(self, session: Session, rows: Sequence[Document]) -> None:
        """Bring those of the new mails that went before into the state that they had, as a part of a transaction."""
        before = await self._said_before.mails(session, [row["_id"] for row in rows])
        for row in rows:
            if row["_id"] in before:
                for name in ("due_at", "claimed_by"):
                    row.pop(name, None)
                row["context"] = {name: said for name, said in row["context"].items() if name not in {TOKEN, SENT_TO}}
                row.update(settlement(before[row["_id"]]))


def settlement(before: Document) -> Document:
    """The fields of a mail of which `before` says when it was sent, or why it was refused."""
    error = before.get("error")
    return {
        "state": State.REFUSED if error else State.SENT,
        "error": error,
        "sent_at": None if error else before["at"],
        "attempts": 1,
    }
