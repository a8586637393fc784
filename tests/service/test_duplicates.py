"""Accounts that may be of one person: found as they come and change, offered to staff, dismissed for good."""

from typing import Any

import pytest

from libs.common.events.types import Address
from libs.common.events.vendors import VendorCandidate
from libs.common.mongo.client import Document
from services.identity.domain.suspicions import CROWD
from services.identity.duplicates.comparing import Comparing
from tests.service.samples import registration, reported
from tests.service.test_merging import Ask, People, people, staff

__all__ = ["people"]

HOME = Address(lines=["Storgatan 1"], city="Umeå", postal_code="903 26", country="SE")
WHY = "Father and daughter; both rang."


async def opened(people: People, person: str, given: str, family: str, **more: Any) -> str:
    """The ID of an account made for somebody who lives at `HOME`, unless said otherwise."""
    email, home = more.pop("email", f"{person}@example.com"), more.pop("address", HOME)
    who = VendorCandidate(given_name=given, family_name=family, email=email, country="SE")
    await people.identity.take(reported(registration(person, f"G-{person}", candidate=who, address=home)))
    (row,) = await people.base.rows("external_ids", _id=f"cisco:vue:{person}")
    return str(row["candidate_id"])


async def offered(people: People, ask: Ask) -> list[tuple[str, str, list[str]]]:
    await people.compare()
    status, found = await ask("staff", "GET", "suspected-duplicates")
    assert status == 200, found
    return [(pair["one"]["candidate_id"], pair["other"]["candidate_id"], pair["reasons"]) for pair in found["items"]]


async def change(people: People, candidate_id: str, **changes: Any) -> None:
    """As profiles and cases do it: a change is told, so the version grows."""
    store, unit_of_work = people.identity.store, people.base.unit_of_work

    async def work(transaction: Any) -> None:
        await store.next_version(transaction.session, candidate_id, transaction.now)
        await store.change(transaction.session, candidate_id, changes)

    await unit_of_work.run(work)


async def test_one_name_at_one_place_is_offered_whatever_the_spelling_and_never_a_name_alone(people: People) -> None:
    one = await opened(people, "p1", "Zoë", "Ångström")
    two = await opened(people, "p2", "ANGSTROM", "Zoe", address=HOME.model_copy(update={"postal_code": "90326"}))
    await opened(people, "p3", "Zoe", "Angstrom", address=None)
    elsewhere = Address(lines=["Kungsgatan 99"], city="Kiruna", postal_code="981 31", country="SE")
    await opened(people, "p4", "Zoe", "Angstrom", address=elsewhere)
    await opened(people, "p5", "Bo", "Angstrom")
    async with people.asking({"staff": staff(), "other": staff("juniper")}) as ask:
        assert await offered(people, ask) == [(one, two, ["name", "address", "country"])]
        assert (await ask("other", "GET", "suspected-duplicates"))[0] == 404


async def test_scripts_of_one_name_are_one(people: People) -> None:
    one = await opened(people, "p1", "Зоэ", "Иванова")
    two = await opened(people, "p2", "Zoe", "Ivanova")
    async with people.asking({"staff": staff()}) as ask:
        assert await offered(people, ask) == [(one, two, ["name", "address", "country"])]


async def test_a_changed_profile_is_compared_again_and_what_is_alike_no_more_is_forgotten(people: People) -> None:
    one, two = await opened(people, "p1", "Ada", "King"), await opened(people, "p2", "Ada", "Byron")
    async with people.asking({"staff": staff()}) as ask:
        assert await offered(people, ask) == []
        await change(people, two, family_name="King")
        assert await offered(people, ask) == [(one, two, ["name", "address", "country"])]
        await change(people, two, address=None)
        assert await offered(people, ask) == []
        await change(people, two, email_key="p1@example.com")
        assert await offered(people, ask) == [(one, two, ["email", "name", "country"])]


async def test_what_staff_have_dismissed_is_not_offered_again_by_anything(people: People) -> None:
    one, two = await opened(people, "p1", "Ada", "King"), await opened(people, "p2", "Ada", "King")
    body = {"one": two, "other": one, "reason": WHY}
    async with people.asking({"staff": staff(), "other": staff("juniper")}) as ask:
        assert len(await offered(people, ask)) == 1
        assert (await ask("other", "POST", "suspected-duplicates/dismissals", body))[0] == 404
        assert (await ask("staff", "POST", "suspected-duplicates/dismissals", body | {"other": two}))[0] == 422
        assert (await ask("staff", "POST", "suspected-duplicates/dismissals", body | {"other": "C99"}))[0] == 404
        status, kept = await ask("staff", "POST", "suspected-duplicates/dismissals", body)
        assert (status, kept["dismissed_by"], kept["reason"]) == (200, "staff:1", WHY)
        assert (kept["one"]["candidate_id"], kept["other"]["candidate_id"]) == (one, two)
        for reason in ("Other words", "Yet others"):
            later = await ask("staff", "POST", "suspected-duplicates/dismissals", body | {"reason": reason})
            assert later == (200, kept), "who said so first stands"
        await change(people, two, email_key="p1@example.com")
        assert await offered(people, ask) == []
        assert (await ask("staff", "GET", f"candidates/{one}/similar"))[1]["items"] == []
        await people.merge(one, two)
        await people.compare()
        await people.reverse()
        assert await offered(people, ask) == []


async def test_merged_accounts_are_no_pair_until_they_are_two_again(people: People) -> None:
    one, two = await opened(people, "p1", "Ada", "King"), await opened(people, "p2", "Ada", "King")
    async with people.asking({"staff": staff()}) as ask:
        pair = await offered(people, ask)
        await people.merge(one, two)
        assert (await ask("staff", "GET", "suspected-duplicates"))[1]["items"] == [], "at once"
        assert await offered(people, ask) == []
        assert await people.base.rows("suspected_duplicates") == []
        await people.reverse()
        assert await offered(people, ask) == pair


async def test_a_schools_address_makes_no_pairs_of_strangers(people: People) -> None:
    for number in range(CROWD + 1):
        await opened(people, f"s{number}", f"{chr(97 + number) * 5}", f"{chr(109 + number) * 5}", email="it@school.se")
    async with people.asking({"staff": staff()}) as ask:
        assert await offered(people, ask) == []
        first = await opened(people, "t1", "Ada", "King", email="it@school.se", address=None)
        second = await opened(people, "t2", "King", "Ada", email="it@school.se", address=None)
        assert await offered(people, ask) == [(first, second, ["email", "name", "country"])]


async def test_each_account_is_compared_once_and_again_after_a_death_half_way(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = await opened(people, "p1", "Ada", "King"), await opened(people, "p2", "Ada", "King")
    comparing = Comparing(people.duplicates, people.programs, people.base.clock)

    async def die(*_: Any) -> None:
        raise ConnectionError

    with monkeypatch.context() as patched:
        patched.setattr(comparing._store, "compared", die)
        with pytest.raises(ConnectionError):
            await comparing.run()
    async with people.asking({"staff": staff()}) as ask:
        assert await offered(people, ask) == [(one, two, ["name", "address", "country"])]
    assert await people.duplicates.uncompared("cisco", 10) == []


async def test_nothing_is_left_of_a_pair_when_one_is_erased_while_they_are_compared(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = await opened(people, "p1", "Ada", "King"), await opened(people, "p2", "Ada", "King")
    comparing = Comparing(people.duplicates, people.programs, people.base.clock)
    record = comparing._store.record

    async def erased_before(account: Document, *more: Any) -> None:
        await people.base.database["candidates"].delete_one({"_id": one})
        await record(account, *more)

    await people.compare()
    await change(people, two, country="NO")
    monkeypatch.setattr(comparing._store, "record", erased_before)
    await comparing.run()
    assert await people.base.rows("suspected_duplicates") == []
