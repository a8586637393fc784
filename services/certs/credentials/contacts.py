"""What credentials may say of candidates: by the mirror of people, and by what each has chosen to share."""

from collections.abc import Collection

from libs.common.mongo.client import Session
from libs.common.mongo.people import People, Person
from services.certs.credentials.issuing import Contact
from services.certs.people.sharing import Sharing, SharingSettings


class KnownContacts:
    """Asks the mirror of people."""

    def __init__(self, people: People, sharing: SharingSettings) -> None:
        self._people = people
        self._sharing = sharing

    async def several(self, session: Session, candidates: Collection[str]) -> dict[str, Contact]:
        people = await self._people.several(candidates, session)
        chosen = await self._sharing.naming(people, session)
        return {key: _contact(person, chosen.get(key)) for key, person in people.items()}


def _contact(person: Person, chosen: Sharing | None) -> Contact:
    return Contact(person.shown(native=chosen.native_name) if chosen is not None else None, person.email)
