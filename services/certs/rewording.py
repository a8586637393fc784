"""What a ledger says of its certifications, in another language than it is stored in."""

from collections.abc import Sequence
from datetime import date

from libs.common.mongo.client import Document
from libs.common.programs import Program
from services.certs.domain.evaluate import evaluate
from services.certs.ledger import facts_on, stored_entry

_SAME = ("status", "earned_on", "expires_on")


def reworded(ledger: Document, policy: Program, today: date) -> Sequence[Document]:
    """The stored entries in the words of the reader's language.

    The words are found by deciding anew from the same facts. Where that decides otherwise, because the program has
    changed and this ledger is still to be looked at, the stored words stand: the state is never another for readers of
    another language.
    """
    standing = evaluate(policy, facts_on(ledger, policy, today), today)
    said = {name: stored_entry(entry) for name, entry in standing.certifications.items()}
    entries: list[Document] = ledger["certifications"]
    return [_in_words_of(entry, said.get(entry["certification"])) for entry in entries]


def _in_words_of(entry: Document, said: Document | None) -> Document:
    if said is None or any(entry.get(name) != said[name] for name in _SAME):
        return entry
    return entry | {"text": said["text"], "because": said["because"]}
