"""The main job on real servers: a vendor publishes, and the candidate has everything that follows from it."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import orjson
import pytest
import pytest_asyncio
import yaml
from pydantic import SecretStr

from deploy.broker.definitions import OPERATOR
from deploy.cli.access import Access, OperatorSettings
from deploy.cli.errors import CliError
from deploy.cli.trace import Way, follow
from deploy.local.settings import LocalSettings
from deploy.monitoring.dashboards import DASHBOARDS
from deploy.monitoring.targets import ALERTS
from deploy.processes import PORTAL
from libs.common.bus import topology
from libs.common.bus.messages import Outgoing
from libs.common.bus.publisher import Publisher
from libs.common.events import SINGLE, notify
from libs.common.tracing import new_traceparent, trace_id
from tests.contract.queries import ITS_OWN, asked
from tests.e2e import desk, event_log
from tests.e2e.desk import Desk
from tests.e2e.event_log import Event
from tests.e2e.remains import remains
from tests.e2e.samples import EXAM, TAKEN, registration, result
from tests.e2e.stage import Stage
from tests.e2e.vendor import Vendor, vendor_message
from tests.e2e.waiting import eventually

PASSWORD = "correct horse battery staple"
CHAIN = "order-4711"
MAILS = {"activation", "exam_passed", "certification_awarded"}


@dataclass(frozen=True)
class Person:
    """A candidate as vendor and platform know them."""

    number: str
    candidate_id: str
    email: str
    messages: tuple[Outgoing, Outgoing]
    traceparent: str

    def path(self, what: str) -> str:
        return f"/programs/cisco/candidates/{self.candidate_id}/{what}"


@pytest.fixture(scope="module")
def staff(stage: Stage, session: aiohttp.ClientSession) -> Desk:
    return desk.operator(stage, session)


@pytest_asyncio.fixture(scope="module")
async def ada(vendor: Vendor, staff: Desk) -> AsyncIterator[Person]:
    """Somebody who has registered and passed."""
    yield await appear(vendor, staff, "V-1815", "ada@example.com")


@pytest_asyncio.fixture(scope="module")
async def bob(vendor: Vendor, staff: Desk) -> AsyncIterator[Person]:
    """Somebody else who has."""
    yield await appear(vendor, staff, "V-1920", "bob@example.com")


async def appear(vendor: Vendor, staff: Desk, number: str, email: str) -> Person:
    traceparent = new_traceparent()
    messages = (
        vendor_message(registration(number, email), traceparent=traceparent, correlationid=CHAIN),
        vendor_message(result(number), traceparent=traceparent, correlationid=CHAIN),
    )
    for message in messages:
        await vendor.publish(message)
    found = await eventually(
        lambda: staff.get("identity", "/candidates", program="cisco", system="vue", external_id=number),
        lambda page: len(page["items"]) == 1,
    )
    return Person(number, found["items"][0]["candidate_id"], email, messages, traceparent)


async def mails_to(stage: Stage, session: aiohttp.ClientSession, person: Person, count: int) -> list[dict[str, Any]]:
    """The mails in the inbox to a person, once there are that many."""

    async def look() -> list[dict[str, Any]]:
        async with session.get(f"{stage.inbox_url}/api/messages", params={"q": person.email}) as response:
            found: list[dict[str, Any]] = (await response.json())["messages"]
        return found

    return await eventually(look, lambda mails: len(mails) >= count)


async def activation_token(stage: Stage, session: aiohttp.ClientSession, person: Person) -> str:
    """The secret in the link of a person's first mail."""
    mails = await mails_to(stage, session, person, len(MAILS))
    (first,) = [mail["id"] for mail in mails if "ctivate" in mail["subject"]]
    async with session.get(f"{stage.inbox_url}/api/messages/{first}") as response:
        links = [urlsplit(str(link)) for link in (await response.json())["links"]]
    (token,) = [token for link in links if link.path == "/activate" for token in parse_qs(link.query)["token"]]
    return token


async def test_a_result_stands_in_the_history(staff: Desk, ada: Person) -> None:
    page = await eventually(lambda: staff.get("exams", ada.path("results")), lambda page: bool(page["items"]))
    (attempt,) = page["items"]
    assert (attempt["exam_code"], attempt["grade"], attempt["taken_on"]) == (EXAM, "pass", TAKEN.date().isoformat())
    assert attempt["result_id"].endswith("R-V-1815")
    assert [revision["grade"] for revision in attempt["revisions"]] == ["pass"]


async def test_a_pass_gives_the_certification_and_says_why(staff: Desk, ada: Person) -> None:
    held = await eventually(
        lambda: staff.get("certs", ada.path("certifications")), lambda answer: bool(answer["certifications"])
    )
    (certification,) = held["certifications"]
    assert (certification["certification"], certification["earned_on"]) == ("CCNA", TAKEN.date().isoformat())
    assert any("R-V-1815" in reason["fact"] for reason in certification["because"])
    assert all(reason["clause"] and reason["text"] for reason in certification["because"])
    assert certification["text"]


async def test_a_certification_brings_the_offer_of_a_kit(staff: Desk, ada: Person) -> None:
    page = await eventually(lambda: staff.get("fulfillment", ada.path("offers")), lambda page: bool(page["items"]))
    (offer,) = page["items"]
    assert (offer["benefit"], offer["certification"], offer["state"]) == ("initial_kit", "CCNA", "offered")


async def test_three_mails_lie_in_the_inbox_and_in_the_log(
    stage: Stage, session: aiohttp.ClientSession, staff: Desk, ada: Person
) -> None:
    mails = await mails_to(stage, session, ada, len(MAILS))
    assert len(mails) == len(MAILS)
    assert len({mail["message_id"] for mail in mails}) == len(MAILS)
    log = await eventually(
        lambda: staff.get("notify", ada.path("messages")),
        lambda page: [item["state"] for item in page["items"]] == ["sent"] * len(MAILS),
    )
    assert {item["template"] for item in log["items"]} == MAILS
    assert all(any(item["message_id"] in mail["message_id"] for mail in mails) for item in log["items"])


async def test_the_activation_link_opens_the_account_and_nothing_else(
    stage: Stage, session: aiohttp.ClientSession, ada: Person, bob: Person
) -> None:
    token = await activation_token(stage, session, ada)
    body = {"token": token, "password": PASSWORD}
    assert (await desk.post(stage, session, "/activations", body))[0] == 204
    assert (await desk.post(stage, session, "/activations", body))[0] == 410  # it works once
    own = desk.candidate(stage, session, login=ada.email, password=PASSWORD)
    pages = (("exams", "results"), ("certs", "certifications"), ("fulfillment", "offers"), ("notify", "messages"))
    for service, what in pages:
        await own.get(service, ada.path(what))
        assert (await own.ask(service, bob.path(what)))[0] == 404
    profile = await own.get("identity", ada.path("").rstrip("/"))
    assert profile["activated_at"] is not None
    assert (await own.ask("identity", bob.path("").rstrip("/")))[0] == 404
    assert (await own.ask("identity", "/totals"))[0] == 403


async def test_an_account_opens_with_its_own_password_only(
    stage: Stage, session: aiohttp.ClientSession, bob: Person
) -> None:
    credentials = {"grant_type": "password", "program": "cisco", "login": bob.email, "password": PASSWORD}
    assert (await desk.post(stage, session, "/tokens", credentials))[0] == 401


@dataclass(frozen=True)
class OfTheStage(Access):
    """Where the command line finds the stage: its services have no gateway before them."""

    stage: Stage

    def api_url(self, service: str) -> str:
        return self.stage.api_url(service)


async def traced(stage: Stage, name: str) -> Way:
    """What `certrail trace` says; nothing where it knows nothing yet."""
    given = OperatorSettings(
        operator_secret=SecretStr(stage.operator_secret), operator_amqp_url=SecretStr(stage.broker.url(OPERATOR))
    )
    try:
        return await follow(OfTheStage(LocalSettings(state_dir=stage.folder), given, stage), name, "first", data=False)
    except CliError:
        return Way(name, [], [])


async def test_any_id_of_it_shows_the_whole_way_from_the_result_to_the_mails(
    stage: Stage, session: aiohttp.ClientSession, ada: Person
) -> None:
    await mails_to(stage, session, ada, len(MAILS))
    way = await eventually(
        lambda: traced(stage, f"R-{ada.number}"),
        lambda way: len(way.ends) > 1 and {end.state for end in way.ends} == {"mailed"},
    )
    happened = [step.what for step in way.steps]
    chief = ("result reported", "ExamPassed", "CertificationAwarded")
    assert [what for what in happened if what in chief] == list(chief)
    assert way.steps[happened.index(chief[0])].id == ada.messages[1].id
    assert {"BenefitOffered", "EmailSent"} <= set(happened)
    assert [step.at for step in way.steps] == sorted(step.at for step in way.steps)
    told = str(way)
    assert not [one for one in (ada.email, "Ångström") if one in told]
    by_mail = next(step.about["message_id"] for step in way.steps if step.what == "EmailSent")
    assert [step.id for step in (await traced(stage, by_mail)).steps] == [step.id for step in way.steps]
    both = await traced(stage, f"G-{ada.number}")  # the registration's way beside the result's
    assert {"CandidateRegistered", "ExamPassed"} <= {step.what for step in both.steps}


async def test_the_way_of_what_nobody_can_place_ends_where_it_waits(stage: Stage, vendor: Vendor) -> None:
    stray = vendor_message(result("V-nobody"))
    await vendor.publish(stray)
    way = await eventually(lambda: traced(stage, stray.id), lambda way: bool(way.ends))
    assert [(end.state, "R-V-nobody" in end.text) for end in way.ends] == [("waiting", True)]


async def chain(stage: Stage, person: Person) -> list[Event]:
    """Everything that the services have said because of a person's two messages, once it is complete."""

    async def look() -> list[Event]:
        events = await event_log.read_log(stage.broker)
        return [event for event in events if trace_id(event.get("traceparent")) == trace_id(person.traceparent)]

    return await eventually(look, lambda events: len(event_log.of_type(events, notify.EmailSent)) == len(MAILS))


async def publish_again(stage: Stage, events: Sequence[Event]) -> None:
    """Deliver services' events once more, each to everybody who reads its kind."""
    publisher, stopping = Publisher(stage.broker.admin_url, name="test"), asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(publisher.run(stopping))
        for event in events:
            kind = str(event["type"])
            key = kind.removeprefix("certrail.")
            await publisher.publish(Outgoing(event["id"], topology.EVENTS, key, kind, SINGLE, orjson.dumps(event)))
        stopping.set()


async def test_events_delivered_again_change_nothing(
    stage: Stage, session: aiohttp.ClientSession, vendor: Vendor, staff: Desk, ada: Person
) -> None:
    before = {mail["message_id"] for mail in await mails_to(stage, session, ada, len(MAILS))}
    await publish_again(stage, await chain(stage, ada))
    for message in ada.messages:
        await vendor.publish(message)
    # Queues keep their order: once somebody who came later has all their mails, the repetition has been handled.
    later = await appear(vendor, staff, "V-1936", "later@example.com")
    await mails_to(stage, session, later, len(MAILS))
    after = await mails_to(stage, session, ada, len(MAILS))
    assert {mail["message_id"] for mail in after} == before
    assert [mail["deliveries"] for mail in after] == [1] * len(MAILS)
    assert len((await staff.get("exams", ada.path("results")))["items"]) == 1
    assert len((await staff.get("fulfillment", ada.path("offers")))["items"]) == 1
    await eventually(lambda: remains(stage), lambda left: not left)
    assert not stage.processes.set_aside()
    said = await chain(stage, later)
    assert len(said) == len({event["id"] for event in await chain(stage, ada)})


async def test_a_vendor_reads_why_its_message_was_refused(stage: Stage, vendor: Vendor) -> None:
    refused = vendor_message(result("V-1815", exam_code="999-999"))
    await vendor.publish(refused)
    answer = await vendor.rejection()
    assert answer["message_id"] == refused.id
    assert [(reason["path"], reason["code"]) for reason in answer["reasons"]] == [("data.exam_code", "unknown_exam")]
    assert answer["original"] == refused.body.decode()
    (end,) = (await traced(stage, refused.id)).ends
    assert (end.state, "unknown_exam at data.exam_code" in end.text) == ("refused", True)


async def test_processes_offer_whatever_the_dashboards_and_alerts_ask_for(
    stage: Stage, session: aiohttp.ClientSession
) -> None:
    await stage.processes.start(stage.portal_part(PORTAL))
    offered = {PORTAL: types_in(await metrics_at(session, stage.internal_urls[PORTAL]))}
    for name, url in stage.internal_urls.items():
        service = name.partition("-")[0]
        if service == PORTAL:  # it reads no queue
            continue
        queue = f'certrail_queue_messages{{queue="{topology.events_queue(service)}"}}'
        text = await eventually(partial(metrics_at, session, url), lambda text, queue=queue: queue in text)
        offered[service] = types_in(text)
    everything = set().union(*offered.values())
    for dashboard in DASHBOARDS:
        own = offered.get(dashboard.slug, everything)
        for panel in dashboard.panels:
            assert asked_for(query.expr for query in panel.queries) <= own, (dashboard.slug, panel.title)
    rules = [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]
    assert asked_for(rule["expr"] for rule in rules) <= everything


def types_in(text: str) -> set[str]:
    """The metrics that a process offers."""
    return set(re.findall(r"^# TYPE (\S+) ", text, re.MULTILINE))


async def metrics_at(session: aiohttp.ClientSession, url: str) -> str:
    async with session.get(f"{url}/metrics") as response:
        return await response.text()


def asked_for(exprs: Iterable[str]) -> set[str]:
    """The metrics of queries, as a process calls them."""
    names = {one.name for expr in exprs for one in asked(expr)} - ITS_OWN
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in names}


async def test_one_trace_leads_from_the_vendor_to_the_mail(stage: Stage, ada: Person) -> None:
    events = await chain(stage, ada)
    names = {event["type"].split(".")[2] for event in events}
    assert names >= {
        "CandidateRegistered", "ExternalIdLinked", "AccessRequested", "ExamPassed",
        "CertificationAwarded", "BenefitOffered", "EmailSent",
    }  # fmt: skip
    assert {event["correlationid"] for event in events} == {CHAIN}
    # Each names its cause, and the causes lead back to one of the vendor's two messages.
    causes = {event["id"]: event["causationid"] for event in events}
    for origin in causes:
        step = origin
        while step in causes:
            step = causes[step]
        assert step in {message.id for message in ada.messages}
