"""A candidate with certifications, and the links that they share."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from typing import Any

from tests.service.certs_station import Callers, CertsStation
from tests.service.outgoing_station import person
from tests.service.samples import passed, received

NOW = datetime(2026, 11, 22, 12, 0, 30, tzinfo=UTC)
ME = "/cisco/candidates/C1"
LINKS = f"{ME}/transcripts"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"
PAGE = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8", "user_agent": BROWSER}
CORE, DESIGN = "350-401", "300-420"


async def begin(station: CertsStation, candidate_id: str = "C1", **names: str) -> None:
    """The candidate has held CCNA since 10 March 2025, through 10 March 2028."""
    await station.take(received(person(candidate_id, **names)))
    await station.take(received(passed(candidate_id, f"R-{candidate_id}", known_at=NOW)))


async def earn_professional(station: CertsStation, candidate_id: str = "C1") -> None:
    """They pass core and concentration in June 2025: CCNP Enterprise and a specialist for each."""
    for code, day in ((CORE, date(2025, 6, 2)), (DESIGN, date(2025, 6, 20))):
        await station.take(
            received(passed(candidate_id, f"R-{candidate_id}-{code}", exam_code=code, taken_on=day, known_at=NOW))
        )


class Sharer:
    """A candidate at the API, and whoever opens their links."""

    def __init__(self, callers: Callers, who: str = "C1") -> None:
        self.callers = callers
        self.who = who
        self.links = f"/cisco/candidates/{who}/transcripts"

    async def publish(self, *certifications: str, **more: Any) -> Any:
        """A new transcript, of CCNA unless something else is named."""
        body: dict[str, Any] = {"label": "For the tender", "certifications": list(certifications or ["CCNA"])} | more
        status, made = await self.callers.candidate("POST", self.links, who=self.who, **body)
        assert status == 201, made
        return made

    async def edit(self, made: Any, **changes: Any) -> Any:
        fields = {
            "label": made["label"],
            "remarks": made["remarks"],
            "certifications": [one["certification"] for one in made["certifications"]],
            "exams": [one["exam"] for one in made["exams"]],
            "credits": made["credits"] is not None,
        }
        return await self.callers.candidate(
            "PUT", f"{self.links}/{made['transcript_id']}", who=self.who, **(fields | changes)
        )

    async def withdraw(self, made: Any) -> int:
        status, _ = await self.callers.candidate("DELETE", f"{self.links}/{made['transcript_id']}", who=self.who)
        return int(status)

    async def page(self, path: str, **headers: str) -> tuple[int, str]:
        response = await self.callers.fetch(path, **(PAGE | headers))
        return response.status, await response.text()

    async def json(self, path: str) -> tuple[int, Any]:
        response = await self.callers.fetch(path, accept="application/json")
        return response.status, await response.json()


def path_of(made: Any) -> str:
    """The link below the public address."""
    return str(made["link"].removeprefix("https://certrail.example"))


@asynccontextmanager
async def sharing(station: CertsStation) -> AsyncIterator[Sharer]:
    async with station.api() as callers:
        yield Sharer(callers)


async def decide(sharer: Sharer, kind: str, on: str, certification: str = "CCNA", who: str = "C1") -> None:
    """Staff revoke, suspend or reinstate."""
    status, said = await sharer.callers.staff(
        "POST",
        f"/cisco/candidates/{who}/decisions",
        certification=certification,
        kind=kind,
        on=on,
        reason="as found",
    )
    assert status == 201, said
