"""Fulfillment as it is composed, for tests that talk to its handlers, its jobs and its API."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from libs.common.events import identity
from libs.common.programs import Program
from libs.common.service import Platform
from services.fulfillment.app import SERVICE
from services.fulfillment.store import FulfillmentStore
from tests.service.callers import ProgramCallers
from tests.service.rig import ERASURE_KEY, Base, said
from tests.service.samples import TAKEN, received
from tests.service.station import Station

ADDRESS = {"lines": ["1 Elm St"], "city": "Springfield", "region": "IL", "postal_code": "62701", "country": "US"}


def known_person(candidate_id: str = "C1", program: str = "cisco", **more: Any) -> Any:
    """A candidate as identity tells of them."""
    given = {
        "given_name": "Ana",
        "family_name": "Díaz",
        "email": f"{candidate_id}@mail.example".lower(),
        "country": "US",
    }
    data = identity.CandidateRegistered(candidate_id=candidate_id, registered_at=TAKEN, **given | more)
    return received(data, program=program)


class FulfillmentStation(Station):
    """The service's handlers, jobs and API."""

    service = "fulfillment"

    def __init__(self, base: Base, programs: Mapping[str, Program], **settings: Any) -> None:
        self.base = base
        self.store = FulfillmentStore(base.database)
        platform = Platform(base.database, base.unit_of_work, programs, base.clock, base.owner)
        given = SERVICE.settings.model_construct(batch_size=200, erasure_key=ERASURE_KEY, **settings)
        self.parts = SERVICE.build(platform, given)

    def said(self, model: type[Any]) -> list[dict[str, Any]]:
        """What every event of one kind says."""
        return [event["data"] for event in said(self.base) if event.get("type") == model.event_type]

    def api(self) -> AbstractAsyncContextManager[ProgramCallers]:
        return ProgramCallers.at(self.parts.api, self.base)
