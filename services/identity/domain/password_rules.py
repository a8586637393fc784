"""Which passwords are too easy to guess (NIST SP 800-63B, 3.1.1.2: length and a blocklist, no rules on characters)."""

import re
from collections.abc import Iterable
from itertools import pairwise

FEWEST_CHARACTERS = 5
"""Different ones, so that a password is no row of the same key."""

LONGEST_REST = 3
"""Characters that a password may not merely add to what everybody knows of its owner."""

_SHORTEST_WORD = 4
_WORDS = re.compile(r"[^\W_]+")
_LOOKALIKES = str.maketrans("@013457$!", "aoleastsi")


def fault(password: str, personal: Iterable[str]) -> str | None:
    """Why nobody should have this password; None where it may be had.

    Args:
        password: as it was typed.
        personal: what others know of its owner: ID, e-mail address, names, program.
    """
    folded = password.casefold()
    if len(set(folded)) < FEWEST_CHARACTERS:
        return f"needs at least {FEWEST_CHARACTERS} different characters"
    if _repeats(folded):
        return "must not repeat the same characters over and over"
    if _runs(folded):
        return "must not be a row of neighbouring characters"
    rest = folded
    for word in sorted({word for text in personal for word in _parts(text)}, key=len, reverse=True):
        rest = rest.replace(word, "")
    if len(rest) < len(folded) and len(_letters(rest)) <= LONGEST_REST:
        return "must not be made of your ID, e-mail address, name or program"
    return None


def forms(password: str) -> tuple[str, ...]:
    """The forms under which a password is looked up among leaked ones: people change little to pass a check."""
    folded = password.casefold()
    stem = _stem(folded)
    return tuple(dict.fromkeys((password, folded, stem, _letters(stem.translate(_LOOKALIKES)))))


def _parts(text: str) -> Iterable[str]:
    folded = text.casefold()
    yield from (
        word for word in (folded, folded.replace(" ", ""), *_WORDS.findall(folded)) if len(word) >= _SHORTEST_WORD
    )


def _letters(text: str) -> str:
    return "".join(character for character in text if character.isalpha())


def _stem(text: str) -> str:
    """Without what stands around the first to the last letter: years, and marks at the end."""
    return re.sub(r"^[\W\d_]+|[\W\d_]+$", "", text)


def _repeats(text: str) -> bool:
    """Whether the text is one piece, at most half as long, again and again; the last time perhaps cut short."""
    return any(text[period:] == text[:-period] for period in range(1, len(text) // 2 + 1))


def _runs(text: str) -> bool:
    """Whether the text only counts up or down, as in 1234567890 and its like."""
    steps = {ord(after) - ord(before) for before, after in pairwise(text)}
    return steps <= {1, -9} or steps <= {-1, 9}
