"""Asks the services' APIs on behalf of one browser."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import aiohttp
import orjson
import structlog
from pydantic import BaseModel, Field, ValidationError

from libs.common.http.trace import HEADER as TRACE
from libs.common.languages import READER
from libs.common.tracing import ORIGIN

WRITE_SECONDS: Final = 10.0
"""What changes something is given time: whoever gives up does not know what became of it."""
FETCH_SECONDS: Final = 25.0
"""A file is given more than a service's own time to make it, so that the service says what became of it."""

_MOST_BYTES: Final = 16 * 2**20

log = structlog.get_logger(__name__)

M = TypeVar("M", bound=BaseModel)


class Down(Exception):
    """A service does not answer in time, or not as documented."""


class Fault(BaseModel):
    """One thing that is wrong with what was sent."""

    path: str = ""
    code: str = ""
    message: str = ""


class Problem(BaseModel):
    """What a service says against a request (RFC 9457)."""

    type: str = ""
    title: str = ""
    detail: str | None = None
    status: int
    errors: list[Fault] = Field(default=[])

    @property
    def code(self) -> str:
        """The last part of its `type`: `not-found`."""
        return self.type.rpartition(":")[2]


class Refused(Exception):
    """A service understood, and says no."""

    def __init__(self, problem: Problem, retry_after: int | None = None) -> None:
        super().__init__(problem.code)
        self.problem = problem
        self.retry_after = retry_after
        """Seconds."""

    @property
    def code(self) -> str:
        return self.problem.code


@dataclass(frozen=True, slots=True)
class Browser:
    """Whose request a call serves.

    Attributes:
        address: of the browser, as the gateway has it.
        agent: what the browser calls itself.
        token: access token; None before somebody has signed in.
    """

    address: str
    agent: str
    token: str | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """The body of a request."""

    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file of a service's.

    Attributes:
        media_type: with its parameters.
        disposition: whether and under which name it is saved.
    """

    content: bytes
    media_type: str
    disposition: str | None


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    content: bytes
    media_type: str
    disposition: str | None
    retry_after: str
    cookie: str


class Backend:
    """Calls to the services.

    Args:
        http: shared by all calls.
        urls: by service.
        read_seconds: how long an answer that changes nothing is waited for.
    """

    def __init__(self, http: aiohttp.ClientSession, urls: Mapping[str, str], read_seconds: float) -> None:
        self._http = http
        self._urls = urls
        self._reading = aiohttp.ClientTimeout(total=read_seconds)
        self._writing = aiohttp.ClientTimeout(total=WRITE_SECONDS)
        self._fetching = aiohttp.ClientTimeout(total=FETCH_SECONDS)

    async def read(
        self, browser: Browser, service: str, path: str, into: type[M], query: Mapping[str, str] | None = None
    ) -> M:
        """What a service has at a path. Raises `Down` and `Refused`."""
        answer = await self._ask(browser, "GET", service, path, within=self._reading, query=query)
        return _understood(service, answer, into)

    async def send(
        self,
        browser: Browser,
        method: str,
        service: str,
        path: str,
        into: type[M],
        *,
        body: Mapping[str, Any] | None = None,
        key: str | None = None,
    ) -> M:
        """Change something; the same `key` again is the same change. Raises `Down` and `Refused`."""
        content = None if body is None else Content("application/json", orjson.dumps(body))
        answer = await self._ask(browser, method, service, path, within=self._writing, content=content, key=key)
        return _understood(service, answer, into)

    async def send_for_cookie(
        self, browser: Browser, method: str, service: str, path: str, into: type[M], *, body: Mapping[str, Any]
    ) -> tuple[M, str]:
        """Change something whose answer is for the browser as well. Returns it, and the cookie that the browser gets.

        Raises `Down` and `Refused`.
        """
        content = Content("application/json", orjson.dumps(body))
        answer = await self._ask(browser, method, service, path, within=self._writing, content=content)
        return _understood(service, answer, into), answer.cookie

    async def upload(
        self, browser: Browser, service: str, path: str, into: type[M], *, content: Content, key: str
    ) -> M:
        """Give a file as a service takes it: as the whole body. Raises `Down` and `Refused`."""
        answer = await self._ask(browser, "POST", service, path, within=self._writing, content=content, key=key)
        return _understood(service, answer, into)

    async def fetch(
        self,
        browser: Browser,
        service: str,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        accept: str = "*/*",
    ) -> Fetched:
        """A file of a service's as it gives it. Raises `Down` and `Refused`."""
        within = self._fetching
        answer = await self._ask(browser, "GET", service, path, within=within, query=query, accept=accept)
        if answer.status >= 300:  # noqa: PLR2004 success
            _understood(service, answer, Nothing)
        return Fetched(answer.content, answer.media_type, answer.disposition)

    async def _ask(
        self,
        browser: Browser,
        method: str,
        service: str,
        path: str,
        *,
        within: aiohttp.ClientTimeout,
        query: Mapping[str, str] | None = None,
        content: Content | None = None,
        key: str | None = None,
        accept: str = "application/json",
    ) -> _Answer:
        headers = {
            "X-Forwarded-For": browser.address,
            "User-Agent": browser.agent,
            "Accept": accept,
            "Accept-Language": READER.get().code,
        }
        origin = ORIGIN.get()
        if origin is not None:
            headers[TRACE] = origin.traceparent
        if browser.token is not None:
            headers["Authorization"] = f"Bearer {browser.token}"
        if key is not None:
            headers["Idempotency-Key"] = key
        if content is not None:
            headers["Content-Type"] = content.media_type
        url = f"{self._urls[service]}/api/{service}/v1{path}"
        try:
            async with self._http.request(
                method,
                url,
                params=query,
                data=None if content is None else content.data,
                headers=headers,
                timeout=within,
                allow_redirects=False,
            ) as answer:
                return _Answer(
                    answer.status,
                    await _whole(answer),
                    answer.headers.get("Content-Type", ""),
                    answer.headers.get("Content-Disposition"),
                    answer.headers.get("Retry-After", ""),
                    answer.headers.get("Set-Cookie", ""),
                )
        except (aiohttp.ClientError, TimeoutError) as error:
            log.warning("service_down", service=service, cause=type(error).__name__)
            raise Down(service) from error


async def _whole(answer: aiohttp.ClientResponse) -> bytes:
    content = bytearray()
    async for block in answer.content.iter_any():
        content += block
        if len(content) > _MOST_BYTES:
            raise aiohttp.ClientPayloadError("an answer that is larger than any page needs")
    return bytes(content)


def _understood(service: str, answer: _Answer, into: type[M]) -> M:
    status, content, retry_after = answer.status, answer.content, answer.retry_after
    try:
        if status < 300:  # noqa: PLR2004 success
            return into.model_validate_json(content or b"{}")
        problem = Problem.model_validate_json(content)
    except ValidationError as error:
        log.warning("answer_not_understood", service=service, status=status, model=into.__name__)
        raise Down(service) from error
    if status >= 500:  # noqa: PLR2004 its fault, not ours
        log.warning("service_down", service=service, status=status)
        raise Down(service)
    raise Refused(problem, int(retry_after) if retry_after.isdigit() else None)


class Nothing(BaseModel):
    """An answer of which nothing is needed."""
