"""A platform with people of a story on it, for whoever looks at its pages."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from tests.e2e.portal.people import Person, World, people_on
from tests.e2e.stage import open_stage
from tests.e2e.vendor import vendor_message
from tests.e2e.waiting import eventually
from tests.gallery.story import HELD, Character
from tests.servers import broker_for_session, mongo_for_session


@asynccontextmanager
async def open_world() -> AsyncIterator[World]:
    """All services, the portal, a mail catcher, a vendor and a browser, on servers of their own."""
    async with (
        mongo_for_session() as mongo,
        broker_for_session() as broker,
        open_stage(mongo, broker) as stage,
        people_on(stage) as world,
    ):
        yield world


async def tell(world: World, who: Character) -> Person:
    """Let the vendor publish a character's story. Returns the candidate once all of it has come through."""
    for event in who.events(datetime.now(UTC)):
        await world.vendor.publish(vendor_message(event))
    found = await eventually(
        lambda: world.staff.get("identity", "/candidates", program="cisco", system="vue", external_id=who.number),
        lambda page: len(page["items"]) == 1,
    )
    person = Person(who.number, who.email, str(found["items"][0]["candidate_id"]))
    path = f"/programs/cisco/candidates/{person.candidate_id}"
    await eventually(
        lambda: world.staff.get("certs", f"{path}/certifications"),
        lambda held: len(held["certifications"]) > len(HELD) - 1,
    )
    await eventually(
        lambda: world.staff.get("notify", f"{path}/messages"),
        lambda page: bool(page["items"]) and all(mail["state"] == "sent" for mail in page["items"]),
    )
    await world.activate(person)
    return person
