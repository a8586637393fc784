"""Whether what shows a certification may be had: only while it is active. Refusals say why, in a sentence."""

from collections.abc import Iterable
from datetime import date

from libs.common.http.problems import NOT_FOUND, Problem, ProblemType
from libs.common.mongo.client import Document
from libs.common.spoken import spoken
from services.certs.api import CertificationView, certification_view

NOT_ACTIVE = ProblemType("certification-not-active", "The certification is not active", 409)
AGREEMENT_MISSING = ProblemType("agreement-missing", "The certification agreement is not accepted", 409)

UNAVAILABLE = (NOT_ACTIVE, AGREEMENT_MISSING)
"""What `refusal_of` gives."""

_WORDS = {
    "suspended": "it is suspended",
    "inactive": "it is inactive at present",
    "emeritus": "it is emeritus, and no longer active",
    "lifetime_emeritus": "it is emeritus for life, and no longer active",
}


def active(ledger: Document | None, certification: str, today: date) -> CertificationView:
    """The certification in a stored ledger, where it is active on a day.

    Raises:
        Problem: `not-found` where it was never earned; `certification-not-active` or `agreement-missing`, with the
            reason as a sentence.
    """
    view = found(ledger, certification, today)
    if refusal := refusal_of(view):
        raise refusal
    return view


def found(ledger: Document | None, certification: str, today: date) -> CertificationView:
    """The certification in a stored ledger as of a day. Raises the problem `not-found`."""
    entries: Iterable[Document] = ledger["certifications"] if ledger else ()
    entry = next((each for each in entries if each["certification"] == certification), None)
    if entry is None:
        raise Problem(NOT_FOUND)
    return certification_view(entry, today)


def refusal_of(view: CertificationView) -> Problem | None:
    """Why what shows it may not be had; None where it may."""
    if view.status == "active":
        return None
    if view.status == "pending_agreement":
        return Problem(AGREEMENT_MISSING, "Not available: the certification agreement has not been accepted.")
    return Problem(NOT_ACTIVE, f"Not available: {_why(view)}.", more={"reason": view.status})


def _why(view: CertificationView) -> str:
    if view.status == "expired" and view.expires_on is not None:
        return f"expired on {spoken(view.expires_on)}"
    if view.status == "revoked":
        return "it was revoked"
    return _WORDS[view.status]
