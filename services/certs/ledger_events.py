"""What changes of a ledger are told as."""

from libs.common.events import certs
from services.certs.domain.changes import Change, ChangeKind
from services.certs.domain.milestones import Anniversary
from services.certs.domain.reminders import Reminder

_Change = (
    certs.CertificationAwarded
    | certs.CertificationRenewed
    | certs.CertificationExpired
    | certs.CertificationRevoked
    | certs.CertificationSuspended
    | certs.CertificationReinstated
)

EVENTS: dict[ChangeKind, type[_Change]] = {
    "awarded": certs.CertificationAwarded,
    "renewed": certs.CertificationRenewed,
    "expired": certs.CertificationExpired,
    "revoked": certs.CertificationRevoked,
    "suspended": certs.CertificationSuspended,
    "reinstated": certs.CertificationReinstated,
}

_LONGEST = 2_000
"""Characters of a reason in an event; the API says all of it."""


def event_of(candidate_id: str, change: Change, why: str | None) -> _Change:
    entry, because = change.subject, change.sentence
    if why is not None and change.kind == "revoked":
        because = why if change.after is None else f"{why} {change.after.sentence}"
    more = {"remains": True} if change.kind == "revoked" and change.remains else {}
    return EVENTS[change.kind](
        **more,
        candidate_id=candidate_id,
        certification=entry.certification,
        title=entry.title,
        earned_on=entry.earned_on,
        expires_on=entry.expires_on,
        because=_shortened(because),
    )


def reminder_event(candidate_id: str, reminder: Reminder) -> certs.CertificationExpiring:
    entry = reminder.certification
    return certs.CertificationExpiring(
        candidate_id=candidate_id,
        certification=entry.certification,
        title=entry.title,
        earned_on=entry.earned_on,
        expires_on=entry.expires_on,
        because=_shortened(entry.sentence),
        days_left=reminder.days_left,
    )


def milestone_event(candidate_id: str, found: Anniversary) -> certs.MilestoneReached:
    return certs.MilestoneReached(
        candidate_id=candidate_id,
        milestone=found.milestone.id,
        title=found.milestone.title,
        years=found.milestone.years,
        since=found.since,
        reached_on=found.on,
    )


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
