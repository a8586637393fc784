"""What a badge at the provider says: made of the credential, the person and the program's definition. Pure."""

from dataclasses import astuple, dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from libs.common.ids import derived_id
from libs.common.mongo.people import Person
from libs.common.programs import Program
from services.certs.provider.chains import Link


@dataclass(frozen=True, slots=True)
class Order:
    """A badge as it is to be."""

    template: str
    email: str
    given_name: str
    family_name: str
    language: str | None
    """BCP 47."""
    issued_at: datetime
    expires_at: datetime | None
    """None for one that never runs out."""

    @property
    def said(self) -> str:
        """Digest of everything that, if it changes, is worth another badge: neither the address nor the language."""
        template, _, given, family, _, issued, expires = astuple(self)
        return derived_id(template, given, family, str(issued), str(expires))


def order_of(link: Link, template: str, person: Person, program: Program) -> Order:
    """The badge of a credential, from the day it was earned to the end of its last day, in the program's zone."""
    return Order(
        template=template,
        email=person.email,
        given_name=person.given_name,
        family_name=person.family_name,
        language=person.language,
        issued_at=_beginning(link.earned_on, program),
        expires_at=program.end_of(link.ends) - timedelta(seconds=1) if link.ends else None,
    )


def _beginning(day: date, program: Program) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(program.time_zone))
