"""How many certifications are in which state, as one sentence. Pure."""

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Final, Literal, NamedTuple

from libs.common.pages.wording import InWords
from services.certs.languages import say, say_many

State = Literal[
    "active",
    "expired",
    "not_yet",
    "replaced",
    "emeritus",
    "inactive",
    "suspended",
    "waiting",
    "revoked",
    "altered",
    "not_ours",
]
Clause = Callable[[InWords], str]


class _Clauses(NamedTuple):
    """What is said of so many in one state.

    Attributes:
        all: where there are no others.
        first: at the beginning of the sentence.
        then: after others.
    """

    all: Clause
    first: Clause
    then: Clause


# fmt: off
_CLAUSES: Final[Mapping[State, _Clauses]] = {
    "active": _Clauses(
        lambda n: say_many("one certification is active", "all {count} certifications are active", n),
        lambda n: say_many("{count} certification is active", "{count} certifications are active", n),
        lambda n: say_many("{count} is active", "{count} are active", n),
    ),
    "expired": _Clauses(
        lambda n: say_many("one certification has expired", "all {count} certifications have expired", n),
        lambda n: say_many("{count} certification has expired", "{count} certifications have expired", n),
        lambda n: say_many("{count} has expired", "{count} have expired", n),
    ),
    "not_yet": _Clauses(
        lambda n: say_many("one certification is not valid yet", "all {count} certifications are not valid yet", n),
        lambda n: say_many("{count} certification is not valid yet", "{count} certifications are not valid yet", n),
        lambda n: say_many("{count} is not valid yet", "{count} are not valid yet", n),
    ),
    "replaced": _Clauses(
        lambda n: say_many("one certification was corrected", "all {count} certifications were corrected", n),
        lambda n: say_many("{count} certification was corrected", "{count} certifications were corrected", n),
        lambda n: say_many("{count} was corrected", "{count} were corrected", n),
    ),
    "emeritus": _Clauses(
        lambda n: say_many("one certification is emeritus", "all {count} certifications are emeritus", n),
        lambda n: say_many("{count} certification is emeritus", "{count} certifications are emeritus", n),
        lambda n: say_many("{count} is emeritus", "{count} are emeritus", n),
    ),
    "inactive": _Clauses(
        lambda n: say_many("one certification is inactive", "all {count} certifications are inactive", n),
        lambda n: say_many("{count} certification is inactive", "{count} certifications are inactive", n),
        lambda n: say_many("{count} is inactive", "{count} are inactive", n),
    ),
    "suspended": _Clauses(
        lambda n: say_many("one certification is suspended", "all {count} certifications are suspended", n),
        lambda n: say_many("{count} certification is suspended", "{count} certifications are suspended", n),
        lambda n: say_many("{count} is suspended", "{count} are suspended", n),
    ),
    "waiting": _Clauses(
        lambda n: say_many("one certification is not active yet", "all {count} certifications are not active yet", n),
        lambda n: say_many("{count} certification is not active yet", "{count} certifications are not active yet", n),
        lambda n: say_many("{count} is not active yet", "{count} are not active yet", n),
    ),
    "revoked": _Clauses(
        lambda n: say_many("one certification was revoked", "all {count} certifications were revoked", n),
        lambda n: say_many("{count} certification was revoked", "{count} certifications were revoked", n),
        lambda n: say_many("{count} was revoked", "{count} were revoked", n),
    ),
    "altered": _Clauses(
        lambda n: say_many("one certification was changed", "all {count} certifications were changed", n),
        lambda n: say_many("{count} certification was changed", "{count} certifications were changed", n),
        lambda n: say_many("{count} was changed", "{count} were changed", n),
    ),
    "not_ours": _Clauses(
        lambda n: say_many("one certification is not ours", "all {count} certifications are not ours", n),
        lambda n: say_many("{count} certification is not ours", "{count} certifications are not ours", n),
        lambda n: say_many("{count} is not ours", "{count} are not ours", n),
    ),
}
# fmt: on
"""In the order in which a sentence counts them."""


def tallied(counts: Mapping[State, int]) -> str:
    """For example: Three certifications are active, one has expired. `counts` has one that is not nothing at least."""
    states = [(state, InWords(counts[state])) for state in _CLAUSES if counts.get(state)]
    (state, number), *others = states
    if not others:
        return f"{_capital(_CLAUSES[state].all(number))}."
    clauses = [_CLAUSES[state].first(number), *(_CLAUSES[other].then(count) for other, count in others)]
    return f"{_capital(reduce(lambda one, more: say('{one}, {other}', one=one, other=more), clauses))}."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
