"""Which accounts are compared with each other, and which pairs of them are offered to staff.

Of many accounts only those are compared that have a key in common: the same address for mail, or a word of their names
at the same place. Two that are one person's have that, unless every word of the name is misspelt.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from libs.common.name_keys import name_keys
from services.identity.domain.similarity import WORTH_A_LOOK, Likeness

CROWD: Final = 10
"""From more accounts than these on a shared address for mail says nothing by itself: a school's or an employer's."""
_MOST_WORDS: Final = 8


def place_keys(words: Sequence[str], address: Mapping[str, Any] | None) -> list[str]:
    """The keys of an account: each word of its names, as `name_keys` gives them, at each of its places.

    Places are the postal code and the city of a country, because one of two addresses may lack either.
    """
    places = list(_places(address)) if address else []
    return [f"{word}@{place}" for word in words[:_MOST_WORDS] for place in places]


def _places(address: Mapping[str, Any]) -> Iterable[str]:
    country = str(address.get("country") or "").lower()
    code = "".join(c for c in str(address.get("postal_code") or "").casefold() if c.isalnum())
    city = "".join(islice(name_keys([str(address.get("city") or "")]), 4))
    if code:
        yield f"{country}:{code}"
    if city:
        yield f"{country}:{city}"


def is_offered(likeness: Likeness, *, crowded: bool) -> bool:
    """Whether staff are asked about two accounts: never for a name alone.

    Args:
        likeness: of the two.
        crowded: whether more than `CROWD` accounts share the address for mail.
    """
    reasons = set(likeness.reasons)
    by_mail = "email" in reasons and (not crowded or "name" in reasons)
    return likeness.score >= WORTH_A_LOOK and (by_mail or {"name", "address"} <= reasons)
