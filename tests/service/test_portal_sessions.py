"""Sessions of the portal: tokens that nobody can read in the database, refreshed once however many ask."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from libs.common.clock import FixedClock
from libs.common.mongo.client import Database, open_client, open_database
from libs.common.mongo.migrations import migrate
from libs.common.sealing import SecretBox
from services.portal.backend.client import Down, Problem, Refused
from services.portal.backend.shapes import Tokens
from services.portal.web.sessions import COLLECTION, LASTS, MIGRATIONS, STAFF_LASTS, Session, Sessions, StaffSessions
from tests.servers import MongoUnderTest

MINUTES = 15


def tokens(number: int) -> Tokens:
    return Tokens(access_token=f"access-{number}", refresh_token=f"refresh-{number}", expires_in=MINUTES * 60)


class Identity:
    """Refreshes as identity does: each refresh token once."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.fault: Exception | None = None

    async def refresh(self, token: str) -> Tokens:
        self.asked.append(token)
        await asyncio.sleep(0.05)
        if self.fault is not None:
            raise self.fault
        return tokens(len(self.asked) + 1)


@pytest.fixture
async def database(mongo: MongoUnderTest, clock: FixedClock) -> AsyncIterator[Database]:
    client = open_client(mongo.url("portal"), application="test")
    await migrate(open_database(client), MIGRATIONS, owner="test", clock=clock)
    yield open_database(client)
    client.close()


def process(database: Database, clock: FixedClock) -> Sessions:
    return Sessions(database, SecretBox("s" * 32, purpose="portal sessions"), clock)


async def test_whoever_is_let_in_is_looked_at_again_the_next_day(database: Database, clock: FixedClock) -> None:
    sessions, identity = process(database, clock), Identity()
    cookie = await sessions.open("cisco", "C1", tokens(1))

    async def is_in() -> bool:
        session = await sessions.find(cookie, identity.refresh)
        assert session is not None
        if not session.let_in:
            await sessions.let_in(session.key)
        return session.let_in

    assert [await is_in(), await is_in()] == [False, True]
    clock.advance(timedelta(days=1))
    assert not await is_in()


async def test_name_is_kept_sealed_and_asked_for_again_after_an_hour(database: Database, clock: FixedClock) -> None:
    sessions, identity = process(database, clock), Identity()
    cookie = await sessions.open("cisco", "C1", tokens(1))
    session = await sessions.find(cookie, identity.refresh)
    assert session is not None
    assert session.name == ""
    await sessions.call(session.key, "Ann Lee")
    again = await sessions.find(cookie, identity.refresh)
    assert again is not None
    assert again.name == "Ann Lee"
    assert "Ann" not in str(await database[COLLECTION].find().to_list(None))
    clock.advance(timedelta(hours=1))
    later = await sessions.find(cookie, identity.refresh)
    assert later is not None
    assert later.name == ""


async def test_what_lies_in_the_database_opens_nothing(database: Database, clock: FixedClock) -> None:
    sessions = process(database, clock)
    cookie = await sessions.open("cisco", "C1", tokens(1))
    (row,) = await database[COLLECTION].find().to_list(None)
    assert not [secret for secret in (cookie, "access-1", "refresh-1") if secret in str(row)]
    found = await sessions.find(cookie, Identity().refresh)
    assert found is not None
    assert (found.program, found.candidate_id, found.access_token) == ("cisco", "C1", "access-1")
    assert await sessions.find(row["_id"], Identity().refresh) is None, "the hash is no cookie"


async def test_of_many_requests_in_several_processes_one_refreshes(database: Database, clock: FixedClock) -> None:
    several = [process(database, clock) for _ in range(3)]
    identity, cookie = Identity(), await several[0].open("cisco", "C1", tokens(1))
    for turn in (1, 2):
        clock.advance(timedelta(minutes=MINUTES, seconds=-20))
        found = await asyncio.gather(*(each.find(cookie, identity.refresh) for each in several * 4))
        assert {one.access_token for one in found if isinstance(one, Session)} == {f"access-{turn + 1}"}
        assert len(identity.asked) == turn
    assert identity.asked == ["refresh-1", "refresh-2"]


async def test_a_refusal_ends_the_session_and_an_outage_does_not(database: Database, clock: FixedClock) -> None:
    sessions, identity = process(database, clock), Identity()
    cookie = await sessions.open("cisco", "C1", tokens(1))
    clock.advance(timedelta(minutes=MINUTES))
    identity.fault = Down("identity")
    with pytest.raises(Down):
        await sessions.find(cookie, identity.refresh)
    identity.fault = None
    assert await sessions.find(cookie, identity.refresh) is not None, "the next request may try at once"
    clock.advance(timedelta(minutes=MINUTES))
    identity.fault = Refused(Problem(type="urn:certrail:problem:unauthenticated", status=401))
    assert await sessions.find(cookie, identity.refresh) is None
    assert await database[COLLECTION].count_documents({}) == 0


async def test_a_session_ends_when_it_is_closed_and_after_a_month_without_use(
    database: Database, clock: FixedClock
) -> None:
    sessions, identity = process(database, clock), Identity()
    closed, unused = await sessions.open("cisco", "C1", tokens(1)), await sessions.open("cisco", "C1", tokens(1))
    found = await sessions.find(closed, identity.refresh)
    assert found is not None
    await sessions.close(found.key)
    assert await sessions.find(closed, identity.refresh) is None
    clock.advance(LASTS)
    assert await sessions.find(unused, identity.refresh) is None
    assert identity.asked == []


async def test_staff_have_sessions_of_their_own_that_end_within_the_hour(database: Database, clock: FixedClock) -> None:
    candidates = process(database, clock)
    staff = StaffSessions(database, SecretBox("s" * 32, purpose="portal staff sessions"), clock)
    who = {"staff_id": "S1", "name": "Rosa", "email": "rosa@example.com"}
    given = tokens(1).model_copy(update={"access_token": "h.eyJzY29wZSI6ImNlcnRzOnJlYWQgYXVkaXQ6cmVhZCJ9.s"})
    cookie = await staff.open("cisco", given, **who, roles=["auditor"], programs=["cisco", "juniper"])
    found = await staff.find(cookie, Identity().refresh)
    assert found is not None
    assert (found.subject, found.may("audit:read"), found.may("audit:read", "certs:decide")) == (
        "staff:S1",
        True,
        False,
    )
    assert await candidates.find(cookie, Identity().refresh) is None, "another kind of session"
    await staff.note_view(found.key, "C1")
    seen = await staff.find(cookie, Identity().refresh)
    assert seen is not None
    assert seen.viewed == {"C1"}
    clock.advance(STAFF_LASTS + timedelta(seconds=1))
    assert await staff.find(cookie, Identity().refresh) is None
