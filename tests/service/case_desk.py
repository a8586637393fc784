"""Cases by the API of identity, asked as a candidate or as any member of staff."""

from datetime import timedelta
from io import BytesIO
from typing import Any

from aiohttp import ClientResponse
from PIL import Image

from libs.common.http.principal import Kind, Principal
from libs.common.http.scopes import CANDIDATE, OPERATOR
from libs.common.http.tokens import sign
from tests.service.identity_station import IdentityStation

ADA, BEN = "staff:ada", "staff:ben"
PDF = ("application/pdf", b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n%%EOF\n")
NAME = {"kind": "name", "given_name": "Zoë Maria", "family_name": "Åkesson"}


def picture(kind: str = "PNG", colour: str = "red") -> tuple[str, bytes]:
    """An image as an upload."""
    file = BytesIO()
    Image.new("RGB", (32, 24), colour).save(file, kind)
    return f"image/{kind.lower()}", file.getvalue()


class Desk:
    """Both sides of it."""

    def __init__(self, station: IdentityStation) -> None:
        self.station = station
        self.base = station.base

    async def candidate(self, who: str, method: str, path: str, *, program: str = "cisco", **more: Any) -> Any:
        """Below the candidate `who`, unless the path names one itself."""
        principal = Principal(f"candidate:{who}", Kind.CANDIDATE, frozenset({program}), CANDIDATE, who)
        place = path if path.startswith("candidates/") else f"candidates/{who}/{path}"
        return await self._answer(principal, method, place, **more)

    async def staff(self, method: str, path: str, *, by: str = ADA, program: str = "cisco", **more: Any) -> Any:
        return await self._answer(self.member(by, program), method, path, **more)

    @staticmethod
    def member(by: str = ADA, program: str = "cisco") -> Principal:
        return Principal(by, Kind.STAFF, frozenset({program}), OPERATOR)

    async def _answer(self, principal: Principal, method: str, path: str, **more: Any) -> tuple[int, Any]:
        response = await self.request(principal, method, path, **more)
        if response.content_type.endswith("json"):
            return response.status, await response.json()
        return response.status, await response.read()

    async def request(
        self,
        principal: Principal,
        method: str,
        path: str,
        *,
        file: tuple[str, bytes] | None = None,
        key: str | None = None,
        disposition: str | None = None,
        **body: Any,
    ) -> ClientResponse:
        assert self.station.parts.keys is not None
        signing = await self.station.parts.keys.find("k1")
        assert signing is not None
        now, lifetime = self.base.clock.now(), timedelta(minutes=5)
        token = sign(principal, signing, issuer="certrail", token_id="t", now=now, lifetime=lifetime)
        headers = {"Authorization": f"Bearer {token}"} | ({"Idempotency-Key": key} if key else {})
        content: dict[str, Any] = {"json": body} if body else {}
        if file is not None:
            headers["Content-Type"], content = file[0], {"data": BytesIO(file[1])}
        if disposition is not None:
            headers["Content-Disposition"] = disposition
        url = f"/api/identity/v1/programs/cisco/{path}"
        response: ClientResponse = await self.station.client.request(method, url, headers=headers, **content)
        return response

    async def open(self, who: str, **request: Any) -> dict[str, Any]:
        status, case = await self.candidate(who, "POST", "cases", **(request or NAME))
        assert status == 201, case
        assert isinstance(case, dict)
        return case

    async def decide(self, case: dict[str, Any], decision: str = "accept", *, by: str = ADA, **more: Any) -> Any:
        body = {"decision": decision, "reason": "as on the passport", **more}
        return await self.staff("POST", f"cases/{case['case_id']}/decision", by=by, **body)

    async def upload(self, who: str, case: dict[str, Any], file: tuple[str, bytes] = PDF, **more: Any) -> Any:
        return await self.candidate(who, "POST", f"cases/{case['case_id']}/evidence", file=file, **more)

    async def seen(self, case: dict[str, Any]) -> dict[str, Any]:
        """The case as staff see it."""
        status, row = await self.staff("GET", f"cases/{case['case_id']}")
        assert status == 200
        assert isinstance(row, dict)
        return row
