"""A request sent again does nothing twice: idempotency keys on a real MongoDB."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient
from joserfc.jwk import OKPKey
from pydantic import SecretStr
from pytest_aiohttp.plugin import AiohttpClient

from libs.common.clock import FixedClock
from libs.common.field_keys import FieldKeys
from libs.common.http.auth import TokenVerifier
from libs.common.http.idempotency import KEEP, LEASE, Answer, Answered, Claimed, InProgress, Reused
from libs.common.http.jwks import StaticKeys
from libs.common.http.models import Body, Nothing, View
from libs.common.http.principal import Kind, Principal
from libs.common.http.problems import Problem, ProblemType
from libs.common.http.routes import Call, Reply, Route
from libs.common.http.server import Api, Limits, build_app
from libs.common.http.tokens import sign
from libs.common.mongo.client import Database, open_client, open_database
from libs.common.mongo.idempotency import COLLECTION, INDEXES, MongoIdempotency
from tests.servers import MongoUnderTest

URL = "/api/fulfillment/v1/orders"
ISSUER = "https://certrail.example"
SOLD_OUT = ProblemType("test-sold-out", "There is none left", 409)

Client = TestClient[web.Request, web.Application]


class Place(Body):
    item: str


class Placed(View):
    order_id: str
    item: str


class Shop:
    """Takes orders, notes each it takes, and can be made to wait or fail."""

    def __init__(self, timeout_seconds: float) -> None:
        self.timeout_seconds = timeout_seconds
        self.taken: list[tuple[str, str]] = []
        self.entered = asyncio.Event()
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()
        self.failing = False

    async def place(self, call: Call[Nothing, Nothing, Place]) -> Reply[Placed]:
        self.taken.append((call.operation_id, call.body.item))
        self.entered.set()
        await self.may_go_on.wait()
        if self.failing:
            raise RuntimeError("the printer is on fire")
        if call.body.item == "unicorn":
            raise Problem(SOLD_OUT)
        return Reply(Placed(order_id=call.operation_id, item=call.body.item), {"Location": "/orders/1"})


@pytest.fixture
def clock() -> FixedClock:
    # Ahead of the server's own clock, so that its TTL monitor removes nothing that a test looks at.
    return FixedClock(datetime.now(UTC) + timedelta(days=3))


@pytest.fixture
async def database(mongo: MongoUnderTest) -> AsyncIterator[Database]:
    client = open_client(mongo.url("fulfillment"), application="test")
    database = open_database(client)
    await database[COLLECTION].create_indexes(INDEXES)
    yield database
    client.close()


@pytest.fixture
def store(database: Database, clock: FixedClock) -> MongoIdempotency:
    return MongoIdempotency(database, clock, keys=FieldKeys(SecretStr("e" * 32)))


@pytest.fixture
def timeout_seconds() -> float:
    return 20


@pytest.fixture
def shop(timeout_seconds: float) -> Shop:
    return Shop(timeout_seconds)


@pytest.fixture
def key() -> OKPKey:
    return OKPKey.generate_key("Ed25519", parameters={"kid": "k1"})


Post = Callable[..., Coroutine[Any, Any, ClientResponse]]


@pytest.fixture
async def post(
    aiohttp_client: AiohttpClient, shop: Shop, store: MongoIdempotency, clock: FixedClock, key: OKPKey
) -> Post:
    route = Route(
        method="POST",
        path="/orders",
        handler=shop.place,
        summary="Place",
        response=Placed,
        scopes=frozenset(),
        body=Place,
        status=201,
        idempotent=True,
        errors=(SOLD_OUT,),
    )
    api = Api("fulfillment", "Fulfilment", "Orders.", "1.0.0", [route])
    verifier = TokenVerifier(StaticKeys(key), ISSUER, clock)
    client: Client = await aiohttp_client(
        build_app(api, verifier, idempotency=store, limits=Limits(timeout_seconds=shop.timeout_seconds))
    )

    async def send(item: str = "kit", *, name: str | None = "k-1", who: str = "ada") -> ClientResponse:
        holder = Principal(who, Kind.SYSTEM, frozenset({"cisco"}))
        lifetime = timedelta(minutes=5)
        token = sign(holder, key, issuer=ISSUER, token_id="t", now=clock.now(), lifetime=lifetime)
        headers = {"Authorization": f"Bearer {token}"}
        if name is not None:
            headers["Idempotency-Key"] = name
        return await client.post(URL, json={"item": item}, headers=headers)

    return send


async def code(response: ClientResponse) -> str:
    body = await response.json(content_type=None)
    return str(body["type"]).removeprefix("urn:certrail:problem:")


async def test_a_repetition_gets_the_first_answer_and_orders_once(post: Post, shop: Shop) -> None:
    first = await post()
    again = await post()
    assert (first.status, again.status) == (201, 201)
    assert await again.read() == await first.read()
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["Content-Type"] == "application/json"
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(shop.taken) == 1


async def test_what_was_answered_cannot_be_read_in_the_database(post: Post, database: Database) -> None:
    first = await (await post("a kit with a secret")).read()
    assert b"a kit with a secret" in first
    (row,) = await database[COLLECTION].find().to_list(None)
    assert row["answer"]["status"] == 201
    assert "secret" not in str(row)
    assert await (await post("a kit with a secret")).read() == first


async def test_a_refusal_is_repeated_too(post: Post, shop: Shop) -> None:
    first, again = await post("unicorn"), await post("unicorn")
    assert (await code(first), await code(again)) == ("test-sold-out", "test-sold-out")
    assert again.content_type == "application/problem+json"
    assert len(shop.taken) == 1


async def test_requests_without_a_key_are_each_their_own(post: Post, shop: Shop) -> None:
    await post(name=None)
    await post(name=None)
    assert len({operation for operation, _ in shop.taken}) == 2


async def test_of_many_at_once_exactly_one_orders(post: Post, shop: Shop) -> None:
    shop.may_go_on.clear()
    sent = [asyncio.create_task(post()) for _ in range(20)]
    await shop.entered.wait()
    refused = [await one for one in islice(asyncio.as_completed(sent), 19)]
    assert {response.status for response in refused} == {409}
    shop.may_go_on.set()
    statuses = Counter(response.status for response in await asyncio.gather(*sent))
    assert statuses == {201: 1, 409: 19}
    assert len(shop.taken) == 1


async def test_the_same_key_for_another_request_is_refused(post: Post, shop: Shop) -> None:
    await post("kit")
    response = await post("plaque")
    assert response.status == 422
    assert await code(response) == "idempotency-key-reused"
    assert [item for _, item in shop.taken] == ["kit"]


async def test_keys_of_different_callers_have_nothing_to_do_with_each_other(post: Post, shop: Shop) -> None:
    assert (await post("kit", who="ada")).status == 201
    assert (await post("plaque", who="grace")).status == 201
    assert len(shop.taken) == 2


@pytest.mark.parametrize("name", ["", "a b", "a" * 129, "ключ"])
async def test_a_key_that_is_none_is_refused_by_name(post: Post, shop: Shop, name: str) -> None:
    response = await post(name=name)
    assert response.status == 422
    assert (await response.json(content_type=None))["errors"][0]["path"] == "header.Idempotency-Key"
    assert shop.taken == []


async def test_after_a_failure_of_ours_the_repetition_runs_under_the_same_operation(post: Post, shop: Shop) -> None:
    shop.failing = True
    assert (await post()).status == 500
    shop.failing = False
    assert (await post()).status == 201
    assert len(shop.taken) == 2
    assert len({operation for operation, _ in shop.taken}) == 1


@pytest.mark.parametrize("timeout_seconds", [0.5])
async def test_after_a_timeout_the_key_is_free_again(post: Post, shop: Shop) -> None:
    shop.may_go_on.clear()
    assert (await post()).status == 504
    shop.may_go_on.set()
    assert (await post()).status == 201


async def test_a_claim_that_died_is_taken_over_after_its_lease_and_cannot_answer_later(
    store: MongoIdempotency, clock: FixedClock
) -> None:
    dead = await store.claim("k", "f")
    assert isinstance(dead, Claimed)
    clock.advance(LEASE - timedelta(seconds=1))
    assert await store.claim("k", "f") == InProgress()
    clock.advance(timedelta(seconds=1))
    assert await store.claim("k", "other") == Reused()
    heir = await store.claim("k", "f")
    assert isinstance(heir, Claimed)
    late, right = Answer(500, (), b"late"), Answer(201, [("A", "b")], b"\x00right")
    await store.settle("k", dead.token, late)
    await store.release("k", dead.token)
    assert await store.claim("k", "f") == InProgress()
    await store.settle("k", heir.token, right)
    await store.release("k", heir.token)
    assert await store.claim("k", "f") == Answered(right)


async def test_an_answer_is_kept_for_a_day_and_the_key_is_free_after(
    store: MongoIdempotency, clock: FixedClock
) -> None:
    first = await store.claim("k", "f")
    assert isinstance(first, Claimed)
    await store.settle("k", first.token, Answer(201, (), b""))
    clock.advance(KEEP - timedelta(seconds=1))
    assert isinstance(await store.claim("k", "f"), Answered)
    clock.advance(timedelta(seconds=1))
    assert isinstance(await store.claim("k", "another"), Claimed)


async def test_the_server_removes_old_keys_by_itself(database: Database) -> None:
    indexes = await database[COLLECTION].index_information()
    assert indexes["expiry"]["expireAfterSeconds"] == 0
    assert indexes["expiry"]["key"] == [("expires_at", 1)]


async def test_of_many_claims_at_once_one_is_granted(store: MongoIdempotency) -> None:
    outcomes = await asyncio.gather(*(store.claim("k", "f") for _ in range(30)))
    assert Counter(type(outcome) for outcome in outcomes) == {Claimed: 1, InProgress: 29}
