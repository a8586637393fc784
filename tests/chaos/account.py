"""The account after a disturbed flow: nothing lost, nothing doubled, every mail once, nothing left lying about."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from libs.common.events import EventData, certs, exams, fulfillment, identity, notify
from libs.common.ids import derived_id
from tests.chaos.flow import Expected, Flow
from tests.chaos.holdings import Tally, expected_holdings, holdings
from tests.chaos.sink import Accepted, accepted
from tests.e2e.event_log import Event, of_type, read_log
from tests.e2e.remains import remains
from tests.e2e.stage import Stage
from tests.e2e.vendor import Vendor
from tests.e2e.waiting import eventually

FINISH_SECONDS = 150.0
"""After the last disturbance: far more than leases of ten and twenty seconds and the ladder's first steps."""

_MAILS: dict[type[EventData], str] = {
    identity.AccessRequested: "activation",
    exams.ExamPassed: "exam_passed",
    exams.ExamFailed: "exam_failed",
    certs.CertificationAwarded: "certification_awarded",
}
_OTHERS: dict[type[EventData], str] = {
    identity.CandidateRegistered: "account",
    exams.ExamScheduled: "appointment",
    fulfillment.BenefitOffered: "kit",
}


async def settle(stage: Stage, vendor: Vendor, flow: Flow, *, last: str = "Z") -> Flow:
    """Wait until everything that the flow leads to exists, and is all that exists.

    At the end somebody, called `last`, passes through the whole platform alone: as queues keep their order, nothing
    that came before can still be on its way. Returns that flow.

    Raises:
        AssertionError: it does not come; says what is missing and what the services complain of.
    """
    await _settle(stage, flow)
    one = Flow(f"{flow.prefix}{last}", 1)
    await one.send(vendor)
    await _settle(stage, one)
    return one


async def _settle(stage: Stage, flow: Flow) -> None:
    try:
        await eventually(lambda: _open_ends(stage, flow), lambda ends: not ends, seconds=FINISH_SECONDS)
    except TimeoutError as error:
        complaints = "\n".join(stage.processes.complaints())
        raise AssertionError(f"{error}\n{complaints}") from None


async def _open_ends(stage: Stage, flow: Flow) -> dict[str, str]:
    held, _ = await holdings(stage, flow.prefix)
    ends = held.differences(expected_holdings(flow.expected))
    left = await remains(stage)
    return ends | ({"left over": str(left)} if left else {})


async def audit(stage: Stage, flow: Flow, *, log_is_whole: bool) -> int:
    """Compare everything with the expectation. Returns how many mails were delivered more than once.

    Raises:
        AssertionError: something was lost, doubled, parked or left.
    """
    held, who = await holdings(stage, flow.prefix)
    differences, left = held.differences(expected_holdings(flow.expected)), await remains(stage)
    assert not differences, differences
    assert not left, left
    assert not stage.processes.fallen, stage.processes.fallen
    assert not stage.processes.set_aside(), stage.processes.set_aside()
    mails = await accepted(stage, f"{flow.prefix}-")
    different = {mail.letter: mail for mail in mails}
    _audit_mails(different.values(), flow.expected)
    events = [event for event in await read_log(stage.broker) if event.get("subject") in who]
    _audit_events(events, who, flow.expected, whole=log_is_whole)
    if log_is_whole:
        _audit_causes(different, events, who)
    return len(mails) - len(different)


def _audit_mails(different: Iterable[Accepted], expected: Expected) -> None:
    """As many mails as there are causes, each under a Message-ID of its own."""
    received = Counter(mail.recipient for mail in different)
    wanted = Counter(recipient for recipient, _ in expected.mails.elements())
    assert received == wanted, f"missing {wanted - received}, too many {received - wanted}"


def _audit_events(events: Sequence[Event], who: Mapping[str, str], expected: Expected, *, whole: bool) -> None:
    """Each thing was told under one id, however often that was published."""
    told: Tally = Counter()
    for model, name in (*_MAILS.items(), *_OTHERS.items()):
        told += Counter((who[event["subject"]], name) for event in of_type(events, model))
    wanted: Tally = Counter(expected.mails)
    wanted += Counter((email, name) for email in expected.grades for name in ("account", "appointment"))
    wanted += Counter((email, "kit") for email in expected.certified)
    assert not told - wanted, f"too many {told - wanted}"
    if whole:
        assert not wanted - told, f"missing {wanted - told}"


def _audit_causes(mails: Mapping[str, Accepted], events: Sequence[Event], who: Mapping[str, str]) -> None:
    """Each Message-ID follows from the event that the mail answers, and is told once as sent."""
    causes = {
        derived_id(event["id"], template): who[event["subject"]]
        for model, template in _MAILS.items()
        for event in of_type(events, model)
    }
    strange = {letter for letter, mail in mails.items() if causes.get(letter) != mail.recipient}
    assert not strange, f"{len(strange)} mails answer no event"
    assert mails.keys() == causes.keys(), f"{len(causes.keys() - mails.keys())} events have no mail"
    told = Counter(event["data"]["message_id"] for event in of_type(events, notify.EmailSent))
    sent = Counter(mail.message_id for mail in mails.values())
    assert told == sent, f"not told as sent: {sent - told}, told too often: {told - sent}"


async def finish(stage: Stage, vendor: Vendor, flow: Flow, *, log_is_whole: bool = True) -> int:
    """Wait for the end and audit it; prints how long it took. Returns the repeated mails.

    `log_is_whole` is False where the broker was started again: in its first moments RabbitMQ (3.10) confirms
    messages that have reached every quorum queue they are for, while the log, a stream, has no leader yet and never
    gets them. No service reads its work from the log.
    """
    loop = asyncio.get_running_loop()
    began = loop.time()
    await settle(stage, vendor, flow)
    seconds = loop.time() - began
    repeated = await audit(stage, flow, log_is_whole=log_is_whole)
    print(
        f"{flow.prefix}: {len(flow.expected.grades)} results, all done {seconds:.1f} s after, {repeated} mails repeated"
    )
    return repeated
