"""The API of a badge provider, in the shape of Credly's.

What is from Credly's documents and what is our choice stands in docs/operators.md. Whatever is not said here of a
request's outcome is unknown: the caller has to ask.
"""

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Annotated, Any, ClassVar, Generic, Literal, NamedTuple, TypeVar
from urllib.parse import urlencode

import aiohttp
import orjson
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from libs.common.clock import Clock
from libs.common.errors import Unavailable
from libs.common.http.fetch import Fetched, fetch
from libs.common.programs.badges import BadgeProvider, ProviderId
from services.certs.provider.chains import Seen, State
from services.certs.provider.orders import Order
from services.certs.provider.pace import Pace

LOCALES = ("en", "fr", "de", "ko", "ja", "zh-CN", "pt", "es-ES", "es-US", "fr-CA", "pt-BR")
_BY_LANGUAGE = {"es": "es-ES", "zh": "zh-CN"}
_REASON = "Withdrawn by the issuer"
_MOST_BYTES = 4 * 1024 * 1024
_MOST_TEXT = 300
_MENDED_BY_TIME = frozenset({408, 425, 429})
_LET_IN_NO_MORE = frozenset({401, 403})

T = TypeVar("T")


class Silent(Unavailable):
    """No answer, or none that can be relied on: whether the request was acted upon is not known.

    Attributes:
        wait: seconds that the provider asks for.
    """

    def __init__(self, why: str, wait: float | None = None) -> None:
        super().__init__(why)
        self.wait = wait


class Denied(Unavailable):
    """We are not let in: nobody's request would be done."""


class Refused(Exception):
    """The request was refused, and would be again."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status} {text}".strip())
        self.status = status


class _Given(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Badge(_Given):
    id: ProviderId
    state: Literal["pending", "accepted", "rejected", "revoked"]
    issuer_earner_id: Annotated[str | None, Field(max_length=200)] = None
    badge_url: Annotated[str | None, Field(max_length=2000, pattern=r"^https?://[^\s\"<>\\^`{|}]+$")] = None


class _Metadata(_Given):
    total_pages: Annotated[int, Field(ge=0)]


class _One(_Given, Generic[T]):
    data: T


class _List(_Given):
    data: list[Any]
    metadata: _Metadata


class _Event(_Given):
    id: str
    badge: _Badge | None = None


class Listing(NamedTuple):
    """A page of all badges; `unread` counts those that could not be understood."""

    found: Sequence[Seen]
    unread: int
    pages: int


class Credly:
    """Speaks for one organization. Every method raises `Silent` and `Denied`, and those that change `Refused`.

    Args:
        session: to connect with.
        provider: whom to speak with.
        token: the organization's authorization token.
        pace: keeps requests below the rate; whoever asks for a change has waited for it before.
        clock: tells at which moment a question was put.
    """

    SECONDS: ClassVar = 15.0
    """For a request; far below the lease of what is in hand."""

    def __init__(
        self, session: aiohttp.ClientSession, provider: BadgeProvider, token: SecretStr, pace: Pace, clock: Clock
    ) -> None:
        self._session = session
        self._provider = provider
        self._token = token
        self.pace = pace
        self.answers = 0
        """Answers so far from which something was learnt, refusals too."""
        self._clock = clock

    async def issue(self, key: str, order: Order) -> Seen:
        body = {
            "recipient_email": order.email,
            "duplicate_behavior": "deny",
            "locale": _locale(order.language),
            "suppress_badge_notification_email": not self._provider.notify,
            **_common(key, order),
        }
        return await self._change("POST", "/badges", body, lambda badge: badge.issuer_earner_id == key)

    async def replace(self, badge_id: str, key: str, order: Order) -> Seen:
        path = f"/badges/{badge_id}/replace"
        return await self._change("POST", path, _common(key, order), lambda badge: badge.issuer_earner_id == key)

    async def revoke(self, badge_id: str) -> Seen:
        body = {"reason": _REASON, "suppress_revoke_notification_email": not self._provider.notify}
        right = {"id": badge_id, "state": "revoked"}
        return await self._change(
            "PUT", f"/badges/{badge_id}/revoke", body, lambda badge: right == badge.model_dump(include=set(right))
        )

    async def find(self, key: str) -> list[Seen]:
        """Every badge that carries a key."""
        listing = await self._page({"filter": f"issuer_earner_id::{key}", "page": "1"})
        if listing.unread or any(seen.key != key for seen in listing.found):
            raise Silent("a search was answered with something else than was asked for")
        return list(listing.found)

    async def page(self, number: int) -> Listing:
        """A page of everything that was ever issued, oldest first; the first page is 1."""
        return await self._page({"sort": "issued_at", "page": str(number)})

    async def badge_of_event(self, event_id: str) -> Seen | None:
        """The badge that an event is about; None where there is no such event, or it is about no badge."""
        await self.pace.turn()
        at = self._clock.now()
        answer = await self._ask("GET", f"/events/{event_id}")
        if answer.status == 404:  # noqa: PLR2004 not found
            return None
        event = _read(_One[_Event], self._ok(answer)).data
        return _seen(event.badge, at) if event.badge is not None and event.id == event_id else None

    async def _page(self, query: Mapping[str, str]) -> Listing:
        await self.pace.turn()
        at = self._clock.now()
        answer = await self._ask("GET", f"/badges?{urlencode(query)}")
        listing = _read(_List, self._ok(answer))
        found: list[Seen] = []
        for given in listing.data:
            try:
                found.append(_seen(_Badge.model_validate(given), at))
            except ValidationError:
                continue
        return Listing(found, len(listing.data) - len(found), listing.metadata.total_pages)

    async def _change(
        self, method: str, path: str, body: Mapping[str, Any], is_right: Callable[[_Badge], bool]
    ) -> Seen:
        at = self._clock.now()
        answer = await self._ask(method, path, orjson.dumps(body))
        if 400 <= answer.status < 500:  # noqa: PLR2004 the caller's fault
            raise Refused(answer.status, _message(answer.body))
        badge = _read(_One[_Badge], self._ok(answer)).data
        if not is_right(badge):
            raise Silent("a request was answered with another badge than was asked for")
        return _seen(badge, at)

    async def _ask(self, method: str, path: str, body: bytes | None = None) -> Fetched:
        basic = b64encode(f"{self._token.get_secret_value()}:".encode()).decode()
        headers = {"Accept": "application/json", "Authorization": f"Basic {basic}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        url = f"{self._provider.url}/organizations/{self._provider.organization}{path}"
        try:
            answer = await fetch(
                self._session, method, url, seconds=self.SECONDS, headers=headers, body=body, most=_MOST_BYTES
            )
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Silent(f"no answer: {type(error).__name__}") from error
        if answer.status in _LET_IN_NO_MORE:
            raise Denied(f"the provider answers {answer.status}: the token is not right, or may not do this")
        if answer.status in _MENDED_BY_TIME or answer.status >= 500:  # noqa: PLR2004 the server's fault
            raise Silent(f"the provider answers {answer.status}", _wait(answer, self._clock.now()))
        self.answers += 1
        return answer

    @staticmethod
    def _ok(answer: Fetched) -> bytes:
        if answer.status not in {200, 201}:
            raise Silent(f"the provider answers {answer.status}")
        return answer.body


def _common(key: str, order: Order) -> dict[str, Any]:
    """What both kinds of requests that make a badge carry."""
    return {
        "badge_template_id": order.template,
        "issuer_earner_id": key,
        "issued_to_first_name": order.given_name,
        "issued_to_last_name": order.family_name,
        "issued_at": _moment(order.issued_at),
        # Null would mean the template's own period.
        "expires_at": _moment(order.expires_at) if order.expires_at else False,
    }


def _moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S %z")


def _locale(language: str | None) -> str:
    """The provider's language that suits a BCP 47 tag."""
    if language in LOCALES:
        return language
    primary = (language or "en").split("-")[0].lower()
    return _BY_LANGUAGE.get(primary, primary if primary in LOCALES else "en")


M = TypeVar("M", bound=BaseModel)


def _read(model: type[M], body: bytes) -> M:
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise Silent("an answer cannot be read") from error


def _seen(badge: _Badge, at: datetime) -> Seen:
    state: State = badge.state
    return Seen(badge.id, badge.issuer_earner_id, state, at, badge.badge_url)


def _message(body: bytes) -> str:
    """What the provider says of a refusal, on one line."""
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ""
    texts = " ".join(_messages(said))
    return "".join(sign if sign.isprintable() else " " for sign in texts)[:_MOST_TEXT]


def _messages(said: Any, depth: int = 4) -> list[str]:
    if depth == 0:
        return []
    if isinstance(said, list):
        return [text for one in said[:10] for text in _messages(one, depth - 1)]
    if not isinstance(said, dict):
        return []
    own = [said["message"]] if isinstance(said.get("message"), str) else []
    return own + [text for one in list(said.values())[:20] for text in _messages(one, depth - 1)]


def _wait(answer: Fetched, now: datetime) -> float | None:
    """`Retry-After` in seconds (RFC 9110, 10.2.3)."""
    text = answer.headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max((moment - now).total_seconds(), 0.0)
