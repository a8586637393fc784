"""Credentials follow the ledger whatever happens in between: crashes, races, many at once, and one that fails."""

import asyncio
import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from libs.common.mongo.unit_of_work import Transaction
from libs.common.programs import Program
from services.certs.credentials.credential import Credential
from services.certs.credentials.store import DUE, MIGRATION, CredentialsDue, takes_back
from tests.service.certs_station import CertsStation
from tests.service.credentials.look import ME, NOW, ada, proven, rows, told
from tests.service.rig import Base, eventually
from tests.service.samples import invalidated, passed, received


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
    await station.compare()
    (row,) = await rows(base)
    assert (row["signed"], row["jwt"], await base.rows(DUE)) == (False, None, [])
    await station.settle()
    (row,) = await rows(base)
    assert proven(json.loads(row["document"]))
    assert note["candidates"] == ["C1"]


async def test_one_that_is_read_before_it_was_signed_is_signed_at_once_and_only_once(station: CertsStation) -> None:
    await station.take(received(passed()))
    await station.compare()
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


async def test_what_was_signed_of_an_earlier_version_is_not_kept(station: CertsStation) -> None:
    await station.take(received(ada()))
    await station.take(received(passed()))
    await station.compare()
    signing = station.parts.background[1].__self__._credentials  # type: ignore[attr-defined]
    (row,) = await rows(station.base)
    earlier = await signing._store.get(row["_id"])
    async with station.api() as api:
        chosen = {"directory": False, "name_in_badges": True, "native_name": False}
        assert (await api.candidate("PUT", f"{ME}/sharing", **chosen))[0] == 200
    await station.compare()
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
