"""The bus as it is documented, declared and handled: three views of one thing."""

from typing import Any, get_args, get_type_hints

import pytest

from libs.common.audit.seals import EVENTS as SEALS
from libs.common.bus import topology
from libs.common.bus.messages import Received
from libs.common.events import SERVICES, VENDOR, EventData, all_events, certs, exams
from libs.common.events.answers import ANSWERS
from libs.common.events.contracts import committed
from libs.common.events.orders import ORDERS
from libs.common.mongo.merges import FAMILY_EVENTS
from libs.common.mongo.people import PEOPLE_EVENTS
from libs.common.privacy.keeper import PERSONAL_EVENTS
from libs.common.service import Parts
from services.certs import consumers as certs_consumers
from services.certs.claims import reports as certs_reports
from services.certs.provider import reports as badge_reports
from services.exams import consumers as exams_consumers
from services.exams.history.achievements import Achievements
from services.exams.reports import change_of, report_of
from services.fulfillment import consumers as fulfillment_consumers
from services.fulfillment.exchange import reports as house_reports
from services.identity import consumers as identity_consumers
from services.identity.cases.missing_results import MissingResults
from services.identity.cases.returned_parcels import ReturnedParcels
from services.identity.privacy.exports import ExportParts
from services.identity.profiles import Profiles
from services.identity.reachability import Reachability
from services.notify.consumers import SILENT_EVENTS
from services.notify.domain.causes import MAIL_EVENTS

Document = dict[str, Any]


@pytest.fixture(scope="module")
def document() -> Document:
    return committed()["asyncapi.json"]


def resolve(document: Document, reference: str) -> Any:
    """The part of the document a reference points to; fails the test where there is none."""
    assert reference.startswith("#/")
    place: Any = document
    for step in reference.removeprefix("#/").split("/"):
        place = place[step.replace("~1", "/").replace("~0", "~")]
    return place


def references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [found for value in node.values() for found in references(value)]
    if isinstance(node, list):
        return [found for value in node for found in references(value)]
    return []


def test_document_has_what_asyncapi_3_requires(document: Document) -> None:
    assert document["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= document["info"].keys()
    for channel in document["channels"].values():
        assert channel["address"]
        assert channel["messages"]
        placeholders = {part.strip("{}") for part in channel["address"].split(".") if part.startswith("{")}
        assert placeholders == channel.get("parameters", {}).keys()
    for operation in document["operations"].values():
        assert operation["action"] in {"send", "receive"}
        channel = resolve(document, operation["channel"]["$ref"])
        offered = [resolve(document, message["$ref"]) for message in channel["messages"].values()]
        for message in operation["messages"]:
            assert resolve(document, resolve(document, message["$ref"])["$ref"]) in offered


def test_every_reference_of_the_document_leads_somewhere(document: Document) -> None:
    found = references(document)
    assert found
    for reference in found:
        resolve(document, reference)


def test_every_event_has_a_channel_on_its_exchange_and_its_sender(document: Document) -> None:
    for key, model in all_events().items():
        name = key.replace(".", "-")
        channel = document["channels"][name]
        vendor = model.publisher == VENDOR
        exchange = channel["bindings"]["amqp"]["exchange"]
        assert exchange["name"] == (topology.VENDORS if vendor else topology.EVENTS)
        assert channel["address"] == (key.replace(VENDOR, "{vendor}", 1) if vendor else key)
        assert document["operations"][f"publish-{name}"]["action"] == ("receive" if vendor else "send")
    assert len(document["channels"]) == len(all_events()) + len(ANSWERS) + len(ORDERS)


def test_document_names_the_readers_of_every_event(document: Document) -> None:
    for key, model in all_events().items():
        description = document["channels"][key.replace(".", "-")]["description"]
        for service in SERVICES:
            bound = (*topology.EVENT_BINDINGS[service], *topology.VENDOR_BINDINGS.get(service, ()))
            assert (service in description) == (model in bound)


@pytest.mark.parametrize("service", SERVICES)
def test_service_reads_exactly_the_queues_declared_for_it(parts: dict[str, Parts], service: str) -> None:
    read = [subscription.queue for subscription in parts[service].subscriptions]
    assert sorted(read) == sorted(topology.consumed_queues(service))


def models_of(hint: Any) -> set[type[EventData]]:
    """The event models in a type such as `Sequence[Received[A | B]]`."""
    if isinstance(hint, type) and issubclass(hint, EventData):
        return {hint}
    return set().union(*(models_of(part) for part in get_args(hint)))


HANDLED: dict[str, set[type[EventData]]] = {
    "identity.events": models_of(get_type_hints(ExportParts.handle)["items"])
    | models_of(get_type_hints(MissingResults.handle)["items"])
    | models_of(get_type_hints(ReturnedParcels.handle)["items"])
    | models_of(get_type_hints(Reachability.handle)["items"])
    | models_of(get_type_hints(Profiles.end_news)["items"])
    | set(SEALS.values()),
    "exams.events": models_of(get_type_hints(exams_consumers.ServiceEvents.handle)["items"]) | {*PERSONAL_EVENTS},
    "exams.vendors": models_of(get_type_hints(change_of)["message"])
    | models_of(get_type_hints(report_of)["message"])
    | models_of(get_type_hints(Achievements.record)["items"])
    | {*exams_consumers.ELSEWHERE},  # of which it answers the refused ones
    "identity.vendors": models_of(identity_consumers.Registration),
    "certs.events": models_of(certs_consumers.ResultEvent | certs_consumers.FamilyEvent)
    | models_of(get_type_hints(certs_reports.Links.handle)["items"])
    | {*PEOPLE_EVENTS, *PERSONAL_EVENTS},
    "certs.vendors": models_of(certs_reports.Completion | badge_reports.Report),
    "fulfillment.vendors": models_of(house_reports.Report),
    "fulfillment.events": {*fulfillment_consumers.WORDS, *PEOPLE_EVENTS, *FAMILY_EVENTS, *PERSONAL_EVENTS},
    "notify.events": {*MAIL_EVENTS, *SILENT_EVENTS, *PERSONAL_EVENTS},
}


@pytest.mark.parametrize("queue", HANDLED)
def test_service_handles_every_event_it_is_bound_to_and_no_other(queue: str) -> None:
    service, _, kind = queue.partition(".")
    bindings = topology.EVENT_BINDINGS if kind == "events" else topology.VENDOR_BINDINGS
    assert HANDLED[queue] == set(bindings[service])


def test_every_event_somebody_is_bound_to_is_published_by_another_service() -> None:
    for service, models in topology.EVENT_BINDINGS.items():
        for model in models:
            assert model.publisher in SERVICES
            # Seals of all services are kept in the same way, also those of the service that keeps them.
            assert model.publisher != service or model is SEALS[service]


def test_vendors_events_are_read_by_the_service_that_answers_them() -> None:
    read = set(topology.VENDOR_BINDINGS[topology.INGRESS])
    for models in topology.VENDOR_BINDINGS.values():
        assert set(models) <= read, "an event read elsewhere only would be accepted here as unknown"


def test_models_of_finds_what_a_type_holds() -> None:
    hint = list[Received[exams.ExamPassed | certs.CertificationAwarded]]
    assert models_of(hint) == {exams.ExamPassed, certs.CertificationAwarded}
    assert models_of(int) == set()
