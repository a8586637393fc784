"""What people send: proof that a form is ours, and what they typed, as a model or as what is wrong with it."""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Annotated, Any, Final, TypeVar

from aiohttp import web
from multidict import MultiMapping
from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints, ValidationError

from libs.common.ids import new_id
from services.portal.backend.client import Problem
from services.portal.languages import say

TOKEN_FIELD: Final = "token"  # noqa: S105 the name of a field
KEY_FIELD: Final = "key"
"""Names a change; the same form sent twice is one change."""
_PARTS: Final = (".year", ".month", ".day")

Faults = dict[str, str]
"""What is wrong, as a sentence that says what to do, by field in the order of the page."""

Typed = dict[str, Any]
"""What somebody typed: a text by field, several texts where a field was there several times."""


class FormTokens:
    """Tokens that a form must have (CSRF); each is good only in the browser that it was made for."""

    def __init__(self, secret: str) -> None:
        self._key = hashlib.sha256(f"certrail portal forms\n{secret}".encode()).digest()

    def token(self, anchor: str) -> str:
        """The token of a browser; `anchor` is a secret that its cookie holds."""
        return hmac.new(self._key, anchor.encode(), "sha256").hexdigest()

    def fits(self, anchor: str | None, token: str | None) -> bool:
        if anchor is None or token is None:
            return False
        return hmac.compare_digest(self.token(anchor).encode(), token.encode())


class Unfit(Exception):
    """What was sent cannot be taken; the page is shown again, with what was typed."""

    def __init__(self, faults: Faults) -> None:
        super().__init__(*faults)
        self.faults = faults


class Answers(BaseModel):
    """What a form asks for. An empty field is an absent one."""

    model_config = ConfigDict(str_strip_whitespace=True, extra="ignore", frozen=True)


A = TypeVar("A", bound=Answers)

Password = Annotated[str, StringConstraints(strip_whitespace=False)]
"""As it was typed."""


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


Several = Annotated[list[str], BeforeValidator(_listed)]
"""Boxes of one name, of which any number may be ticked."""


async def typed(request: web.Request) -> Typed:
    """What somebody typed, without files and without what forms carry themselves.

    A day of three boxes (`born.day`, `born.month`, `born.year`) is also there as one text, `born`.
    """
    return _gathered(await request.post())


def asked(request: web.Request) -> Typed:
    """The same of a form that only asks: what it carries is in the address."""
    return _gathered(request.query)


def _gathered(form: MultiMapping[Any]) -> Typed:
    found: Typed = {}
    for name in form:
        # Browsers end lines as mails do (HTML, 4.10.22.7); the services take plain line feeds.
        texts = [as_typed(name, text) for text in form.getall(name) if isinstance(text, str)]
        if texts and name not in (TOKEN_FIELD, KEY_FIELD):
            found[name] = texts[0] if len(texts) == 1 else texts
    for name in [name.removesuffix(".day") for name in found if name.endswith(".day")]:
        year, month, day = (str(found.get(name + part, "")) for part in _PARTS)
        if year or month or day:
            found[name] = f"{year:0>4}-{month:0>2}-{day:0>2}"
    return found


def as_typed(name: str, text: str) -> str:
    """A field's text without what a browser or a hand has put around it; a password to the letter."""
    return text if name in _TO_THE_LETTER else text.replace("\r\n", "\n").strip()


def in_words(sentences: Mapping[str, str]) -> dict[str, str]:
    """Sentences for `read` and `unfit`, that were marked for translation, in the reader's language."""
    return {name: say(sentence) for name, sentence in sentences.items()}


def read(into: type[A], what: Mapping[str, Any], sentences: Mapping[str, str]) -> A:
    """What somebody typed as a model.

    Args:
        into: what the form asks for.
        what: as `typed` has it.
        sentences: by field, or by field and kind of fault (`city.string_too_long`): what to do about it.

    Raises:
        Unfit: with a sentence for each field that is missing or not as it should be.
    """
    given = {name: value for name, value in what.items() if value != ""}
    try:
        return into.model_validate(given)
    except ValidationError as error:
        faults: Faults = {}
        for fault in error.errors(include_url=False, include_input=False):
            name = str(fault["loc"][0]) if fault["loc"] else ""
            faults.setdefault(name, sentences.get(f"{name}.{fault['type']}") or sentences.get(name) or fault["msg"])
        raise Unfit(faults) from None


def unfit(problem: Problem, fields: Mapping[str, str], sentences: Mapping[str, str]) -> Unfit | None:
    """What a service refuses, at the fields of the form; None where it is about none of them.

    Args:
        problem: the service's answer.
        fields: our field by the service's path or the beginning of it: `{"body.address.city": "city"}`.
        sentences: as for `read`, by field or by field and the service's code; else the service's own words stand.
    """
    faults: Faults = {}
    for fault in problem.errors:
        name = next((ours for theirs, ours in fields.items() if fault.path.startswith(theirs)), None)
        if name is not None:
            faults.setdefault(name, sentences.get(f"{name}.{fault.code}") or sentences.get(name) or fault.message)
    return Unfit(faults) if faults else None


async def change_key(request: web.Request) -> str:
    """What names this change to the services, so that the same form sent twice changes once."""
    key = (await request.post()).get(KEY_FIELD)
    return key if isinstance(key, str) and 0 < len(key) <= _LONGEST_KEY else new_id()


_LONGEST_KEY: Final = 64
_TO_THE_LETTER: Final = frozenset({"password", "new_password"})
"""A space at the end of a password is one of its characters."""
