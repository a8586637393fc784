"""Lists by cursor: a page begins after the last sort key of the one before, so new rows shift nothing."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from libs.common.http.models import Parameters, View
from libs.common.http.problems import Problem, invalid

MAX_LIMIT = 200
DEFAULT_LIMIT = 50
_MAX_CURSOR = 1024

T = TypeVar("T")
K = TypeVar("K")
Row = TypeVar("Row")
Item = TypeVar("Item", bound=BaseModel)


class PageQuery(Parameters):
    """The query of a list; lists with filters add their fields."""

    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT, description="Items in a page at most")] = DEFAULT_LIMIT
    cursor: Annotated[
        str | None,
        Field(
            max_length=_MAX_CURSOR,
            description="`next` of the page before; its content means nothing to clients",
        ),
    ] = None


class Page(View, Generic[T]):
    """One page of a list."""

    items: list[T]
    next: Annotated[str | None, Field(description="Cursor of the next page; null on the last one")] = None


class Cursor(Generic[K]):
    """The cursor of one list: its sort key, written so that it passes through a URL.

    A cursor is not signed. Whoever makes one up reaches no row that they may not see anyway, because it says
    where to begin, not what to show; what is read from it is validated like any other input.

    Args:
        name: of the list and its order; the cursor of another is refused.
        key: the type of the sort key, unique among the rows, for example `tuple[datetime, str]`.
    """

    def __init__(self, name: str, key: type[K]) -> None:
        self._name = name.encode()
        self._key: TypeAdapter[K] = TypeAdapter(key)

    def encode(self, key: K) -> str:
        plain = self._name + b":" + self._key.dump_json(key)
        return base64.urlsafe_b64encode(plain).rstrip(b"=").decode()

    def decode(self, text: str | None) -> K | None:
        """The sort key to begin after; None begins at the first row. Raises the problem `invalid-request`."""
        if text is None:
            return None
        try:
            padded = text.encode("ascii") + b"=" * (-len(text) % 4)
            _, _, plain = base64.b64decode(padded, altchars=b"-_", validate=True).partition(b":")
            key = self._key.validate_json(plain)
        except (UnicodeEncodeError, binascii.Error, ValidationError) as error:
            raise _bad_cursor() from error
        # One key of one list has one cursor: what is not written as it was read was not made for this list.
        if self.encode(key) != text:
            raise _bad_cursor()
        return key

    def page(
        self,
        into: type[Page[Item]],
        rows: Sequence[Row],
        limit: int,
        *,
        key: Callable[[Row], K],
        show: Callable[[Row], Item],
    ) -> Page[Item]:
        """The page of `rows`, of which the caller has read one more than `limit` if there are that many."""
        more = len(rows) > limit
        items = [show(row) for row in rows[:limit]]
        return into(items=items, next=self.encode(key(rows[limit - 1])) if more else None)


def _bad_cursor() -> Problem:
    return invalid("query.cursor", "cursor", "is not a cursor of this list")
