"""Whom an announcement is for, when, and in which words."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from libs.common.programs import Program
from services.notify.languages import DEFAULT

Severity = Literal["info", "important", "urgent"]
SEVERITIES: Sequence[Severity] = ("urgent", "important", "info")
"""The gravest first, as they are shown."""


class State(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Audience:
    """Who holds any of these certifications, or any of these levels; everybody where neither is named."""

    certifications: frozenset[str] = frozenset()
    levels: frozenset[str] = frozenset()

    @property
    def everybody(self) -> bool:
        return not (self.certifications or self.levels)

    def faults(self, program: Program) -> Sequence[str]:
        """The names in it that the program does not have."""
        return sorted(
            {*(self.certifications - program.certifications.keys()), *(self.levels - frozenset(program.levels))}
        )

    def includes(self, held: Collection[str], program: Program) -> bool:
        """Whether somebody is meant who holds these certifications now."""
        return self.everybody or any(
            code in self.certifications or _level(code, program) in self.levels for code in held
        )


def _level(code: str, program: Program) -> str | None:
    certification = program.certifications.get(code)
    return certification.level if certification else None


@dataclass(frozen=True, slots=True)
class Words:
    """An announcement in one language."""

    title: str
    paragraphs: Sequence[str]


def choose(texts: Mapping[str, Words], wanted: str | None) -> tuple[str, Words]:
    """The words for somebody who wants a language (BCP 47): that one, its primary subtag, English, or the first.

    Returns:
        The language found, and the words in it.
    """
    found = {language.lower(): language for language in texts}
    asked = (wanted or DEFAULT).lower()
    for candidate in (asked, asked.partition("-")[0], DEFAULT):
        if candidate in found:
            return found[candidate], texts[found[candidate]]
    first = min(texts)
    return first, texts[first]


def is_shown(state: str, first_day: str, last_day: str, today: str) -> bool:
    """Whether candidates see an announcement on a day of the program's calendar; days as ISO 8601 text."""
    return state == State.PUBLISHED and first_day <= today <= last_day
