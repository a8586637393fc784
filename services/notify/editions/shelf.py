"""The templates that count, as this process knows them: looked up every few seconds at most, compiled once."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Protocol

import structlog
from jinja2 import TemplateError

from services.notify import languages
from services.notify.domain.mails import Template
from services.notify.editions.store import Edition, EditionStore, Key
from services.notify.forms import Forms, builtin_forms, compiled
from services.notify.languages import LANGUAGES
from services.notify.letters import AS_BEFORE, Letter, Wording
from services.notify.markup import MarkupError

FRESH_SECONDS: Final = 2.0
"""How old the knowledge may be. A switch is so seen by every process within this time."""
KEPT_FORMS: Final = 500
"""Compiled templates in memory, some 50 KB each; those unused for longest make way."""


log = structlog.get_logger(__name__)


class Pins(Protocol):
    """Where it is kept which words a mail is written in."""

    async def pin(self, wordings: Mapping[str, Wording]) -> None:
        """Keep the words of mails that have none yet, by the mails' ids."""


class Shelf:
    """Knows which words count, and has them at hand."""

    def __init__(self, store: EditionStore, *, fresh_seconds: float = FRESH_SECONDS) -> None:
        self._store = store
        self._fresh_seconds = fresh_seconds
        self._looked_at = float("-inf")
        self._chosen: Mapping[Key, int] = {}
        self._forms: OrderedDict[Edition, Forms | None] = OrderedDict()

    def forms(self, program: str, template: Template, wording: Wording) -> Forms | None:
        """A version's compiled template, once `fetch` has been asked for it; None for words of ours."""
        if wording.edition is None:
            return None
        edition = Edition(Key(program, template, wording.language), wording.edition)
        found = self._forms.get(edition)
        if found is not None:
            self._forms.move_to_end(edition)
        return found

    async def wording(self, program: str, template: Template, language: str | None) -> Wording:
        """The words that a mail gets if it is written now, for a reader of this language. Raises `PyMongoError`."""
        await self.look()
        wanted = languages.choose(language)
        version = self._chosen.get(Key(program, template, wanted))
        if version is None and builtin_forms(wanted, template) is None:
            # Nobody has written it in that language; English stands in, whoever wrote that.
            wanted = languages.DEFAULT
            version = self._chosen.get(Key(program, template, wanted))
        return Wording(wanted, version)

    async def look(self) -> None:
        """Learn which versions count, unless that is known for sure. Raises `PyMongoError`."""
        now = asyncio.get_running_loop().time()
        if now - self._looked_at >= self._fresh_seconds:
            self._chosen = await self._store.chosen()
            self._looked_at = now

    async def fetch(self, wanted: Iterable[tuple[str, Template, Wording]]) -> None:
        """Have these at hand. Raises `PyMongoError`."""
        missing = {
            edition
            for program, template, wording in wanted
            if wording.edition is not None
            and (edition := Edition(Key(program, template, wording.language), wording.edition)) not in self._forms
        }
        if not missing:
            return
        for edition, source in (await self._store.sources(missing)).items():
            self._forms[edition] = _compiled(source, edition)
        while len(self._forms) > KEPT_FORMS:
            self._forms.popitem(last=False)


def _compiled(source: str, edition: Edition) -> Forms | None:
    """None where a later release reads templates in another way than the one that this was checked by."""
    try:
        return compiled(source, LANGUAGES[edition.key.language])
    except (MarkupError, TemplateError):
        log.exception("template_unreadable", state=edition.id)
        return None


class Worded:
    """Gives each mail its words before its first try. As a check, it holds back none; it is the last one asked."""

    def __init__(self, shelf: Shelf, pins: Pins) -> None:
        self._shelf = shelf
        self._pins = pins

    async def withheld(self, letters: Sequence[Letter]) -> Mapping[str, str]:
        """As a `Check`."""
        pinned: dict[str, Wording] = {}
        for letter in letters:
            if letter.wording is not None:
                continue
            letter.wording = await self._first(letter)
            if letter.wording != AS_BEFORE:
                pinned[letter.id] = letter.wording
        if pinned:
            await self._pins.pin(pinned)
        await self._shelf.fetch(
            (letter.program, letter.template, letter.wording) for letter in letters if letter.wording is not None
        )
        return {}

    async def _first(self, letter: Letter) -> Wording:
        # One that was tried and has no words of its own was written in those that go without saying.
        if letter.attempts or letter.doubtful:
            return AS_BEFORE
        return await self._shelf.wording(letter.program, letter.template, letter.recipient.language)
