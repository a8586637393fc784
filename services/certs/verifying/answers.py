"""What a check has found, as an answer: codes for programs, sentences for people."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from libs.common.http.models import View
from libs.common.pages.wording import moment
from services.certs.languages import mark, say
from services.certs.public.counting import State, tallied
from services.certs.verifying.checking import Checked
from services.certs.verifying.findings import Check, Finding, Verdict
from services.certs.verifying.found import Form
from services.certs.verifying.reading import Kind, Receipt, Signed

HEADINGS: Final[Mapping[Verdict, str]] = {
    "genuine": mark("Genuine and unchanged."),
    "expired": mark("Genuine, but expired."),
    "not_yet": mark("Genuine, but not valid yet."),
    "replaced": mark("Genuine, but we have corrected it since."),
    "suspended": mark("Not valid at present: suspended."),
    "revoked": mark("Not valid: revoked."),
    "altered": mark("Don't rely on this file: it was changed after we signed it."),
    "not_ours": mark("Don't rely on this file: we didn't sign it."),
    "unreadable": mark("We can't read this file."),
}
_STATES: Final[Mapping[Verdict, State]] = {
    "genuine": "active",
    "expired": "expired",
    "not_yet": "not_yet",
    "replaced": "replaced",
    "suspended": "suspended",
    "revoked": "revoked",
    "altered": "altered",
    "not_ours": "not_ours",
}
"""As a sentence counts them."""


class FindingView(View):
    """One thing that was looked at."""

    check: Check
    holds: bool
    code: str
    """Never changes its meaning."""
    text: str


class CredentialView(View):
    """What the file says. It is repeated only where we have signed it."""

    credential_id: str
    """Its address."""
    title: str | None
    name: str | None
    """Of the person, where they have chosen to have it in there."""
    valid_from: datetime
    valid_until: datetime | None


class ReceiptView(View):
    """What we showed somebody, by a receipt that we signed."""

    shown_at: datetime
    heading: str
    text: str
    page: str
    """Where its state of today is to be seen."""


class ItemView(View):
    """One credential in a transcript."""

    verdict: Verdict
    heading: str
    credential: CredentialView | None
    findings: list[FindingView]


class FileVerificationView(View):
    """Whether a file is ours, unchanged and in force."""

    verdict: Verdict
    """The worst of what was found."""
    heading: str
    text: str
    checked_at: datetime
    form: Form | None
    """What the file is; none where it cannot be read."""
    kind: Kind | None
    program: str | None
    """Which of our programs issued it; none where the signature does not say so."""
    credential: CredentialView | None
    receipt: ReceiptView | None
    findings: list[FindingView]
    items: list[ItemView]


def file_verification_view(checked: Checked, now: datetime) -> FileVerificationView:
    examined = checked.examined
    issuer = examined.issuer if examined and checked.intact else None
    verdict = _overall(checked)
    return FileVerificationView(
        verdict=verdict,
        heading=_heading(verdict, checked.findings),
        text=_text(checked, verdict),
        checked_at=now,
        form=checked.form,
        kind=examined.kind if examined else None,
        program=issuer.program if issuer else None,
        credential=_credential(checked.signed),
        receipt=_receipt(checked.receipt),
        findings=[_finding(each) for each in checked.findings],
        items=[_item(each) for each in checked.items],
    )


def _overall(checked: Checked) -> Verdict:
    """A transcript is as good as the best certification in it, unless one was not signed by us as it stands there."""
    if checked.verdict != "genuine" or not checked.items:
        return checked.verdict
    found = {each.verdict for each in checked.items}
    for verdict in ("not_ours", "altered", "genuine", "replaced", "not_yet", "expired", "suspended"):
        if verdict in found:
            return verdict
    return "revoked"


def _heading(verdict: Verdict, findings: Sequence[Finding]) -> str:
    day = next((each.day for each in findings if each.code == "revoked_on"), None)
    if verdict == "revoked" and day is not None:
        return say("Not valid: revoked on {day}.", day=day)
    return say(HEADINGS[verdict])


def _text(checked: Checked, verdict: Verdict) -> str:
    signed, receipt = checked.signed, checked.receipt
    if receipt is not None:
        return say(
            "We showed this on {moment}: {heading}. It says nothing of today: look at {address}.",
            moment=moment(receipt.shown_at),
            heading=receipt.seen.heading.rstrip("."),
            address=receipt.address,
        )
    if signed is None or checked.examined is None or checked.examined.issuer is None:
        wrong = " ".join(each.text for each in checked.findings if not each.holds)
        return wrong if verdict == "unreadable" else f"{wrong} {say('Ask whoever gave it to you for the original.')}"
    parts = [_issued(checked.examined.issuer.title, signed.subject.name)]
    if signed.title and checked.examined.kind == "badge":
        parts.append(say("It is about {title}.", title=signed.title))
    parts.append(_counted(checked.items) if checked.items else _state(checked.findings))
    return " ".join(parts)


def _issued(program: str, name: str | None) -> str:
    if name is None:
        return say("{program} issued this.", program=program)
    return say("{program} issued this to {name}.", program=program, name=name)


def _state(findings: Sequence[Finding]) -> str:
    wrong = [each.text for each in findings if not each.holds]
    if wrong:
        return " ".join(wrong)
    return next(each.text for each in findings if each.check == "dates")


def _counted(items: Sequence[Checked]) -> str:
    """Three certifications are active, one has expired. What is in a document that was read has been read itself."""
    return tallied(Counter(_STATES[each.verdict] for each in items))


def _credential(signed: Signed | None) -> CredentialView | None:
    if signed is None:
        return None
    return CredentialView(
        credential_id=signed.id,
        title=signed.title,
        name=signed.subject.name,
        valid_from=signed.valid_from,
        valid_until=signed.valid_until,
    )


def _receipt(receipt: Receipt | None) -> ReceiptView | None:
    if receipt is None:
        return None
    return ReceiptView(
        shown_at=receipt.shown_at, heading=receipt.seen.heading, text=receipt.seen.text, page=receipt.address
    )


def _finding(found: Finding) -> FindingView:
    return FindingView(check=found.check, holds=found.holds, code=found.code, text=found.text)


def _item(checked: Checked) -> ItemView:
    return ItemView(
        verdict=checked.verdict,
        heading=_heading(checked.verdict, checked.findings),
        credential=_credential(checked.signed),
        findings=[_finding(each) for each in checked.findings],
    )
