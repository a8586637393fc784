"""Checks a file that somebody was shown: is it ours, unchanged, and still in force?"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final, NamedTuple, Protocol
from zoneinfo import ZoneInfo

from libs.common.clock import Clock
from libs.common.languages.days import spoken
from services.certs.verifying.examining import Examined, Issuer, examine
from services.certs.verifying.findings import Finding, Verdict, fault, finding, verdict
from services.certs.verifying.found import Form, UnreadableError
from services.certs.verifying.limited import Limited
from services.certs.verifying.reading import Json, Receipt, Signed

MOST_ITEMS: Final = 200
"""Credentials in a transcript."""


class Standing(NamedTuple):
    """How one of our credentials stands now."""

    revoked: bool
    revoked_on: date | None = None
    suspended: bool = False
    """Whether the certification is set aside at present."""
    corrected_at: datetime | None = None
    """`validFrom` of its newest version."""


class Ours(Protocol):
    """What we have issued."""

    async def issuers(self) -> dict[str, Issuer]:
        """Our programs, by their identifiers."""

    async def standing(self, issuer: Issuer, signed: Signed) -> Standing | None:
        """None where it names no entry in a status list of this issuer, though it should."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found out.

    Attributes:
        form: what the file is; None where it could not be read.
        examined: the document, of which nothing may be repeated unless `intact`.
        items: the credentials in a transcript, in its order.
    """

    form: Form | None
    findings: tuple[Finding, ...]
    examined: Examined | None = None
    items: tuple["Checked", ...] = ()

    @property
    def verdict(self) -> Verdict:
        return verdict(self.findings)

    @property
    def intact(self) -> bool:
        """Whether it says what we have signed."""
        return any(each.code == "intact" for each in self.findings)

    @property
    def signed(self) -> Signed | None:
        return self.examined.signed if self.examined and self.intact else None

    @property
    def receipt(self) -> Receipt | None:
        return self.examined.receipt if self.examined and self.intact else None


class Checker:
    """Checks files."""

    def __init__(self, ours: Ours, limited: Limited, clock: Clock) -> None:
        self._ours = ours
        self._limited = limited
        self._clock = clock

    async def check(self, content: bytes) -> Checked:
        """What holds of a file and what does not. Raises the problem `too-many-requests`."""
        try:
            return await self._check(content)
        except UnreadableError as error:
            return Checked(None, (fault(error.fault),))

    async def _check(self, content: bytes) -> Checked:
        found = await self._limited.extract(content)
        issuers = await self._ours.issuers()
        document: Json = json.loads(found.document)
        header = json.loads(found.header) if found.header is not None else None
        outer = examine(document, issuers, token=found.token, header=header)
        inside = outer.signed.subject.credentials if outer.signed else []
        if len(inside) > MOST_ITEMS:
            raise UnreadableError("too_large")
        inner = [examine(each, issuers) for each in inside]
        first, *rest = await self._proved(found.form, [outer, *inner])
        if not first.intact:
            return first
        return await self._judged(first, [await self._judged(each, []) for each in rest])

    async def _proved(self, form: Form, examined: Sequence[Examined]) -> list[Checked]:
        """Everything that was examined, each with what its signature says."""
        claims = [each.claim for each in examined if each.claim is not None]
        proofs = iter(await self._limited.prove(claims))
        return [
            Checked(form, each.findings, each)
            if each.claim is None
            else Checked(form, (*each.findings, finding("intact" if next(proofs) else "altered")), each)
            for each in examined
        ]

    async def _judged(self, checked: Checked, items: Sequence[Checked]) -> Checked:
        """The same, with what can only be said of a document that is as we signed it."""
        signed, examined = checked.signed, checked.examined
        if signed is None or examined is None or examined.issuer is None:
            return checked
        findings = [*checked.findings, _dates(signed, self._clock.now(), examined.issuer.zone)]
        if examined.kind == "badge" or signed.status is not None:
            findings.append(_status(await self._ours.standing(examined.issuer, signed), signed))
        if items:
            same = all(item.signed is None or item.signed.subject.id == signed.subject.id for item in items)
            findings.append(finding("same_subject" if same else "other_subject"))
        return replace(checked, findings=tuple(findings), items=tuple(items))


def _dates(signed: Signed, now: datetime, zone: ZoneInfo) -> Finding:
    """Days as the program's calendar has them, in which certifications end."""
    start = spoken(signed.valid_from.astimezone(zone).date())
    if now < signed.valid_from:
        return finding("not_yet", start=start)
    if signed.valid_until is None:
        return finding("in_force", start=start)
    end = spoken(signed.valid_until.astimezone(zone).date())
    # The moment itself is the last second of the last day.
    return finding("expired", end=end) if now > signed.valid_until else finding("in_force_until", start=start, end=end)


def _status(standing: Standing | None, signed: Signed) -> Finding:
    if standing is None:
        return finding("status_unknown")
    if standing.revoked_on is not None:
        return finding("revoked_on", day=spoken(standing.revoked_on))
    if standing.revoked:
        return finding("revoked")
    if standing.suspended:
        return finding("suspended")
    replaced = standing.corrected_at is not None and standing.corrected_at > signed.valid_from
    return finding("replaced" if replaced else "not_revoked")
