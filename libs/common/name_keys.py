"""Names as they are searched for: Latin letters without case and accents, whatever the script they are written in."""

import re
from collections.abc import Iterable
from typing import Final

from anyascii import anyascii

MOST_KEYS: Final = 16
_LONGEST: Final = 40
_NO_LETTER: Final = re.compile(r"[^a-z]+")
_BETWEEN_WORDS: Final = re.compile(r"[\s\-_,./]+")


def name_keys(texts: Iterable[str]) -> list[str]:
    """The keys of all words of some texts, each once, in their order."""
    words = (word for text in texts for word in _BETWEEN_WORDS.split(_latin(text)))
    keys = dict.fromkeys(_NO_LETTER.sub("", word)[:_LONGEST] for word in words)
    keys.pop("", None)
    return list(keys)[:MOST_KEYS]


def _latin(text: str) -> str:
    return (text if text.isascii() else anyascii(text)).lower()
