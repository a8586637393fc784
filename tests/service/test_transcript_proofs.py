"""What verifiers take away from a transcript: the signed record, and receipts that are checked offline."""

import json
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from jsonschema.validators import validator_for

from libs.common.clock import FixedClock
from libs.common.http.scopes import KEYS_MANAGE, OPERATOR
from libs.common.programs import Program
from services.certs.signing.data_integrity import BadProof
from services.certs.signing.vc_jwt import header_of, verify_jwt
from services.certs.transcripts.receipts import read_receipt
from tests.service.certs_station import CertsStation
from tests.service.conftest import OpenBase
from tests.service.credentials.look import proven
from tests.service.samples import CERTIFICATION, passed, received
from tests.service.transcript_desk import (
    ME,
    NOW,
    PAGE,
    Sharer,
    begin,
    decide,
    earn_professional,
    path_of,
    sharing,
)
from tests.unit.certs.desk import merged

SCHEMA = Path(__file__).parents[1] / "standards" / "schemas" / "clr_v2p0_clrcredential_schema.json"
VC = "application/vc"
ROOT = "https://certrail.example"


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
async def station(base_of: OpenBase, programs: dict[str, Program]) -> AsyncIterator[CertsStation]:
    """C1 holds four certifications, each with a signed credential."""
    async with base_of("certs") as base:
        station = CertsStation(base, programs)
        await begin(station)
        await earn_professional(station)
        await station.settle()
        yield station


@pytest.fixture
async def me(station: CertsStation) -> AsyncIterator[Sharer]:
    async with sharing(station) as sharer:
        yield sharer


async def record(me: Sharer, made: Any, accept: str = VC) -> bytes:
    response = await me.callers.fetch(path_of(made), accept=accept)
    assert response.status == 200, await response.text()
    assert response.headers["Content-Type"] == accept
    return bytes(await response.read())


def inner(document: dict[str, Any]) -> list[dict[str, Any]]:
    return list(document["credentialSubject"]["verifiableCredential"])


async def test_record_is_a_clr_of_the_signed_credentials_whole(station: CertsStation, me: Sharer) -> None:
    made = await me.publish("CCNA", "CCNP-Enterprise")
    document = json.loads(await record(me, made))
    schema = json.loads(SCHEMA.read_text())
    check = validator_for(schema)(schema)
    assert [error.message for error in check.iter_errors(document)] == []
    assert list(check.iter_errors({**document, "credentialSubject": {}}))
    assert proven(document)
    assert not proven({**document, "name": "Another"})
    assert (document["partial"], document["validUntil"]) == (True, "2027-02-21T07:59:59Z")
    assert document["id"] == f"{made['link']}/record"
    stored = {row["_id"]: json.loads(row["document"]) for row in await station.base.rows("credentials")}
    for one in inner(document):
        assert one == stored[one["id"].rpartition("/")[2]]
        assert proven(one)
    assert {one["credentialSubject"]["achievement"]["humanCode"] for one in inner(document)} == {
        "CCNA",
        "CCNP-Enterprise",
    }
    assert "For the tender" not in json.dumps(document)


async def test_record_with_everything_is_not_partial(me: Sharer) -> None:
    _, choices = await me.callers.candidate("GET", f"{ME}/transcript-choices")
    made = await me.publish(*[one["certification"] for one in choices["certifications"]])
    document = json.loads(await record(me, made))
    assert document["partial"] is False
    assert len(inner(document)) == 4


async def test_record_of_merged_accounts_is_about_one_subject(station: CertsStation, me: Sharer) -> None:
    await station.take(received(passed("C2", "R-C2", exam_code="200-201", taken_on=date(2025, 9, 1), known_at=NOW)))
    await station.settle()
    await station.take(received(merged("C2", "C1", NOW + timedelta(minutes=1))))
    await station.settle()
    _, choices = await me.callers.candidate("GET", f"{ME}/transcript-choices")
    made = await me.publish(*[one["certification"] for one in choices["certifications"]])
    document = json.loads(await record(me, made))
    subjects = {one["credentialSubject"]["id"] for one in inner(document)}
    assert subjects == {document["credentialSubject"]["id"]}
    assert (len(choices["certifications"]), len(inner(document)), document["partial"]) == (5, 4, True)
    assert len({row["subject"] for row in await station.base.rows("credentials")}) == 2


async def test_record_is_signed_once_for_the_same_content_and_leaves_out_what_was_revoked(
    station: CertsStation, me: Sharer, clock: FixedClock
) -> None:
    made = await me.publish("CCNA", "CCNP-Enterprise")
    first = await record(me, made)
    clock.advance(timedelta(hours=1))
    assert await record(me, made) == first
    await decide(me, "revoke", "2026-10-02")
    second = json.loads(await record(me, made))
    (left,) = inner(second)  # at once: its credential's own bit is set a moment later
    assert left["credentialSubject"]["achievement"]["humanCode"] == "CCNP-Enterprise"
    assert proven(second)
    await decide(me, "revoke", "2026-10-02", "CCNP-Enterprise")
    await station.settle()
    assert (await me.callers.fetch(path_of(made), accept=VC)).status == 406


async def test_record_of_a_compromised_key_is_signed_anew(station: CertsStation, me: Sharer) -> None:
    made = await me.publish()
    before = json.loads(await record(me, made))
    kid = before["proof"][0]["verificationMethod"].partition("#")[2]
    status, _ = await me.callers.staff("DELETE", f"/cisco/issuer-keys/{kid}", scopes=OPERATOR | KEYS_MANAGE)
    assert status < 300
    after = json.loads(await record(me, made))
    assert kid not in after["proof"][0]["verificationMethod"]


async def test_record_is_offered_as_a_file_and_as_a_token(me: Sharer) -> None:
    made = await me.publish()
    response = await me.callers.fetch(f"{path_of(made)}/record", **PAGE)
    assert response.headers["Content-Disposition"] == f'attachment; filename="transcript-{made["code"]}.json"'
    token = (await record(me, made, "application/vc+jwt")).decode()
    key = await published(me, header_of(token)["kid"])
    assert verify_jwt(token, key)["type"] == ["VerifiableCredential", "ClrCredential"]


async def published(me: Sharer, address: str) -> RSAKey:
    """A key as anybody gets it."""
    response = await me.callers.fetch(address.removeprefix(ROOT))
    assert response.status == 200
    return RSAKey.import_key(await response.json())


async def test_receipt_says_what_was_seen_and_when_and_is_checked_offline(me: Sharer, clock: FixedClock) -> None:
    made = await me.publish(remarks="For lot 2")
    _, seen = await me.json(path_of(made))
    response = await me.callers.fetch(f"{path_of(made)}/receipt.jwt")
    assert (response.content_type, response.headers["Cache-Control"]) == ("application/jwt", "no-store")
    token = await response.text()
    key = await published(me, header_of(token)["kid"])
    said = read_receipt(token, key)
    assert said["seen"] == seen | {"checked_at": "2026-11-22T12:00:30Z"}
    assert said["iat"] == int(NOW.timestamp())
    assert said["sub"] == f"{ROOT}/check/{made['code']}"
    with pytest.raises(JoseError):
        read_receipt(token[:-8] + ("A" * 8 if not token.endswith("A" * 8) else "B" * 8), key)
    with pytest.raises(BadProof):
        verify_jwt(token, key)
    with pytest.raises(ValueError, match="not a receipt"):
        read_receipt((await record(me, made, "application/vc+jwt")).decode(), key)
    await me.withdraw(made)
    clock.advance(timedelta(days=400))
    assert read_receipt(token, key)["seen"]["heading"] == "Genuine and unchanged."


async def test_receipt_to_print_has_the_signed_text_which_is_english_on_any_page(me: Sharer) -> None:
    made = await me.publish()
    for language, words in (
        ("en", "It says nothing of any later day."),
        ("es", "No dice nada de ningún día posterior."),
    ):
        status, page = await me.page(f"{path_of(made)}/receipt", **{"Accept-Language": language})
        assert (status, words in page) == (200, True)
        token = page.partition('<p class="signed" dir="ltr">')[2].partition("</p>")[0]
        seen = read_receipt(token, await published(me, header_of(token)["kid"]))["seen"]
        assert (seen["name"], seen["heading"]) == ("Zoë Ångström", "Genuine and unchanged.")


async def test_code_of_a_badge_says_its_state_and_no_name_without_leave(station: CertsStation, me: Sharer) -> None:
    (row,) = await station.base.rows("credentials", certification=CERTIFICATION)
    _, seen = await me.json(f"/check/{row['code']}")
    assert (seen["kind"], seen["verdict"], seen["name"]) == ("credential", "genuine", None)
    assert seen["text"] == "Cisco Certification Program issued this. One certification is active."
    response = await me.callers.fetch(f"/check/{row['code']}/receipt.jwt")
    token = await response.text()
    assert read_receipt(token, await published(me, header_of(token)["kid"]))["seen"]["kind"] == "credential"
    await decide(me, "suspend", "2026-11-01")
    assert (await me.json(f"/check/{row['code']}"))[1]["heading"] == "Not valid at present: suspended."
    await decide(me, "revoke", "2026-11-02")
    await station.settle()
    status, page = await me.page(f"/check/{row['code']}")
    assert status == 200
    assert "<h1>Not valid: revoked" in page


async def test_code_of_a_certificate_shows_the_name_on_it(station: CertsStation, me: Sharer) -> None:
    status, _ = await me.callers.candidate("GET", f"{ME}/certifications/{CERTIFICATION}/certificate.pdf")
    assert status == 200
    (row,) = await station.base.rows("certificates")
    _, seen = await me.json(f"/check/{row['code']}")
    assert (seen["kind"], seen["name"], seen["verdict"]) == ("certificate", "Zoë Ångström", "genuine")
