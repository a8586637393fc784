"""Which later words make a mail untrue that has not gone yet.

A mail may wait: for its recipient, for a server that defers it, for its turn. Meanwhile a result may have been put on
hold, and then nobody may be told what it was; or a certification was revoked, and congratulations would be wrong. Such
a mail is not sent at all. The later word has a mail of its own.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from libs.common.events import CloudEvent, EventData, certs, exams
from services.notify.domain.mails import About, Template


class Word(NamedTuple):
    """What an event says of something that mails are about."""

    about: About
    candidate_id: str
    says: str


_RESULTS = (exams.ExamPassed, exams.ExamFailed, exams.ExamResultRevised, exams.ExamResultInvalidated)
_SAYS: Final[Mapping[type[EventData], str]] = {
    exams.ExamResultInvalidated: "invalidated",
    certs.CertificationAwarded: "awarded",
    certs.CertificationRenewed: "renewed",
    certs.CertificationExpiring: "expiring",
    certs.CertificationExpired: "expired",
    certs.CertificationRevoked: "revoked",
    certs.CertificationSuspended: "suspended",
    certs.CertificationReinstated: "reinstated",
}

_NO_MORE = frozenset({"revoked", "suspended"})

UNTRUE_AFTER: Final[Mapping[Template, frozenset[str]]] = {
    Template.EXAM_PASSED: frozenset({"pending", "fail", "invalidated"}),
    Template.EXAM_FAILED: frozenset({"pending", "pass", "invalidated"}),
    Template.RESULT_CHANGED: frozenset({"pending", "fail", "pass", "invalidated"}),
    Template.RESULT_WITHDRAWN: frozenset({"pending", "fail", "pass"}),
    Template.CERTIFICATION_AWARDED: _NO_MORE,
    Template.CERTIFICATION_RENEWED: _NO_MORE,
    Template.CERTIFICATION_REINSTATED: _NO_MORE,
    Template.CERTIFICATION_EXPIRING: _NO_MORE | {"renewed", "expired"},
    Template.CERTIFICATION_EXPIRED: _NO_MORE | {"renewed"},
    Template.CERTIFICATION_SUSPENDED: frozenset({"revoked", "reinstated"}),
}
"""By mail, the later words after which it says what is no longer so."""

_KEPT = frozenset().union(*UNTRUE_AFTER.values())


def about_of(event: CloudEvent[Any]) -> About | None:
    """What an event's mail is about; None where nothing later can make that untrue."""
    data = event.data
    if isinstance(data, _RESULTS):
        return About(f"result:{data.candidate_id}:{data.result_id}", data.revision)
    if type(data) in _SAYS:
        return About(f"certification:{data.candidate_id}:{data.certification}", event.subjectversion or 0)
    return None


def word_of(event: CloudEvent[Any]) -> Word | None:
    """What an event says that can make a mail untrue; None for most."""
    about = about_of(event)
    if about is None:
        return None
    data = event.data
    says = data.grade if isinstance(data, exams.ExamResultRevised) else _SAYS.get(type(data), "")
    return Word(about, data.candidate_id, says) if says in _KEPT else None


def is_untrue(template: Template, about: About, later: Mapping[str, int]) -> bool:
    """Whether a mail says what is no longer so.

    Args:
        template: its kind.
        about: what it is about.
        later: of the words about the same, the order of the last of each.
    """
    return any(later.get(says, about.order) > about.order for says in UNTRUE_AFTER.get(template, ()))
