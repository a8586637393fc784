"""Sentences in the reader's language, from catalogues (`es.po`) that lie in one folder.

A sentence is written in English where it is said; that text is its key. `make messages` collects them into the
catalogues, where translators write the others, with the plural forms of their language.
"""

import gettext
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from libs.common.languages import ENGLISH, READER, Language

_FSI: Final = "\N{FIRST STRONG ISOLATE}"
_PDI: Final = "\N{POP DIRECTIONAL ISOLATE}"


class Speech:
    """All sentences of one service.

    Args:
        folder: of the catalogues; a language without one is spoken in English.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[str, gettext.NullTranslations] = {ENGLISH.code: gettext.NullTranslations()}

    def say(self, sentence: str, /, **values: Any) -> str:
        """A sentence with its values in the places that `{name}` marks."""
        if READER.get() is ENGLISH:  # as all that is stored and told is: on the way of every result
            return sentence.format(**values) if values else sentence
        said = self.text(sentence)
        return said.format(**isolated(values)) if values else said

    def say_many(self, one: str, many: str, count: int, /, **values: Any) -> str:
        """A sentence that depends on a number, which it has as `{count}`."""
        if READER.get() is ENGLISH:
            return (one if count == 1 else many).format(count=count, **values)
        return self.text_many(one, many, count).format(count=count, **isolated(values))

    def text(self, sentence: str) -> str:
        """A sentence with its places still open."""
        return self._catalogue().gettext(sentence)

    def text_many(self, one: str, many: str, count: int) -> str:
        return self._catalogue().ngettext(one, many, count)

    def learn(self, *languages: Language) -> None:
        """Read catalogues now, so that the first reader does not wait for it."""
        for language in languages:
            self._catalogue_of(language)

    def _catalogue(self) -> gettext.NullTranslations:
        return self._catalogue_of(READER.get())

    def _catalogue_of(self, language: Language) -> gettext.NullTranslations:
        found = self._read.get(language.code)
        if found is None:
            path = self._folder / f"{language.code}.po"
            found = self._read[language.code] = _read(path) if path.exists() else gettext.NullTranslations()
        return found


def isolated(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Values as they stand in a sentence from right to left: each by itself (FSI and PDI, Unicode's UAX 9).

    Else a code such as 200-301 would be turned round, and what follows a name would stand before it.
    """
    if READER.get().direction == "ltr":
        return values
    # What is markup stays so: adding plain text to it escapes nothing of it.
    return {name: _FSI + value + _PDI if isinstance(value, str) else value for name, value in values.items()}


def mark(sentence: str) -> str:
    """Nothing but a sign for the collector: this text is said later, where it is shown."""
    return sentence


def _read(path: Path) -> gettext.GNUTranslations:
    # Read only where somebody speaks another language: it takes some memory, and most processes never need it.
    from babel.messages.mofile import write_mo  # noqa: PLC0415
    from babel.messages.pofile import read_po  # noqa: PLC0415

    compiled = io.BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=path.stem))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
