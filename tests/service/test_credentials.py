"""Credentials follow the ledger: issued, corrected, revoked, signed and shown, whatever happens in between."""

import asyncio
import json
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from libs.common.clock import FixedClock
from libs.common.events import identity
from libs.common.http.scopes import KEYS_MANAGE
from libs.common.mongo.unit_of_work import Transaction
from libs.common.programs import Program, load_definition
from services.certs.credentials import bits, status_lists
from services.certs.credentials.baking import credentials_in_png
from services.certs.credentials.credential import Credential
from services.certs.credentials.documents import email_hash
from services.certs.credentials.store import DUE, MIGRATION, CredentialsDue, takes_back
from services.certs.signing.data_integrity import BadProof, verify
from services.certs.signing.multikey import read_multikey
from tests.service.certs_station import Callers, CertsStation
from tests.service.conftest import OpenBase
from tests.service.privacy_station import PrivacyStation
from tests.service.rig import Base, eventually, said
from tests.service.samples import invalidated, passed, received
from tests.unit.certs.desk import merged, separated

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ME = "/cisco/candidates/C1"
ROOT = "https://certrail.example"


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
async def base(base_of: OpenBase) -> AsyncIterator[Base]:
    async with base_of("certs") as opened:
        yield opened


@pytest.fixture
def station(base: Base, programs: dict[str, Program]) -> CertsStation:
    return CertsStation(base, programs)


async def rows(base: Base, **query: Any) -> list[dict[str, Any]]:
    return await base.database["credentials"].find(query).sort([("issued_at", 1), ("_id", 1)]).to_list(None)


def told(base: Base) -> list[tuple[str, str]]:
    return [
        (event["type"].split(".")[2], event["data"]["candidate_id"])
        for event in said(base)
        if event["type"].split(".")[2].startswith("Badge")
    ]


async def revoked_bit(api: Callers, row: dict[str, Any]) -> bool:
    answer = await api.fetch(f"/status/{row['program']}/{row['status_list']}")
    assert answer.status == 200
    listed = json.loads(await answer.read())
    return bits.is_set(bits.decoded(listed["credentialSubject"]["encodedList"]), row["status_index"])


def proven(document: dict[str, Any]) -> bool:
    (proof,) = document["proof"]
    bare = {name: value for name, value in document.items() if name != "proof"}
    try:
        verify(bare, proof, read_multikey(proof["verificationMethod"].partition("#")[2]))
    except BadProof:
        return False
    return True


# --- Issued and shown ------------------------------------------------------------------------------------------------


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


# --- Followed through ------------------------------------------------------------------------------------------------


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


# --- What is said of the person --------------------------------------------------------------------------------------


def ada(**more: Any) -> Any:
    given = {"given_name": "Ada", "family_name": "Lovelace", "email": "ada@example.com", "country": "GB"}
    return identity.CandidateRegistered(candidate_id="C1", registered_at=NOW, **{**given, **more})


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
        await _compare_only(station)
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


# --- Crashes and races -----------------------------------------------------------------------------------------------


async def test_a_process_that_dies_between_grant_and_signature_is_followed_by_another(
    base: Base, programs: dict[str, Program]
) -> None:
    dying = CertsStation(base, programs)
    await dying.take(received(passed()))
    (note,) = await base.rows(DUE)
    assert await CredentialsDue(base.database).claim("dying", NOW, 1)  # and is never heard of again
    station = CertsStation(replace(base, owner="another"), programs)
    assert await CredentialsDue(base.database).claim("another", NOW, 1) == []
    base.clock.advance(CredentialsDue.LEASE)
    await _compare_only(station)
    (row,) = await rows(base)
    assert (row["signed"], row["jwt"], await base.rows(DUE)) == (False, None, [])
    await station.settle()
    (row,) = await rows(base)
    assert proven(json.loads(row["document"]))
    assert note["candidates"] == ["C1"]


async def _compare_only(station: CertsStation) -> None:
    """Let the loop that issues work, and nothing that signs."""
    issuing = station.parts.background[0]
    stopping = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(issuing(stopping))
        await eventually(lambda: station.base.rows(DUE), lambda notes: not notes)
        stopping.set()


async def test_one_that_is_read_before_it_was_signed_is_signed_at_once_and_only_once(station: CertsStation) -> None:
    await station.take(received(passed()))
    await _compare_only(station)
    (row,) = await rows(station.base)
    async with station.api() as api:
        answers = await asyncio.gather(*(api.fetch(f"/credentials/{row['_id']}") for _ in range(5)))
        bodies = {await answer.read() for answer in answers}
        assert len(bodies) == 1
        await station.settle()
        assert await (await api.fetch(f"/credentials/{row['_id']}")).read() in bodies
        assert proven(json.loads(bodies.pop()))


async def test_two_comparisons_of_a_candidate_side_by_side_make_one_credential(
    base: Base, programs: dict[str, Program]
) -> None:
    stations = [CertsStation(replace(base, owner=f"w{number}"), programs) for number in range(2)]
    await stations[0].take(received(passed()))

    class Slowly:
        def __init__(self, contacts: Any) -> None:
            self._contacts = contacts

        async def several(self, session: Any, candidates: Any) -> Any:
            await asyncio.sleep(0.3)  # long enough for both to have looked at what there is
            return await self._contacts.several(session, candidates)

    def compared(station: CertsStation) -> Any:
        issuing = station.parts.background[0].__self__._issuing  # type: ignore[attr-defined]
        issuing._contacts = Slowly(issuing._contacts)
        return base.unit_of_work.run(lambda transaction: issuing.bring_up_to_date(transaction, ["C1"]))

    assert sorted(await asyncio.gather(*map(compared, stations))) == [False, True]
    assert len(await rows(base)) == 1


async def test_fifty_issues_and_revocations_at_once_share_no_bit_and_lose_none(
    base: Base, programs: dict[str, Program], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status_lists, "LENGTH", 100)  # drawn from so few that the same is drawn again and again
    stations = [CertsStation(replace(base, owner=f"w{number}"), programs) for number in range(2)]
    first = stations[0]
    await first.take(*(received(passed(f"C{n}", f"R{n}")) for n in range(25)))
    await first.settle()
    for n in range(25):
        gone = received(invalidated(f"C{n}", f"R{n}"))
        fresh = received(passed(f"D{n}", f"S{n}"))
        await first.take(gone, fresh)
    await asyncio.gather(*(station.settle() for station in stations))
    found = await rows(base)
    assert len({(row["status_list"], row["status_index"]) for row in found}) == len(found) == 50
    async with first.api() as api:
        answer = await api.fetch("/status/cisco/1")
        listed = bits.decoded(json.loads(await answer.read())["credentialSubject"]["encodedList"])
    is_set = {index for index in range(bits.LENGTH) if listed[index // 8] and bits.is_set(listed, index)}
    assert is_set == {row["status_index"] for row in found if row["candidate_id"].startswith("C")}
    assert {row["state"] for row in found if row["candidate_id"].startswith("D")} == {"valid"}


class Slow:
    """A signer whose first signature takes until it is let go."""

    def __init__(self, signer: Any) -> None:
        self._signer = signer
        self.begun, self.go_on = asyncio.Event(), asyncio.Event()

    async def sign(self, program: str, document: Any) -> Any:
        signed = await self._signer.sign(program, document)
        self.begun.set()
        await self.go_on.wait()
        return signed


async def test_a_slower_list_does_not_replace_a_later_one(base: Base, programs: dict[str, Program]) -> None:
    slow, quick = (CertsStation(replace(base, owner=name), programs) for name in ("slow", "quick"))
    await quick.take(received(passed()))
    await quick.settle()
    lists = slow.parts.background[1].__self__._lists  # type: ignore[attr-defined]
    lists._signer = Slow(lists._signer)
    (row,) = await base.rows("status_lists")
    signing = asyncio.create_task(lists._sign(row))
    await lists._signer.begun.wait()
    await quick.take(received(invalidated()))
    await quick.settle()
    lists._signer.go_on.set()
    await signing
    (gone,) = await rows(base)
    async with quick.api() as api:
        assert await revoked_bit(api, gone)


async def test_what_was_signed_of_an_earlier_version_is_not_kept(station: CertsStation) -> None:
    await station.take(received(ada()))
    await station.take(received(passed()))
    await _compare_only(station)
    signing = station.parts.background[1].__self__._credentials  # type: ignore[attr-defined]
    (row,) = await rows(station.base)
    earlier = await signing._store.get(row["_id"])
    async with station.api() as api:
        chosen = {"directory": False, "name_in_badges": True, "native_name": False}
        assert (await api.candidate("PUT", f"{ME}/sharing", **chosen))[0] == 200
    await _compare_only(station)
    await signing.sign("cisco", [earlier])
    (row,) = await rows(station.base)
    assert (row["version"], row["signed"]) == (2, False)
    assert b"Lovelace" in (await signing.signed(earlier)).document
    # The first signature of a version stays, whoever comes later with another.
    (kept,) = await rows(station.base)
    station.base.clock.advance(timedelta(minutes=1))
    await signing.sign("cisco", [await signing._store.get(row["_id"])])
    assert await rows(station.base) == [kept]


async def test_who_follows_is_told_within_the_transaction(base: Base, programs: dict[str, Program]) -> None:
    class Refusing:
        async def changed(self, transaction: Transaction, credentials: Sequence[Credential]) -> None:
            assert transaction.session.in_transaction
            assert [one.certification for one in credentials] == ["CCNA"]
            raise LookupError("a follower's own fault")

    station = CertsStation(base, programs)
    await station.take(received(passed()))
    issuing = station.parts.background[0].__self__._issuing  # type: ignore[attr-defined]
    issuing._followers = (Refusing(),)
    with pytest.raises(LookupError):
        await base.unit_of_work.run(lambda transaction: issuing.bring_up_to_date(transaction, ["C1"]))
    assert (await rows(base), told(base)) == ([], [])


async def test_an_urgent_note_waits_for_a_few_candidates_only(station: CertsStation) -> None:
    base = station.base
    issuing = station.parts.background[0].__self__  # type: ignore[attr-defined]
    await station.take(*(received(passed(f"C{n}", f"R{n}")) for n in range(issuing.SLICE + 1)))
    assert await issuing.step()
    assert len(await rows(base)) == issuing.SLICE
    await station.take(received(invalidated("C0", "R0")))
    assert await issuing.step()
    assert [row["candidate_id"] for row in await rows(base, state="revoked")] == ["C0"]
    assert len(await rows(base)) == issuing.SLICE
    assert await issuing.step()
    assert len(await rows(base)) == issuing.SLICE + 1
    assert not await issuing.step()


async def test_what_is_taken_back_does_not_wait_while_others_are_gathered(
    station: CertsStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuing = station.parts.background[0].__self__  # type: ignore[attr-defined]
    monkeypatch.setattr(issuing, "GATHERED_SECONDS", 100.0)
    stopping = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(issuing.run(stopping))
        await station.take(received(passed("C0", "R0")))
        await eventually(lambda: rows(station.base), lambda found: len(found) == 1)
        await station.take(received(passed("C1", "R1")))
        assert await station.base.database[DUE].count_documents({"candidates": "C1"}) == 1
        await station.take(received(invalidated("C0", "R0")))
        await eventually(lambda: rows(station.base, state="revoked"), lambda found: len(found) == 1)
        stopping.set()


async def test_short_notes_share_a_transaction(station: CertsStation, monkeypatch: pytest.MonkeyPatch) -> None:
    issuing = station.parts.background[0].__self__  # type: ignore[attr-defined]
    monkeypatch.setattr(issuing, "SLICE", 3)
    for n in range(5):
        await station.take(received(passed(f"C{n}", f"R{n}")))
    assert await station.base.database[DUE].count_documents({}) == 5
    assert await issuing.step()
    assert len(await rows(station.base)) == 3
    assert await issuing.step()
    assert len(await rows(station.base)) == 5
    assert not await issuing.step()
    assert await station.base.database[DUE].count_documents({}) == 0


async def test_a_candidate_who_cannot_be_compared_holds_nobody_up_and_is_tried_again(
    station: CertsStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuing = station.parts.background[0].__self__  # type: ignore[attr-defined]
    await station.take(received(passed("C1", "R1")), received(passed("C2", "R2")))
    with monkeypatch.context() as patched:
        contacts = issuing._issuing._contacts

        class Faulty:
            async def several(self, session: Any, candidates: Collection[str]) -> Any:
                if "C1" in candidates:
                    raise KeyError("a fault")
                return await contacts.several(session, candidates)

        patched.setattr(issuing._issuing, "_contacts", Faulty())
        assert await issuing.step()
    assert [row["candidate_id"] for row in await rows(station.base)] == ["C2"]
    assert not await issuing.step()
    station.base.clock.advance(CredentialsDue.LEASE)
    assert await issuing.step()
    assert {row["candidate_id"] for row in await rows(station.base)} == {"C1", "C2"}


# --- Lists and keys --------------------------------------------------------------------------------------------------


async def test_a_list_that_is_half_full_is_followed_by_the_next(
    station: CertsStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status_lists, "FULL", 2)
    for n in range(5):
        await station.take(received(passed(f"C{n}", f"R{n}")))
        await station.settle()
    assert sorted(row["status_list"] for row in await rows(station.base)) == [1, 1, 2, 2, 3]
    async with station.api() as api:
        assert [(await api.fetch(f"/status/cisco/{n}")).status for n in (1, 2, 3, 4)] == [200, 200, 200, 404]


async def test_a_list_is_signed_again_before_it_ends(station: CertsStation) -> None:
    await station.take(received(passed()))
    await station.settle()
    (before,) = await station.base.rows("status_lists")
    station.base.clock.advance(timedelta(hours=11))
    await station.settle()
    assert await station.base.rows("status_lists") == [before]
    station.base.clock.advance(timedelta(hours=1))
    # A reader gets one that is in force even where no worker runs.
    station.base.clock.advance(timedelta(hours=13))
    async with station.api() as api:
        document = json.loads(await (await api.fetch("/status/cisco/1")).read())
    assert document["validUntil"] == "2026-11-24T13:00:00Z"
    assert proven(document)


async def test_what_a_compromised_key_has_signed_is_signed_anew(station: CertsStation) -> None:
    await station.take(received(passed()))
    await station.settle()
    (before,) = await rows(station.base)
    async with station.api() as api:
        path = f"/cisco/issuer-keys/{before['kid']}"
        assert (await api.staff("DELETE", path, scopes=KEYS_MANAGE))[0] == 204
        await station.run("lost-keys")
        await station.settle()
        (after,) = await rows(station.base)
        assert (after["version"], after["status_index"]) == (2, before["status_index"])
        assert after["kid"] != before["kid"]
        assert after["valid_from"] > before["valid_from"]
        assert proven(json.loads(after["document"]))
        listed = json.loads(await (await api.fetch("/status/cisco/1")).read())
        assert listed["proof"][0]["verificationMethod"].endswith(after["kid"])


async def test_whoever_holds_something_when_credentials_come_in_is_noted(station: CertsStation) -> None:
    await station.take(received(passed("C1", "R1")), received(passed("C2", "R2", exam_code="350-401")))
    await station.base.database[DUE].delete_many({})
    await MIGRATION.apply(station.base.database)
    (note,) = await station.base.rows(DUE)
    assert sorted(note["candidates"]) == ["C1", "C2"]
    await station.settle()
    assert {row["candidate_id"] for row in await rows(station.base)} >= {"C1"}


async def test_only_what_changes_a_certification_is_noted(station: CertsStation) -> None:
    await station.take(received(passed("C1", "R1", exam_code="no-such")))
    assert await station.base.rows(DUE) == []
    await station.take(received(passed("C1", "R2")), received(passed("C2", "R3")))
    (note,) = await station.base.rows(DUE)
    assert (note["candidates"], note["urgent"]) == (["C1", "C2"], False)


def test_a_ledger_takes_back_what_is_gone_or_ends_earlier() -> None:
    longer, shorter = (
        [{"certification": "A", "expires_on": "2030-01-01"}],
        [{"certification": "A", "expires_on": "2029-01-01"}],
    )
    ever = [{"certification": "A", "expires_on": None}]
    assert takes_back(longer, shorter)
    assert takes_back(longer, [])
    assert takes_back(ever, longer)
    assert not takes_back(shorter, longer)
    assert not takes_back(longer, ever)
    assert not takes_back([], longer)
