"""What the portal keeps of forms: drafts for their writers alone, and that a form was sent before."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from multidict import MultiDict

from libs.common.clock import FixedClock
from libs.common.mongo.client import Database, open_client, open_database
from libs.common.mongo.migrations import migrate
from libs.common.sealing import SecretBox
from services.portal.web import drafts as kept_drafts
from services.portal.web import repeats as kept_repeats
from services.portal.web.drafts import Drafts
from services.portal.web.repeats import Repeats
from services.portal.web.sessions import MIGRATIONS, Session
from tests.servers import MongoUnderTest

FORM = MultiDict(
    [
        ("token", "t"),
        ("key", "k"),
        ("text", "Long and dear to me"),
        ("kinds", "a"),
        ("kinds", "b"),
        ("note", ""),
        ("password", "plenty of quiet marmalade"),
        ("code", "123456"),
    ]
)
PAGE = "/cases/new"


@pytest.fixture
async def database(mongo: MongoUnderTest, clock: FixedClock) -> AsyncIterator[Database]:
    client = open_client(mongo.url("portal"), application="test")
    steps = (*MIGRATIONS, kept_drafts.MIGRATION, kept_repeats.MIGRATION)
    await migrate(open_database(client), steps, owner="test", clock=clock)
    yield open_database(client)
    client.close()


@pytest.fixture
def drafts(database: Database, clock: FixedClock) -> Drafts:
    return Drafts(database, "s" * 32, SecretBox("s" * 32, purpose="portal drafts"), clock)


def session(key: str = "s1") -> Session:
    return Session(key, "cisco", "C1", "access", datetime(2026, 11, 22, tzinfo=UTC))


async def test_draft_comes_back_to_its_writer_on_its_page_for_half_an_hour(drafts: Drafts, clock: FixedClock) -> None:
    mine = drafts.owner("cisco", "C1")
    cookie = await drafts.keep(mine, PAGE, FORM)
    assert cookie is not None
    assert await drafts.find(cookie, mine, PAGE) == {"text": ["Long and dear to me"], "kinds": ["a", "b"]}
    for stranger in (drafts.owner("cisco", "C2"), drafts.owner("juniper", "C1")):
        assert await drafts.find(cookie, stranger, PAGE) is None
    assert await drafts.find(cookie, mine, "/security/email") is None
    assert await drafts.find("another", mine, PAGE) is None
    clock.advance(kept_drafts.LASTS)
    assert await drafts.find(cookie, mine, PAGE) is None


async def test_nobody_reads_a_draft_in_the_database(drafts: Drafts, database: Database) -> None:
    cookie = await drafts.keep(drafts.owner("cisco", "C1"), PAGE, FORM)
    (row,) = await database[kept_drafts.COLLECTION].find().to_list(None)
    for secret in (str(cookie), "dear", "marmalade", "123456", "C1"):
        assert secret not in str(row)


async def test_a_form_without_words_leaves_no_draft(drafts: Drafts) -> None:
    secrets = MultiDict([("token", "t"), ("key", "k"), ("password", "marmalade"), ("note", "")])
    assert await drafts.keep(drafts.owner("cisco", "C1"), PAGE, secrets) is None


async def test_only_the_very_same_form_was_sent_before(database: Database, clock: FixedClock) -> None:
    repeats, form = Repeats(database, clock), MultiDict([("token", "t"), ("key", "k"), ("text", "Once")])
    assert await repeats.begin(session(), PAGE, form) is None
    await repeats.finish(session(), PAGE, form, "/cases/c1")
    first = clock.now()
    clock.advance(timedelta(minutes=2))
    again = await repeats.begin(session(), PAGE, form)
    assert again == (first, "/cases/c1", False)
    assert await repeats.begin(session(), PAGE, MultiDict([*form.items(), ("text", "more")])) is None
    assert await repeats.begin(session("s2"), PAGE, form) is None
    assert await repeats.begin(session(), "/cases/c1/messages", form) is None
    clock.advance(kept_repeats.LASTS)
    assert await repeats.begin(session(), PAGE, form) is None


async def test_of_a_form_sent_at_once_one_is_the_first_and_the_other_hears_what_came_of_it(
    database: Database, clock: FixedClock
) -> None:
    form = MultiDict([("token", "t"), ("key", "k")])
    one, other = Repeats(database, clock), Repeats(database, clock)
    assert await one.begin(session(), PAGE, form) is None
    second = asyncio.create_task(other.begin(session(), PAGE, form))
    await asyncio.wait([second], timeout=0.5)
    assert not second.done(), "nobody knows yet what came of it"
    await one.finish(session(), PAGE, form, "/staff/hooks/h1", once=True)
    assert await second == (clock.now(), "/staff/hooks/h1", True)


async def test_a_form_that_did_nothing_or_whose_process_died_can_be_sent_again(
    database: Database, clock: FixedClock
) -> None:
    repeats, form = Repeats(database, clock), MultiDict([("token", "t"), ("key", "k")])
    assert await repeats.begin(session(), PAGE, form) is None
    await repeats.give_up(session(), PAGE, form)
    assert await repeats.begin(session(), PAGE, form) is None
    clock.advance(kept_repeats.LEASE)
    assert await repeats.begin(session(), PAGE, form) is None


async def test_of_forms_with_secrets_not_even_a_hash_is_kept(database: Database, clock: FixedClock) -> None:
    repeats = Repeats(database, clock)
    assert await repeats.begin(session(), PAGE, FORM) is None
    await repeats.finish(session(), PAGE, FORM, "/security")
    assert await database[kept_repeats.COLLECTION].count_documents({}) == 0
