"""Runs a request once for its idempotency key, and answers its repetitions."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import assert_never

import structlog
from aiohttp import hdrs, web
from multidict import CIMultiDict

from libs.common.http.idempotency import (
    HEADER,
    Answer,
    Answered,
    Claimed,
    IdempotencyStore,
    InProgress,
    Reused,
)
from libs.common.http.problems import IN_PROGRESS, KEY_REUSED, Problem

RELEASE_SECONDS = 2.0
"""Time to free a key after a failure; then its lease frees it."""

log = structlog.get_logger()


async def once(
    store: IdempotencyStore, key: str, fingerprint: str, run: Callable[[], Awaitable[web.Response]]
) -> web.Response:
    """The answer of `run`, or the one that it gave before under this key.

    Raises a problem if the key is in use, or belongs to a request with another fingerprint.
    """
    outcome = await store.claim(key, fingerprint)
    match outcome:
        case Claimed(token):
            return await _run(store, key, token, run)
        case Answered(answer):
            return _replayed(answer)
        case InProgress():
            raise Problem(IN_PROGRESS, "wait and send it again", headers={hdrs.RETRY_AFTER: "1"})
        case Reused():
            raise Problem(KEY_REUSED, f"{HEADER} came with a different request before")
    assert_never(outcome)


async def _run(
    store: IdempotencyStore, key: str, token: str, run: Callable[[], Awaitable[web.Response]]
) -> web.Response:
    try:
        response = await run()
    except BaseException:
        await _release(store, key, token)
        raise
    await store.settle(key, token, _kept(response))
    return response


async def _release(store: IdempotencyStore, key: str, token: str) -> None:
    try:
        async with asyncio.timeout(RELEASE_SECONDS):
            await store.release(key, token)
    except Exception as error:  # noqa: BLE001 the request's own error is the one to report; the lease frees the key
        log.warning("idempotency_key_not_released", cause=type(error).__name__)


def _kept(response: web.Response) -> Answer:
    body = response.body
    return Answer(response.status, list(response.headers.items()), body if isinstance(body, bytes) else b"")


def _replayed(answer: Answer) -> web.Response:
    headers = CIMultiDict([*answer.headers, ("Idempotency-Replayed", "true")])
    return web.Response(status=answer.status, headers=headers, body=answer.body)
