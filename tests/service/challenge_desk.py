"""Challenges by the API of exams, asked as a candidate or as any member of staff."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiohttp.test_utils import TestClient, TestServer

from libs.common.http.auth import TokenVerifier
from libs.common.http.jwks import StaticKeys
from libs.common.http.server import build_app
from libs.common.programs import Program
from tests.service.case_desk import ADA, BEN, PDF
from tests.service.certs_station import KEY, Callers
from tests.service.privacy_station import PrivacyStation
from tests.service.rig import Base, kept_answers, said
from tests.service.samples import linked, received, reported, result

__all__ = ["ADA", "BEN", "PDF"]

RESULT = "cisco:vue:R1"
WORDS = {"result_id": RESULT, "ground": "score", "text": "Question 12 had two right answers.\r\nPlease look."}


class ChallengeDesk:
    """The service with a failed result of C1, and both sides of a challenge."""

    def __init__(self, station: PrivacyStation, callers: Callers) -> None:
        self.station = station
        self.base = station.base
        self.callers = callers

    async def candidate(self, method: str, path: str, *, who: str = "C1", **more: Any) -> Any:
        return await self.callers.candidate(method, f"/cisco/candidates/{who}/{path}", who=who, **more)

    async def staff(self, method: str, path: str, **more: Any) -> Any:
        return await self.callers.staff(method, f"/cisco/{path}", **more)

    async def open(self, **changes: Any) -> dict[str, Any]:
        status, challenge = await self.candidate("POST", "challenges", **(WORDS | changes))
        assert status == 201, challenge
        assert isinstance(challenge, dict)
        return challenge

    async def decide(self, challenge: Mapping[str, Any], decision: str, *, by: str = ADA, **more: Any) -> Any:
        body = {"decision": decision, "reason": "Two answers were right.", **more}
        return await self.staff("POST", f"challenges/{challenge['challenge_id']}/decision", by=by, **body)

    async def both_decide(self, challenge: Mapping[str, Any], decision: str, **more: Any) -> dict[str, Any]:
        assert (await self.decide(challenge, decision, **more))[0] == 200
        status, decided = await self.decide(challenge, decision, by=BEN, **more)
        assert (status, decided["state"]) == (200, decision), decided
        assert isinstance(decided, dict)
        return decided

    async def seen(self, challenge: Mapping[str, Any]) -> dict[str, Any]:
        """The challenge as staff see it."""
        status, row = await self.staff("GET", f"challenges/{challenge['challenge_id']}")
        assert status == 200
        assert isinstance(row, dict)
        return row

    async def result(self) -> dict[str, Any]:
        (row,) = await self.base.rows("results", _id=RESULT)
        return row

    def said(self, *names: str) -> list[dict[str, Any]]:
        """What was told under these names of events."""
        return [event for event in said(self.base) if event["type"].split(".")[-2] in names]


@asynccontextmanager
async def challenge_desk(base: Base, programs: Mapping[str, Program]) -> AsyncIterator[ChallengeDesk]:
    station = PrivacyStation(base, programs)
    await station.take(received(linked()))
    await station.report(reported(result(grade="fail", score=700.0)))
    app = build_app(
        station.parts.api,
        TokenVerifier(StaticKeys(KEY), "certrail", base.clock),
        idempotency=kept_answers(base.database, base.clock),
    )
    async with TestClient(TestServer(app)) as client:
        yield ChallengeDesk(station, Callers(client, base))
