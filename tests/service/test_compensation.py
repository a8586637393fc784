"""What changes after the fact carries through to all that proves a certification, and to what was offered for it."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from libs.common.clock import FixedClock
from libs.common.events import exams
from libs.common.programs import load_definition
from tests.service.conftest import OpenBase
from tests.service.outgoing_station import profile
from tests.service.proof_desk import Proofs, proofs
from tests.service.samples import invalidated, passed, received
from tests.unit.certs.desk import merged, separated

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
CODES = ("200-301", "350-401", "300-410", "300-420", "200-201", "350-701", "300-710")
ZOE = "Zoë Ångström"


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
async def desk(base_of: OpenBase, tmp_path: Path) -> AsyncIterator[Proofs]:
    async with proofs(base_of, tmp_path) as opened:
        yield opened


def revised(result_id: str, revision: int, grade: str, **more: Any) -> exams.ExamResultRevised:
    fields = passed("C1", result_id).model_dump() | {"grade": grade, "previous_grade": "pass"}
    return exams.ExamResultRevised(**fields | {"revision": revision} | more)


async def published(desk: Proofs) -> tuple[dict[str, str], set[str], int, set[str]]:
    """The transcript, the directory, standing badges and offers of C1."""
    listed = (await desk.listed()).get(ZOE, set())
    return await desk.transcript(), listed, len(desk.station.provider.standing()), await desk.claimable()


GOOD = ({"CCNA": "active"}, {"CCNA"}, 1, {"CCNA"})
GONE: Any = ({"CCNA": "revoked"}, set(), 0, set())


async def test_revocation_and_its_end_carry_through(desk: Proofs) -> None:
    await desk.welcome()
    assert await published(desk) == GOOD
    assert await desk.decide("revoke") == 201
    await desk.settle()
    assert await published(desk) == GONE
    assert list((await desk.bits()).values()) == [True]
    for method, proof in (("GET", "badges/CCNA"), ("POST", "certifications/CCNA/certificate")):
        status, refused = await desk.callers.candidate(method, f"/cisco/candidates/C1/{proof}")
        assert (status, refused["detail"]) == (409, "Not available: it was revoked.")
    assert [one["remains"] for one in desk.told("C1", "CertificationRevoked")] == [False]
    desk.base.clock.advance(timedelta(minutes=3))
    assert await desk.decide("reinstate") == 201
    await desk.settle()
    assert await published(desk) == GOOD
    assert sorted((await desk.bits()).values()) == [False, True], "a bit is never taken back: there is a new credential"
    await desk.check([["C1"]], {"C1": ZOE})


@pytest.mark.parametrize("how", ["invalidated", "revised"])
async def test_result_that_no_longer_counts_and_does_again(desk: Proofs, how: str) -> None:
    await desk.welcome()
    void = invalidated(result_id="R-C1") if how == "invalidated" else revised("R-C1", 2, "fail")
    await desk.take(received(void))
    await desk.settle()
    assert await published(desk) == GONE
    desk.base.clock.advance(timedelta(minutes=3))
    await desk.take(received(revised("R-C1", 3, "pass", previous_grade="fail")))
    await desk.settle()
    assert await published(desk) == GOOD
    await desk.check([["C1"]], {"C1": ZOE})


async def test_late_result_of_an_earlier_day_makes_a_credential_say_the_earlier_day(desk: Proofs) -> None:
    await desk.welcome()
    (before,) = await desk.base.rows("credentials")
    early = passed("C1", "R-early", taken_on=date(2025, 3, 1), known_at=NOW)
    await desk.take(received(early))
    await desk.settle()
    await desk.check([["C1"]], {"C1": ZOE})
    (after,) = await desk.base.rows("credentials", state="valid", _id=before["_id"])
    assert (before["earned_on"], after["earned_on"]) == ("2025-03-10", "2025-03-01")
    assert (await desk.transcript(), await desk.claimable()) == ({"CCNA": "active"}, {"CCNA"})


async def test_change_of_name_reaches_badges_transcript_and_directory(desk: Proofs) -> None:
    await desk.welcome()
    (before,) = await desk.base.rows("credentials")
    await desk.take(profile(version=9, family_name="Berg"))
    desk.base.clock.advance(timedelta(minutes=3))
    await desk.settle()
    (after,) = await desk.base.rows("credentials")
    assert (before["recipient_name"], after["recipient_name"]) == (ZOE, "Zoë Berg")
    assert (after["_id"], after["version"]) == (before["_id"], before["version"] + 1)
    assert await desk.listed() == {"Zoë Berg": {"CCNA"}}
    (badge,) = desk.station.provider.standing()
    assert badge["issued_to_last_name"] == "Berg"
    await desk.check([["C1"]], {"C1": "Zoë Berg"})


async def test_merge_and_separation_leave_one_of_everything(desk: Proofs) -> None:
    await desk.welcome("C1")
    await desk.welcome("C2", given_name="Zo")
    await desk.take(received(merged("C1", "C2", NOW - timedelta(hours=1))))
    desk.base.clock.advance(timedelta(minutes=3))
    await desk.settle()
    assert await desk.listed() == {"Zo Ångström": {"CCNA"}}
    assert await desk.claimable("C1") == await desk.claimable("C2") == {"CCNA"}
    await desk.decide("revoke", "C2")
    await desk.settle()
    assert (await desk.listed(), await desk.claimable("C1"), await desk.claimable("C2")) == ({}, set(), set())
    await desk.take(received(separated("C1", "C2", NOW)))
    desk.base.clock.advance(timedelta(minutes=3))
    await desk.settle()
    assert (await desk.listed(), await desk.claimable("C1"), await desk.claimable("C2")) == (
        {ZOE: {"CCNA"}},
        {"CCNA"},
        set(),
    )


async def test_new_policy_shortens_what_was_issued(desk: Proofs) -> None:
    await desk.welcome()
    text = re.sub(r"(?m)^version: \d+$", "version: 99", desk.station.own["cisco"].definition)
    text = text.replace("\n  validity: 3 years  ", "\n  validity: 2 years  ")
    desk.station.own["cisco"] = load_definition(text, name="cisco.yaml")
    await desk.station.run("reevaluation")
    desk.base.clock.advance(timedelta(minutes=3))
    await desk.settle()
    (told,) = desk.told("C1", "CertificationRevoked")
    assert (told["remains"], told["expires_on"]) == (True, "2027-03-10")
    (row,) = await desk.base.rows("credentials", state="valid")
    assert row["expires_on"] == "2027-03-10"
    await desk.check([["C1"]], {"C1": ZOE})
    assert await desk.claimable() == {"CCNA"}


async def test_nobody_is_reminded_of_what_has_moved(desk: Proofs) -> None:
    await desk.welcome()
    first = desk.station.programs["cisco"].reminders[0]
    desk.base.clock.advance(datetime(2028, 3, 10, 12, tzinfo=UTC) - timedelta(days=first + 5) - NOW)
    day = desk.base.clock.now().date()
    await desk.take(received(passed("C1", "R-renewed", taken_on=day, known_at=desk.base.clock.now())))
    await desk.station.run("expiry")
    assert len(desk.told("C1", "CertificationRenewed")) == 1
    desk.base.clock.advance(timedelta(days=10))
    await desk.station.run("expiry")
    assert desk.told("C1", "CertificationExpiring") == []


class History:
    """Operations at random on some candidates."""

    PEOPLE = ("C1", "C2", "C3")

    def __init__(self, desk: Proofs, random: Random) -> None:
        self.desk, self.random = desk, random
        self.names = {who: f"{given} Ångström" for who, given in zip(self.PEOPLE, ("Ada", "Bea", "Cleo"), strict=True)}
        self.results: list[tuple[str, str, dict[str, Any], int, str]] = []
        self.joined: tuple[str, str] | None = None
        self.version = 10
        self.done: list[str] = []

    async def begin(self) -> None:
        for who in self.PEOPLE:
            await self.desk.welcome(who, given_name=self.names[who].split()[0])
            self.results.append((who, f"R-{who}", {"exam_code": "200-301", "taken_on": date(2025, 3, 10)}, 1, "pass"))

    async def step(self) -> None:
        act = self.random.choices(
            (self.pass_exam, self.correct, self.decide, self.rename, self.join_or_part, self.let_time_pass),
            (4, 5, 5, 2, 3, 1),
        )[0]
        self.desk.base.clock.advance(timedelta(minutes=5))
        self.done.append(f"{act.__name__}: {await act()}")

    async def pass_exam(self) -> str:
        who, now = self.random.choice(self.PEOPLE), self.desk.base.clock.now()
        day = now.date() - timedelta(days=self.random.choice((0, 1, 30, 400)))
        about = {"exam_code": self.random.choice(CODES), "taken_on": day}
        self.results.append((who, f"R{len(self.results)}", about, 1, "pass"))
        await self.desk.take(received(passed(who, self.results[-1][1], known_at=now, **about)))
        return f"{who} {about}"

    async def correct(self) -> str:
        at = self.random.randrange(len(self.results))
        who, result_id, about, revision, grade = self.results[at]
        now, after = self.desk.base.clock.now(), self.random.choice(("pass", "fail", "invalidated"))
        more = about | {"revision": revision + 1, "previous_grade": grade, "known_at": now}
        event = (
            invalidated(who, result_id, **more)
            if after == "invalidated"
            else revised(result_id, candidate_id=who, grade=after, **more)
        )
        self.results[at] = (who, result_id, about, revision + 1, after)
        await self.desk.take(received(event), received(event))
        return f"{who} {result_id} {after}"

    async def decide(self) -> str:
        who = self.random.choice(self.PEOPLE)
        held = sorted(await self.desk.held(who)) or ["CCNA"]
        kind, certification = self.random.choice(("revoke", "suspend", "reinstate")), self.random.choice(held)
        return f"{who} {kind} {certification} {await self.desk.decide(kind, who, certification)}"

    async def rename(self) -> str:
        who, self.version = self.random.choice(self.PEOPLE), self.version + 1
        given, _, family = self.names[who].partition(" ")
        family = self.random.choice(("Berg", "Ek", "Ångström"))
        self.names[who] = f"{given} {family}"
        await self.desk.take(profile(who, version=self.version, given_name=given, family_name=family))
        return f"{who} {family}"

    async def join_or_part(self) -> str:
        now = self.desk.base.clock.now()
        if self.joined is None:
            source, into = self.random.sample(self.PEOPLE, 2)
            self.joined, self.version = (source, into), self.version + 1
            self.merge = merged(source, into, now).model_copy(update={"merge_id": f"M{self.version}"})
            await self.desk.take(received(self.merge))
        else:
            merge_id = self.merge.merge_id
            undone = separated(*self.joined, now).model_copy(update={"merge_id": merge_id})
            self.joined = None
            await self.desk.take(received(undone))
        return str(self.joined)

    async def let_time_pass(self) -> str:
        self.desk.base.clock.advance(timedelta(days=self.random.choice((1, 40))))
        await self.desk.station.run("expiry")
        return ""

    def accounts(self) -> list[list[str]]:
        source, into = self.joined or ("", "")
        return [[who, source] if who == into else [who] for who in self.PEOPLE if who != source]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", [1, 2, 4])
async def test_what_is_published_is_what_the_ledgers_say_after_anything(desk: Proofs, seed: int) -> None:
    random = Random(seed)
    history = History(desk, random)
    await history.begin()
    for number in range(50):
        await history.step()
        if random.random() < 0.3 or number == 49:
            desk.base.clock.advance(timedelta(minutes=3))
            await desk.settle(shuffled=random)
            await desk.check(history.accounts(), history.names)
