"""Recipients and mails as documents, and what the rest of the service makes of them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from libs.common.clock import as_stored
from libs.common.mongo.client import Document
from services.notify.domain.mails import SENT_TO, About, Template
from services.notify.domain.recipients import Recipient
from services.notify.letters import AS_BEFORE, Cause, Letter, Wording, cause_of


def known_recipient(row: Document | None) -> Recipient | None:
    """The recipient in a document of theirs; None where only mails that wait are known."""
    if row is None or "email" not in row:
        return None
    return Recipient(
        candidate_id=row["_id"],
        program=row["program"],
        email=row["email"],
        given_name=row["given_name"],
        family_name=row["family_name"],
        language=row["language"],
        version=row["version"],
    )


def recipient_row(recipient: Recipient) -> Document:
    return {
        "program": recipient.program,
        "email": recipient.email,
        "given_name": recipient.given_name,
        "family_name": recipient.family_name,
        "language": recipient.language,
        "version": recipient.version,
    }


def letter_of(row: Document, recipient: Recipient) -> Letter:
    """A claimed mail with the one it goes to."""
    sent_to = row["context"].get(SENT_TO)
    return Letter(
        id=row["_id"],
        program=row["program"],
        template=Template(row["template"]),
        context=row["context"],
        created_at=row["created_at"],
        attempts=row["attempts"],
        cause=cause_of(row),
        recipient=replace(recipient, email=sent_to) if sent_to else recipient,
        claimed_until=row["due_at"],
        doubtful=row.get("doubtful", 0),
        about=About(*row["about"]) if row.get("about") else None,
        paced_at=row.get("paced_at"),
        wording=Wording(**row["wording"]) if "wording" in row else None,
    )


def wording_of(row: Document) -> Wording | None:
    """The words that a mail is written in; None where they are not chosen yet."""
    if "wording" in row:
        return Wording(**row["wording"])
    return AS_BEFORE if row["attempts"] or row.get("doubtful") else None


def new_message(
    key: str,
    *,
    program: str,
    template: Template,
    candidate_id: str,
    context: Mapping[str, Any],
    cause: Cause,
    now: datetime,
    about: About | None = None,
) -> Document:
    """A mail that nobody has claimed; its state is for the caller to add."""
    return {
        "_id": key,
        "program": program,
        "candidate_id": candidate_id,
        "template": template,
        "context": dict(context),
        "cause_event_id": cause.event_id,
        "cause_event": cause.event,
        "correlation_id": cause.correlation_id,
        "traceparent": cause.traceparent,
        "created_at": as_stored(now),
        "attempts": 0,
        "doubtful": 0,
        "sent_at": None,
        "error": None,
        **({"about": list(about)} if about else {}),
    }
