"""How something is looked for by whatever ids are known of it: the query parameter `id`, as often as there are."""

from typing import Annotated, Final

from pydantic import Field, StringConstraints

MOST_NAMES: Final = 50

Names = Annotated[
    list[Annotated[str, StringConstraints(min_length=1, max_length=256)]], Field(min_length=1, max_length=MOST_NAMES)
]
"""Of any characters, since there are partners' ids among them."""
