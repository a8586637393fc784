"""Whom a mail goes to: the candidate's profile in its latest version, or somebody of staff as last invited."""

from collections.abc import Iterable
from dataclasses import dataclass

from libs.common.events import CloudEvent, identity


@dataclass(frozen=True, slots=True)
class Recipient:
    """What notify keeps of a candidate's profile."""

    candidate_id: str
    """Of staff, the id of their account."""
    program: str
    email: str
    given_name: str
    family_name: str
    language: str | None
    version: int
    """Identity's version of the candidate; the higher one is the later one, whichever arrives first."""

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()


def recipient_of(
    event: CloudEvent[identity.CandidateRegistered]
    | CloudEvent[identity.CandidateProfileChanged]
    | CloudEvent[identity.StaffInvited],
) -> Recipient:
    """The recipient as an event describes them. One without a version is taken for the first."""
    data = event.data
    if isinstance(data, identity.StaffInvited):
        version = event.subjectversion or 1
        return Recipient(data.staff_id, event.program, data.email, data.full_name, "", None, version)
    return Recipient(
        candidate_id=data.candidate_id,
        program=event.program,
        email=data.email,
        given_name=data.given_name,
        family_name=data.family_name,
        language=data.language,
        version=event.subjectversion or 1,
    )


def latest(recipients: Iterable[Recipient]) -> dict[str, Recipient]:
    """The latest version of each candidate."""
    found: dict[str, Recipient] = {}
    for recipient in recipients:
        known = found.get(recipient.candidate_id)
        if known is None or recipient.version > known.version:
            found[recipient.candidate_id] = recipient
    return found
