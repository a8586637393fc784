"""Exams as it is composed, with vendors of its own, for tests that talk to its handlers and its API."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from libs.common.programs import Program
from libs.common.service import Platform
from services.exams.app import build
from services.exams.settings import ExamsSettings
from tests.service.callers import ProgramCallers
from tests.service.rig import ERASURE_KEY, Base, said
from tests.service.station import Station

SIGN_ON_KEY = "k" * 32
PUBLIC_URL = "https://certrail.example"

_VUE = """\
id: vue
name: Pearson VUE
programs: [cisco, juniper]
sign_on:
  - kind: digest
    url: https://vendor.example/sign-on
    client: certrail
    secret: vue-sign-on
    candidate_fields: [vendor_candidate_id]
  - kind: digest
    programs: [juniper]
    exams: [JN0-106]
    url: https://vendor.example/juniper
    client: certrail-juniper
    program_code: JNPR
    secret: vue-sign-on
"""
_PSI = """\
id: psi
name: PSI
programs: [cisco]
sign_on:
  - kind: openid
    url: https://psi.example/login/begin
    client: psi
"""
_LAB = "id: lab\nname: The lab\nprograms: [cisco]\n"


class BookingStation(Station):
    """The service's handlers, jobs and API."""

    service = "exams"

    def __init__(self, base: Base, programs: Mapping[str, Program], folder: Path) -> None:
        self.base = base
        self.secrets = folder / "secrets"
        vendors = folder / "vendors"
        for place, files in (
            (vendors, {"vue.yaml": _VUE, "psi.yaml": _PSI, "lab.yaml": _LAB}),
            (self.secrets, {"vue-sign-on": f"first {SIGN_ON_KEY}\n"}),
        ):
            place.mkdir()
            for name, content in files.items():
                (place / name).write_text(content)
        settings = ExamsSettings.model_construct(
            batch_size=200,
            erasure_key=ERASURE_KEY,
            public_url=PUBLIC_URL,
            vendors_dir=vendors,
            vendor_secrets_dir=self.secrets,
        )
        platform = Platform(base.database, base.unit_of_work, programs, base.clock, base.owner)
        self.parts = build(platform, settings)

    def said(self, model: type[Any]) -> list[dict[str, Any]]:
        return [event for event in said(self.base) if event.get("type") == model.event_type]

    def api(self) -> AbstractAsyncContextManager["BookingCallers"]:
        return BookingCallers.at(self.parts.api, self.base)


class BookingCallers(ProgramCallers):
    """They also come back from where a vendor sends them."""

    async def come_back(self, return_url: str, accept: str = "*/*", **said: str) -> tuple[int, str | None]:
        """Follow the way back, up to its first answer: the status, and where that leads. Browsers `accept` HTML."""
        assert return_url.startswith(PUBLIC_URL)
        response = await self._client.get(
            return_url.removeprefix(PUBLIC_URL).partition("?")[0],
            params={"ticket": return_url.partition("ticket=")[2], **said},
            headers={"Accept": accept},
            allow_redirects=False,
        )
        return response.status, response.headers.get("Location")
