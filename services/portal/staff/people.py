"""The names of those who work for the program, by what services call them."""

from collections.abc import Mapping
from typing import Final

from pydantic import BaseModel

from services.portal.languages import mark, say
from services.portal.web.visit import Visit, part


class Colleague(BaseModel):
    subject: str
    name: str


class Colleagues(BaseModel):
    items: list[Colleague]


_OTHERS: Final = {
    "system": mark("by itself"),
    "client": mark("A system"),
    "candidate": mark("The candidate"),
}


class Names:
    """Who is meant by a subject; where the list of names is missing, the subject itself stands for it."""

    def __init__(self, known: Mapping[str, str], me: str) -> None:
        self._known = known
        self.me = me

    def of(self, subject: str) -> str:
        """`You`, a name, or what kind of caller it is."""
        if subject == self.me:
            return say("You")
        known = self._known.get(subject)
        if known is not None:
            return known
        other = _OTHERS.get(subject.partition(":")[0])
        return say(other) if other else subject


async def names_at(visit: Visit) -> Names:
    """Ask for it beside what the page itself needs. Raises `SignedOut`, `Refused`."""
    found = await part(visit.mine("identity", "/colleagues", Colleagues))
    return Names({one.subject: one.name for one in found.items} if found else {}, visit.at_desk.subject)
