"""Credentials say what the ledger says: issued, renewed, revoked, merged, named and erased."""

import json
from datetime import datetime, timedelta
from typing import Any

from libs.common.programs import Program, load_definition
from services.certs.credentials.baking import credentials_in_png
from services.certs.credentials.documents import email_hash
from services.certs.credentials.store import DUE
from tests.service.certs_station import CertsStation
from tests.service.credentials.look import ME, NOW, ada, proven, revoked_bit, rows, told
from tests.service.privacy_station import PrivacyStation
from tests.service.rig import Base
from tests.service.samples import invalidated, passed, received
from tests.unit.certs.desk import merged, separated

ROOT = "https://certrail.example"


async def test_an_award_is_a_signed_credential_in_every_form(station: CertsStation) -> None:
    await station.take(received(passed()))
    await station.settle()
    (row,) = await rows(station.base)
    assert told(station.base) == [("BadgeIssued", "C1")]
    async with station.api() as api:
        answer = await api.fetch(f"/credentials/{row['_id']}")
        assert (answer.status, answer.content_type, answer.headers["Vary"]) == (200, "application/vc", "Accept")
        document = json.loads(await answer.read())
        assert document["id"] == f"{ROOT}/credentials/{row['_id']}"
        assert document["credentialSubject"]["achievement"]["humanCode"] == "CCNA"
        assert proven(document)
        assert not proven({**document, "name": "CCIE"})
        kept = await api.fetch(f"/credentials/{row['_id']}", If_None_Match=answer.headers["ETag"])
        assert kept.status == 304
        png = await api.fetch(f"/credentials/{row['_id']}.png")
        assert [json.loads(one) for one in credentials_in_png(await png.read())] == [document]
        svg = await api.fetch(f"/credentials/{row['_id']}", Accept="image/svg+xml")
        assert (svg.content_type, b"openbadges:credential" in await svg.read()) == ("image/svg+xml", True)
        token = await api.fetch(f"/credentials/{row['_id']}", Accept="application/vc+jwt")
        assert (await token.read()).decode() == row["jwt"]
        page = await api.fetch(f"/credentials/{row['_id']}", Accept="text/html,application/xhtml+xml;q=0.9")
        assert "Genuine and unchanged." in (await page.read()).decode()
        assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert (await api.fetch(f"/credentials/{row['_id'][:-1]}0")).status in {404, 200}
        assert (await api.fetch("/credentials/0b0e1d5c-3c1f-4a55-9d2b-3f0d3d9e7a11")).status == 404
        assert (await api.fetch("/b/0b0e1d5c-3c1f-4a55-9d2b-3f0d3d9e7a11")).status == 404
        achievement = json.loads(await (await api.fetch("/achievements/cisco/CCNA/" + _version(station))).read())
        assert achievement == document["credentialSubject"]["achievement"]
        assert (await api.fetch("/achievements/cisco/CCNA/999")).status == 404
        assert (await api.fetch("/issuers/cisco/image")).content_type == "image/svg+xml"
        mark = await api.fetch("/issuers/cisco/mark.png")
        assert (mark.content_type, (await mark.read())[:4]) == ("image/png", b"\x89PNG")


def _version(station: CertsStation) -> str:
    return str(station.programs["cisco"].version)


async def test_the_candidate_finds_where_badges_lead_and_gets_files(station: CertsStation) -> None:
    await station.take(received(passed()))
    async with station.api() as api:
        # Nobody has compared or signed anything yet: asking for the file does both.
        status, png = await api.candidate("GET", f"{ME}/badges/CCNA?form=png")
        assert (status, len(credentials_in_png(png))) == (200, 1)
        status, found = await api.candidate("GET", f"{ME}/badges")
        assert status == 200
        (badge,) = found["badges"]
        assert (badge["available"], badge["reason"], badge["earlier"]) == (True, None, [])
        current = badge["current"]
        assert current["page"] == f"{ROOT}/b/{current['credential_id']}"
        assert "startTask=CERTIFICATION_NAME" in current["linkedin"]
        for form, kind in (("json", "proof"), ("svg", "svg")):
            status, content = await api.candidate("GET", f"{ME}/badges/CCNA?form={form}")
            assert (status, kind in str(content)) == (200, True)
        assert (await api.candidate("GET", f"{ME}/badges/CCNP-Enterprise"))[0] == 404
        assert (await api.candidate("GET", f"{ME}/badges", who="C2"))[0] == 404
    await station.settle()
    assert len(await rows(station.base)) == 1


async def test_a_renewal_is_a_new_credential_and_the_old_one_stays_as_it_was(station: CertsStation) -> None:
    await station.take(received(passed()))
    await station.settle()
    (first,) = await rows(station.base)
    station.base.clock.advance(timedelta(hours=1))
    await station.take(received(passed("C1", "R2", exam_code="200-301", taken_on=_day("2026-11-01"))))
    await station.settle()
    before, after = await rows(station.base)
    assert before == first
    assert (after["state"], after["expires_on"], after["version"]) == ("valid", "2029-11-01", 1)
    assert after["subject"] == before["subject"]
    assert told(station.base) == [("BadgeIssued", "C1")] * 2


def _day(text: str) -> Any:
    return datetime.fromisoformat(text).date()


async def test_a_revocation_is_seen_in_the_list_at_once_and_never_undone(station: CertsStation) -> None:
    await station.take(received(passed()))
    await station.settle()
    (row,) = await rows(station.base)
    async with station.api() as api:
        assert not await revoked_bit(api, row)
        revoke = {"kind": "revoke", "certification": "CCNA", "reason": "forged"}
        assert (await api.staff("POST", f"{ME}/decisions", key="1", **revoke))[0] == 201
        assert (await api.candidate("GET", f"{ME}/badges/CCNA"))[1]["detail"] == "Not available: it was revoked."
        await station.settle()
        assert await revoked_bit(api, row)
        page = (await (await api.fetch(f"/b/{row['_id']}")).read()).decode()
        assert "Not valid: revoked on 22" in page.replace("\N{NO-BREAK SPACE}", " ")
        assert "forged" not in page
        assert told(station.base) == [("BadgeIssued", "C1"), ("BadgeWithdrawn", "C1")]
        station.base.clock.advance(timedelta(minutes=1))
        back = {"kind": "reinstate", "certification": "CCNA", "reason": "not forged"}
        assert (await api.staff("POST", f"{ME}/decisions", key="2", **back))[0] == 201
        await station.settle()
        old, new = await rows(station.base)
        assert (old["_id"], old["state"], new["state"]) == (row["_id"], "revoked", "valid")
        assert await revoked_bit(api, old)
        assert not await revoked_bit(api, new)


async def test_what_is_suspended_says_so_on_the_page_and_keeps_its_credential(station: CertsStation) -> None:
    await station.take(received(passed()))
    await station.settle()
    (row,) = await rows(station.base)
    async with station.api() as api:
        suspend = {"kind": "suspend", "certification": "CCNA", "reason": "under review"}
        assert (await api.staff("POST", f"{ME}/decisions", key="1", **suspend))[0] == 201
        await station.settle()
        assert await rows(station.base) == [row]
        page = (await (await api.fetch(f"/b/{row['_id']}")).read()).decode()
        assert "Not valid at present: suspended." in page
        status, refused = await api.candidate("GET", f"{ME}/badges/CCNA")
        assert (status, refused["detail"]) == (409, "Not available: it is suspended.")
        assert refused["type"] == "urn:certrail:problem:certification-not-active"


async def test_what_has_expired_is_refused_with_its_day(station: CertsStation) -> None:
    await station.take(received(passed()))
    await station.settle()
    station.base.clock.advance(timedelta(days=500))
    await station.run("expiry")
    await station.settle()
    (row,) = await rows(station.base)
    assert row["state"] == "valid"
    async with station.api() as api:
        status, refused = await api.candidate("GET", f"{ME}/badges/CCNA")
        assert (status, refused["detail"]) == (409, "Not available: expired on 10 March 2028.")
        _, found = await api.candidate("GET", f"{ME}/badges")
        assert found["badges"][0]["reason"] == "Not available: expired on 10 March 2028."
        assert "Genuine, but expired." in (await (await api.fetch(f"/b/{row['_id']}")).read()).decode()


async def test_without_the_agreement_nothing_is_issued(base: Base, programs: dict[str, Program]) -> None:
    text = programs["cisco"].definition.replace("award: where recorded", "award: required")
    station = CertsStation(base, {**programs, "cisco": load_definition(text, name="cisco.yaml")})
    await station.take(received(passed()))
    await station.settle()
    assert await rows(base) == []
    async with station.api() as api:
        status, refused = await api.candidate("GET", f"{ME}/badges/CCNA")
        assert (status, refused["type"]) == (409, "urn:certrail:problem:agreement-missing")
        _, agreement = await api.candidate("GET", f"{ME}/agreement")
        await api.candidate("POST", f"{ME}/agreement/acceptance", version=agreement["version"])
        await station.settle()
        assert [row["state"] for row in await rows(base)] == ["valid"]
        assert (await api.candidate("GET", f"{ME}/badges/CCNA"))[0] == 200


async def test_the_account_that_goes_on_has_the_merged_ones_credentials(station: CertsStation) -> None:
    await station.take(received(passed("A")))
    await station.settle()
    (row,) = await rows(station.base)
    await station.take(received(merged("A", "B", NOW - timedelta(hours=1))))
    await station.settle()
    assert await rows(station.base) == [row]
    async with station.api() as api:
        _, found = await api.candidate("GET", "/cisco/candidates/B/badges", who="B")
        assert found["badges"][0]["current"]["credential_id"] == row["_id"]
    await station.take(received(separated("A", "B", NOW)))
    await station.settle()
    assert await rows(station.base) == [row]


async def test_what_a_family_earned_together_goes_with_it(station: CertsStation) -> None:
    await station.take(received(merged("A", "B", NOW - timedelta(hours=1))))
    await station.take(received(passed("A")))
    await station.settle()
    (row,) = await rows(station.base)
    assert row["candidate_id"] == "B"
    await station.take(received(separated("A", "B", NOW)))
    await station.settle()
    assert {(one["candidate_id"], one["state"]) for one in await rows(station.base)} == {
        ("B", "revoked"),
        ("A", "valid"),
    }


async def test_what_was_never_earned_is_revoked(station: CertsStation) -> None:
    await station.take(received(passed()))
    await station.settle()
    await station.take(received(invalidated()))
    (note,) = await station.base.rows(DUE)
    assert note["urgent"]
    await station.settle()
    assert [row["state"] for row in await rows(station.base)] == ["revoked"]


async def identities(base: Base) -> list[tuple[str, str]]:
    (row,) = await rows(base)
    said_of = json.loads(row["document"])["credentialSubject"].get("identifier", [])
    return [(one["identityType"], one["identityHash"]) for one in said_of]


async def test_the_name_is_in_it_by_the_candidates_choice_only(station: CertsStation) -> None:
    await station.take(received(ada()))
    await station.take(received(passed()))
    await station.settle()
    (first,) = await rows(station.base)
    hashed = ("emailAddress", email_hash("ada@example.com", first["email_salt"]))
    assert await identities(station.base) == [hashed]
    async with station.api() as api:
        chosen = {"directory": False, "name_in_badges": True, "native_name": False}
        assert (await api.candidate("PUT", f"{ME}/sharing", **chosen))[0] == 200
        await station.settle()
        assert await identities(station.base) == [hashed, ("name", "Ada Lovelace")]
        (named,) = await rows(station.base)
        assert (named["_id"], named["version"], named["status_index"]) == (first["_id"], 2, first["status_index"])
        assert named["valid_from"] > first["valid_from"]
        assert proven(json.loads(named["document"]))
        assert "Ada Lovelace" in (await (await api.fetch(f"/b/{first['_id']}")).read()).decode()
        assert (await api.candidate("PUT", f"{ME}/sharing", **{**chosen, "name_in_badges": False}))[0] == 200
        # Gone with the commit of the comparison, before anybody has signed.
        await station.compare()
        assert "Lovelace" not in (await (await api.fetch(f"/credentials/{first['_id']}")).read()).decode()
        assert "Lovelace" not in (await (await api.fetch(f"/b/{first['_id']}")).read()).decode()


async def test_an_erasure_leaves_the_bare_id_and_a_bit_that_is_set(
    station: CertsStation, programs: dict[str, Program]
) -> None:
    await station.take(received(ada()))
    await station.take(received(passed()))
    await station.settle()
    (row,) = await rows(station.base)
    privacy = PrivacyStation(station.base, programs)
    told_of = await privacy.exported("C1")
    assert told_of["credentials.json"][0]["id"] == row["_id"]
    assert json.loads(row["document"]) in [file for path, file in told_of.items() if path.startswith("files/")]
    await privacy.erase("C1")
    left = await privacy.stored()
    gone = ("'C1'", row["email_hash"], row["email_salt"], row["subject"])
    assert not [word for word in gone if word in left]
    assert row["_id"] in left
    async with station.api() as api:
        assert await revoked_bit(api, row)
        for path in (f"/credentials/{row['_id']}", f"/credentials/{row['_id']}.png", f"/b/{row['_id']}"):
            assert (await api.fetch(path)).status == 410
    await station.settle()
    (after,) = await rows(station.base)
    assert (after["state"], after["document"], after["candidate_id"]) == ("revoked", b"", "")
