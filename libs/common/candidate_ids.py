"""Candidate IDs: the program's prefix, a number, and a check digit that catches typing errors.

The check digit is Damm's (H. M. Damm, 2004): it finds every single wrong digit and every swap of neighbours, the
two errors people make when they copy a number.
"""

from collections.abc import Iterator

_LONGEST = 30
"""Digits of what may be meant as an ID."""

_TABLE = (
    (0, 3, 1, 7, 5, 9, 8, 6, 4, 2),
    (7, 0, 9, 2, 1, 5, 4, 8, 6, 3),
    (4, 2, 0, 6, 8, 7, 1, 3, 5, 9),
    (1, 7, 5, 0, 9, 8, 3, 4, 2, 6),
    (6, 1, 2, 3, 0, 4, 5, 9, 7, 8),
    (3, 6, 7, 4, 2, 0, 9, 5, 8, 1),
    (5, 8, 6, 9, 7, 2, 0, 1, 3, 4),
    (8, 9, 4, 5, 3, 6, 2, 0, 1, 7),
    (9, 4, 3, 8, 6, 1, 7, 2, 0, 5),
    (2, 5, 8, 1, 4, 3, 6, 7, 9, 0),
)


def candidate_id(prefix: str, digits: int, number: int) -> str:
    """The ID of the `number`-th candidate: `digits` digits after the prefix, the last one the check digit.

    Raises:
        ValueError: the number has no room in that many digits.
    """
    body = f"{number:0{digits - 1}d}"
    if number < 1 or len(body) > digits - 1:
        raise ValueError(f"number {number} does not fit into {digits - 1} digits")
    return f"{prefix}{body}{_check(body)}"


def is_candidate_id(text: str, prefix: str, digits: int) -> bool:
    """Whether `text` can be a candidate ID of that program: no typing error in it."""
    body = text.removeprefix(prefix)
    well_formed = text.startswith(prefix) and len(body) == digits and body.isascii() and body.isdigit()
    return well_formed and _check(body) == 0


def meant_ids(text: str, prefix: str, digits: int) -> list[str]:
    """The IDs that `text` may mean: itself, else those that are one typing error away; none where it looks like no ID.

    Case, spaces and punctuation make no difference, and a correct number may come without its prefix.
    """
    plain = "".join(c for c in text.upper() if c.isalnum())
    body = plain.removeprefix(prefix.upper())
    if not body.isascii() or not body.isdigit():
        return []
    if is_candidate_id(prefix + body, prefix, digits):
        return [prefix + body]
    if body == plain:
        return []
    near = {each for each in _near(body) if is_candidate_id(prefix + each, prefix, digits)}
    return sorted(prefix + each for each in near)


def _near(body: str) -> Iterator[str]:
    """Numbers that are one typing error away: a digit more, less, another, or two neighbours swapped."""
    if len(body) > _LONGEST:
        return
    for at in range(len(body) + 1):
        left, right = body[:at], body[at:]
        yield left + right[1:]
        yield left + right[1:2] + right[:1] + right[2:]
        for digit in "0123456789":
            yield left + digit + right
            yield left + digit + right[1:]


def _check(body: str) -> int:
    state = 0
    for digit in body:
        state = _TABLE[state][int(digit)]
    return state
