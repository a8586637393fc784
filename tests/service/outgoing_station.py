"""Exams as it is composed, with a vendor that takes files: its folders, its answers, its API."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml
from aiohttp.test_utils import TestClient, TestServer
from joserfc.jwk import OKPKey

from libs.common.bus import topology
from libs.common.events import identity
from libs.common.events.types import Address
from libs.common.http.auth import TokenVerifier
from libs.common.http.jwks import StaticKeys
from libs.common.http.principal import Kind, Principal
from libs.common.http.scopes import CANDIDATE, OPERATOR
from libs.common.http.server import build_app
from libs.common.http.tokens import sign
from libs.common.programs import Program
from libs.common.secret_files import Secrets
from libs.common.service import Parts, Platform
from libs.common.vendor_files.places import reach_with
from services.exams.app import build
from services.exams.outgoing.parts import Outgoing
from services.exams.reconciliation.parts import Reconciliation
from services.exams.settings import ExamsSettings
from services.exams.store import ExamsStore
from services.exams.vendors.definition import load_vendors
from tests.service.rig import ERASURE_KEY, Base, kept_answers, said
from tests.service.samples import TAKEN, received

KEY = OKPKey.generate_key("Ed25519", parameters={"kid": "k1"})
ADDRESS = Address(lines=["1 Main St"], city="Austin", region="TX", postal_code="78701", country="US")


def person(candidate_id: str = "C1", **changes: Any) -> identity.CandidateRegistered:
    fields: dict[str, Any] = {
        "candidate_id": candidate_id,
        "given_name": "Zoë",
        "family_name": "Ångström",
        "email": f"{candidate_id.lower()}@example.com",
        "country": "US",
        "address": ADDRESS,
        "registered_at": TAKEN,
    }
    return identity.CandidateRegistered(**(fields | changes))


def profile(candidate_id: str = "C1", version: int = 2, *, program: str = "cisco", **changes: Any) -> Any:
    """A changed profile as it reaches a handler, in its version."""
    fields = person(candidate_id).model_dump(exclude={"registered_at", "address"}) | {"address": ADDRESS} | changes
    item = received(identity.CandidateProfileChanged(**fields), program=program)
    return replace(item, event=item.event.model_copy(update={"subjectversion": version}))


class OutgoingStation:
    """The service's handlers, jobs and API, and the folders of its vendor `vue`."""

    def __init__(
        self, base: Base, programs: Mapping[str, Program], folder: Path, *, sections: Mapping[str, Any] | None = None
    ) -> None:
        self.base, self.programs, self.folder = base, programs, folder
        self.inbox, self.outbox = folder / "in", folder / "out"
        for each in (self.inbox, self.outbox, folder / "vendors", folder / "secrets"):
            each.mkdir(exist_ok=True)
        self.define(sections or {})

    def define(self, sections: Mapping[str, Any]) -> None:
        """Write the vendor's definition and start a process with it."""
        where = sections.get("where", (str(self.inbox), str(self.outbox)))
        definition: dict[str, Any] = {
            "id": "vue",
            "name": "Test Centres",
            "programs": ["cisco"],
            "time_zone": "America/Chicago",
            "demographics": {
                "folder": where[0],
                "file": "cdd-{program}-{number}.txt",
                "confirmations": {"folder": where[1], "file": "vcdc-{program}-{number}.txt"},
            },
            "authorizations": {
                "folder": where[0],
                "file": "ead-{program}-{number}.txt",
                "confirmations": {"folder": where[1], "file": "eac-{program}-{number}.txt"},
            },
            "registrations": {"folder": where[1], "file": "registrations-{program}-{from}-{to}.txt"},
        }
        for name, changes in sections.items():
            if name != "where":
                definition[name] = {**definition.get(name, {}), **changes}
        (self.folder / "vendors" / "vue.yaml").write_text(yaml.safe_dump(definition))
        self.parts, self.outgoing = self.process()

    def process(self) -> tuple[Parts, Outgoing]:
        """Another process of the service."""
        settings = ExamsSettings.model_construct(
            batch_size=200,
            erasure_key=ERASURE_KEY,
            vendors_dir=self.folder / "vendors",
            vendor_secrets_dir=self.folder / "secrets",
        )
        base = self.base
        platform = Platform(base.database, base.unit_of_work, self.programs, base.clock, base.owner)
        reach, vendors = reach_with(Secrets(settings.vendor_secrets_dir)), load_vendors(settings.vendors_dir)
        self.reconciliation = Reconciliation(platform, ExamsStore(base.database), vendors, reach)
        return build(platform, settings), Outgoing(platform, vendors, reach)

    async def take(self, *items: Any) -> None:
        """What services say, as one batch."""
        await self._handle(topology.events_queue("exams"), items)

    async def report(self, *items: Any) -> None:
        """What vendors say, as one batch."""
        await self._handle(topology.vendors_queue("exams"), items)

    async def _handle(self, queue: str, items: Sequence[Any]) -> None:
        await self.base.handle(next(each.work for each in self.parts.subscriptions if each.queue == queue), *items)

    async def run(self, job: str) -> None:
        await next(each.run for each in self.parts.jobs if each.name == job)()

    async def exchange(self) -> None:
        """Let a process do with the vendor whatever it is time for."""
        (one,) = self.outgoing.exchanges
        await one.run()

    async def round(self) -> None:
        """Compare profiles, then exchange files; an hour has gone by since the last time."""
        self.base.clock.advance(timedelta(hours=1, seconds=1))
        await self.run("vendor-profiles")
        await self.exchange()

    def sent(self, name: str) -> list[dict[str, str]]:
        """The lines of a file in the vendor's folder, by column."""
        text = (self.inbox / name).read_bytes().decode("cp1252")
        header, *lines = [line.split("\t") for line in text.removesuffix("\r\n").split("\r\n")]
        return [dict(zip(header, line, strict=True)) for line in lines]

    def names(self) -> list[str]:
        return sorted(path.name for path in self.inbox.iterdir())

    def answer(self, name: str, column: str, *lines: tuple[str, str, str]) -> None:
        """Put a confirmation into our folder: record, status and message of each line."""
        rows = [f"{column}\tStatus\tMessage", *("\t".join(line) for line in lines)]
        (self.outbox / name).write_bytes("".join(f"{row}\r\n" for row in rows).encode("cp1252"))

    def told(self, subject: str = "C1") -> list[str]:
        """The kinds of events about vendors' profiles, in the order told."""
        about = [event for event in said(self.base) if event.get("subject") == subject]
        return [kind for event in about if "VendorProfile" in (kind := event["type"].split(".")[-2])]

    @asynccontextmanager
    async def api(self) -> AsyncIterator["Callers"]:
        verifier = TokenVerifier(StaticKeys(KEY), "certrail", self.base.clock)
        app = build_app(self.parts.api, verifier, idempotency=kept_answers(self.base.database, self.base.clock))
        async with TestClient(TestServer(app)) as client:
            yield Callers(client, self.base)


class Callers:
    """Asks the API as a candidate or as staff. Answers are a status and what the body holds."""

    def __init__(self, client: Any, base: Base) -> None:
        self._client = client
        self._base = base

    async def candidate(self, method: str, path: str, *, who: str = "C1", **more: Any) -> Any:
        principal = Principal(f"candidate:{who}", Kind.CANDIDATE, frozenset({"cisco"}), CANDIDATE, who)
        return await self._ask(principal, method, path, **more)

    @property
    def origin(self) -> str:
        return str(self._client.make_url("")).rstrip("/")

    def staff_token(self) -> str:
        return self._token(Principal("staff:ada", Kind.STAFF, frozenset({"cisco"}), OPERATOR))

    def _token(self, principal: Principal) -> str:
        now = self._base.clock.now()
        return sign(principal, KEY, issuer="certrail", token_id="t", now=now, lifetime=timedelta(minutes=5))

    async def staff(self, method: str, path: str, *, program: str = "cisco", **more: Any) -> Any:
        principal = Principal("staff:ada", Kind.STAFF, frozenset({program}), OPERATOR)
        return await self._ask(principal, method, path, **more)

    async def _ask(
        self,
        principal: Principal,
        method: str,
        path: str,
        *,
        key: str | None = None,
        file: tuple[str, bytes] | None = None,
        **body: Any,
    ) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self._token(principal)}"} | ({"Idempotency-Key": key} if key else {})
        content: dict[str, Any] = {"json": body} if body else {}
        if file is not None:
            headers["Content-Type"], content = file[0], {"data": file[1]}
        path = f"/api/exams/v1/programs/cisco{path}"
        response = await self._client.request(method, path, headers=headers, **content)
        if response.content_type.endswith("json"):
            return response.status, await response.json()
        return response.status, await response.read()
