"""One thing has one word: the catalogues and the mails against the glossary."""

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[2]
MAILS = ROOT / "services" / "notify" / "templates"
ROW = re.compile(r"^\| (?!English|-)(.+) \|$", re.MULTILINE)
NO_WORDS = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{\w+\}|<[^>]*>|\]\([^)]*\)")
"""What is put into a sentence, tags, and where links lead."""
OTHER_MEANINGS = re.compile(r"\bin any case\b|\bOpen Badges\b", re.IGNORECASE)


class Term(NamedTuple):
    english: str
    forms: dict[str, list[str]]
    """By language."""
    never: list[str]

    def said_in(self, english: str) -> bool:
        return re.search(rf"\b{re.escape(self.english)}s?\b", english, re.IGNORECASE) is not None


class Saying(NamedTuple):
    """A sentence or a mail, and what it says in another language."""

    where: str
    language: str
    english: str
    other: str


def terms() -> list[Term]:
    found = []
    for row in ROW.findall((ROOT / "docs" / "glossary.md").read_text()):
        english, *cells = (cell.strip() for cell in row.split("|"))
        spanish, arabic, never = ([plain(one) for one in cell.split(",") if one.strip()] for cell in cells[:3])
        found.append(Term(english, {"es": spanish, "ar": arabic}, never))
    return found


def plain(text: str) -> str:
    """Without vowel signs, and without what ends an Arabic word where something is added to it."""
    letters = "".join(
        one for one in text if not (unicodedata.category(one) == "Mn" and one > "\N{ARABIC LETTER HAMZA}")
    )
    return letters.strip().removesuffix("ة").removesuffix("-").lower()


def sayings() -> Iterator[Saying]:
    for path in sorted(ROOT.glob("services/*/languages/*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale=path.stem):
                if message.id:
                    yield Saying(str(path.relative_to(ROOT)), path.stem, text(message.id), text(message.string))
    for path in sorted(MAILS.glob("*/*.mail")):
        if path.parent.name != "en":
            english = (MAILS / "en" / path.name).read_text()
            yield Saying(str(path.relative_to(ROOT)), path.parent.name, text(english), text(path.read_text()))


def text(said: str | tuple[str, ...] | list[str]) -> str:
    whole = said if isinstance(said, str) else "\n".join(said)
    return OTHER_MEANINGS.sub(" ", NO_WORDS.sub(" ", whole))


SAYINGS = list(sayings())


@pytest.mark.parametrize("term", terms(), ids=lambda term: term.english.replace(" ", "-"))
def test_a_term_has_its_word_in_every_language(term: Term) -> None:
    used = [one for one in SAYINGS if term.said_in(one.english)]
    assert {one.language for one in used} == {"es", "ar"}, "a term that nothing says"
    wrong = [
        (one.where, one.english)
        for one in used
        if not any(form in plain(one.other) for form in term.forms[one.language])
    ]
    assert not wrong


def test_no_word_is_used_that_the_glossary_has_another_for() -> None:
    never = [word for term in terms() for word in term.never]
    assert len(never) >= 5
    assert not [(one.where, word) for one in SAYINGS for word in never if word in plain(one.other)]
