"""What credentials may say of candidates: by the mirror of people, and by what each has chosen to share."""

from libs.common.mongo.client import Session
from services.certs.credentials.issuing import Contact
from services.certs.people.people import People
from services.certs.people.sharing import SharingSettings


class KnownContacts:
    """Asks the mirror of people."""

    def __init__(self, people: People, sharing: SharingSettings) -> None:
        self._people = people
        self._sharing = sharing

    async def of(self, session: Session, program: str, candidate_id: str) -> Contact:
        person = await self._people.get(program, candidate_id, session)
        if person is None:
            return Contact(None, None)
        chosen = await self._sharing.get(program, candidate_id, session)
        name = person.shown(native=chosen.native_name) if chosen.name_in_badges else None
        return Contact(name, person.email)
