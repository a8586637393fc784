"""A credential as the rest of the service sees it."""

from datetime import date, datetime
from typing import Literal, NamedTuple

State = Literal["valid", "revoked"]


class Credential(NamedTuple):
    """A credential as it is now."""

    credential_id: str
    program: str
    candidate_id: str
    """The account it was issued to; of a merged one another stands for it. Empty where it was erased."""
    certification: str
    title: str
    earned_on: date
    expires_on: date | None
    """Last active day."""
    state: State
    version: int
    """Grows with every correction."""
    code: str
    status_list: int
    status_index: int
    valid_from: datetime
    """Since when this version counts; whole seconds."""
    issued_at: datetime
    revoked_at: datetime | None
    erased: bool
    """Whether its person was erased: nothing is left but the id and the bit."""
    policy_version: int
    """Of the program's definition, under which it was issued."""
    subject: str
    """`urn:uuid` by which it names the candidate."""
    recipient_name: str | None
    email_salt: str
    email_hash: str | None
