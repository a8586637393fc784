"""Programs of others accept our credentials in every form, and refuse what we altered, revoked or let expire.

They resolve what a credential names as they would on the web, from what we publish.
"""

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from libs.common.clock import FixedClock
from libs.common.programs import Program
from services.certs.signing.contexts import BUNDLED
from services.certs.signing.vocabulary import CLR, OB, OB_EXTENSIONS, VC
from tests.nodes import PACKAGES, needs_node
from tests.service.certs_station import CertsStation
from tests.service.conftest import OpenBase
from tests.service.rig import Base
from tests.service.samples import passed, received
from tests.unit.certs.credential_samples import STANDARDS
from tests.unit.certs.test_verifying_files import NAME, paper

TODAY = datetime.now(UTC).replace(microsecond=0)
"""The programs know no other day."""

ROOT = "https://certrail.example"
SCHEMA = "ob_v3p0_achievementcredential_schema.json"
Verdicts = dict[str, dict[str, list[str]]]


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(TODAY - timedelta(days=1_400))


@pytest.fixture
async def base(base_of: OpenBase) -> AsyncIterator[Base]:
    async with base_of("certs") as opened:
        yield opened


async def web(api: Any, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """What addresses answer: ours from our API, those of others as they are published."""
    schema = json.loads((STANDARDS / "schemas" / SCHEMA).read_text())
    found = {address: BUNDLED.load(address, {})["document"] for address in (VC, OB, OB_EXTENSIONS, CLR)}
    found[f"https://purl.imsglobal.org/spec/ob/v3p0/schema/json/{SCHEMA}"] = schema
    lists = {f"/status/{row['program']}/{row['status_list']}" for row in rows}
    for path in ("/issuers/cisco/did.json", *lists):
        found[ROOT + path] = json.loads(await (await api.fetch(path)).read())
    return found


async def verdicts(documents: dict[str, Any], files: dict[str, tuple[str, bytes]]) -> Verdicts:
    """Why each program refuses each file; nothing where it accepts it."""
    given = {name: {"form": form, "content": b64encode(content).decode()} for name, (form, content) in files.items()}
    process = await asyncio.create_subprocess_exec(
        "node",
        "verify_credentials.mjs",
        cwd=PACKAGES,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate(json.dumps({"documents": documents, "files": given}).encode())
    assert process.returncode == 0
    found: Verdicts = json.loads(output)
    return found


@needs_node
async def test_verifiers_of_others_say_what_we_say(base: Base, programs: dict[str, Program]) -> None:
    station = CertsStation(base, programs)
    await station.take(received(passed("C3", "R3", taken_on=(TODAY - timedelta(days=1_401)).date())))
    await station.settle()
    base.clock.advance(timedelta(days=1_400))
    await station.take(received(passed("C1", "R1", taken_on=(TODAY - timedelta(days=10)).date())))
    await station.take(received(passed("C2", "R2", taken_on=(TODAY - timedelta(days=10)).date())))
    await station.settle()
    async with station.api() as api:
        revoke = {"kind": "revoke", "certification": "CCNA", "reason": "forged"}
        assert (await api.staff("POST", "/cisco/candidates/C2/decisions", key="1", **revoke))[0] == 201
        await station.settle()
        rows = await base.rows("credentials")
        by = {row["candidate_id"]: row for row in rows}
        good = bytes(by["C1"]["document"])
        files = {
            "json": ("json", good),
            "png": ("png", await (await api.fetch(f"/credentials/{by['C1']['_id']}.png")).read()),
            "svg": ("svg", await (await api.fetch(f"/credentials/{by['C1']['_id']}.svg")).read()),
            "attachment": ("pdf", paper((NAME, good))),
            "altered": ("json", json.dumps({**json.loads(good), "name": "Somebody else's"}).encode()),
            "added": ("json", json.dumps({**json.loads(good), "undefined": "a word"}).encode()),
            "revoked": ("json", bytes(by["C2"]["document"])),
            "expired": ("json", bytes(by["C3"]["document"])),
        }
        found = await verdicts(await web(api, rows), files)
    assert {name for name, said in found.items() if said == {"core": [], "bazaar": []}} == {
        "json",
        "png",
        "svg",
        "attachment",
    }
    assert {name: found[name]["core"] for name in ("altered", "added", "revoked", "expired")} == {
        "altered": ["invalid_signature"],
        "added": ["jsonld.ValidationError"],
        "revoked": ["revocation_status"],
        "expired": ["expiration"],
    }
    refused = {name: " ".join(found[name]["bazaar"]) for name in ("altered", "added", "revoked", "expired")}
    assert "Invalid signature" in refused["altered"]
    assert "Safe mode" in refused["added"]
    assert "status: set" in refused["revoked"]
    assert "validUntil" in refused["expired"]
