"""What has to be known for a plan, asked side by side."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from services.portal.backend.shapes import Certification, Certifications, ExpectedList
from services.portal.credits.claims import Claim, in_hand
from services.portal.credits.shapes import Credits, SubmissionPage
from services.portal.languages.days import day_there
from services.portal.plan.shapes import Assumption, Goal, Progress, Renewal, Renewals, WhatIf
from services.portal.web.visit import Visit, part

_MOST: Final = "200"


@dataclass(frozen=True, slots=True)
class Known:
    """What is true now.

    Attributes:
        waiting: exams whose results are waited for, with the days they were sat.
        results_away: whether nobody could say which these are.
    """

    today: date
    held: tuple[Certification, ...]
    renewals: tuple[Renewal, ...]
    goals: tuple[Goal, ...]
    claims: tuple[Claim, ...]
    may_be_held: bool
    waiting: Mapping[str, date]
    results_away: bool

    def renewal(self, certification: str) -> Renewal | None:
        return next((one for one in self.renewals if one.certification == certification), None)

    def goal(self, certification: str) -> Goal | None:
        return next((one for one in self.goals if one.certification == certification), None)

    def of(self, certification: str) -> Certification | None:
        return next((one for one in self.held if one.certification == certification), None)

    @property
    def ends(self) -> dict[str, date | None]:
        """Until when each active certification lasts."""
        return {one.certification: one.expires_on for one in self.held if one.status == "active"}


async def known_of(visit: Visit) -> Known:
    """Raises `SignedOut`, `Down` where certs does not answer, `Refused`."""
    (held, renewals, progress), (ledger, submissions), expected, _ = await asyncio.gather(
        asyncio.gather(
            visit.mine("certs", "/certifications", Certifications),
            visit.mine("certs", "/renewals", Renewals),
            visit.mine("certs", "/progress", Progress),
        ),
        asyncio.gather(
            visit.mine("certs", "/credits", Credits),
            visit.mine("certs", "/submissions", SubmissionPage, limit=_MOST),
        ),
        part(visit.mine("exams", "/expected-results", ExpectedList)),
        visit.introduce(),
    )
    waiting = {one.exam_code: day_there(one.scheduled_at) for one in expected.items} if expected else {}
    return Known(
        held.as_of,
        tuple(held.certifications),
        tuple(renewals.renewals),
        tuple(progress.goals),
        in_hand(ledger, submissions.items),
        ledger.may_be_held,
        {code: day for code, day in waiting.items() if day <= held.as_of},
        expected is None,
    )


async def worked_out(visit: Visit, assume: Iterable[Assumption]) -> WhatIf:
    """What certs says would follow; nothing is changed by it. Raises `SignedOut`, `Down`, `Refused`."""
    body = {"assume": [dict(one) for one in assume]}
    return await visit.backend.send(visit.browser, "POST", "certs", visit.below("/what-if"), WhatIf, body=body)
