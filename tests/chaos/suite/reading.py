"""Reads what the platform holds, has told and has sent, for the account."""

import asyncio
from collections import Counter
from typing import Any

import aio_pika
from pymongo import MongoClient

from deploy.mongo.users import database_name
from libs.common.bus import topology
from libs.common.events import SERVICES, certs, exams, fulfillment, identity, notify
from tests.chaos.sink import accepted
from tests.chaos.suite.account import MAILS, Found, Tally
from tests.chaos.suite.load import Load
from tests.e2e.event_log import Event, of_type, read_log
from tests.e2e.remains import remains
from tests.e2e.stage import Stage

_TOLD = {
    identity.CandidateRegistered: (),
    exams.ExamPassed: ("result_id", "revision"),
    exams.ExamFailed: ("result_id", "revision"),
    certs.CertificationAwarded: ("certification", "earned_on"),
    fulfillment.BenefitOffered: ("certification",),
    notify.EmailSent: ("message_id",),
}
"""Events that are told once about each candidate with one result, and what beside the candidate they are about."""


async def things(stage: Stage, load: Load) -> dict[str, Tally]:
    """What the services' databases hold."""
    single = {str(row["data"]["vendor_candidate_id"]).lower() for row in load.singles}
    held, _ = await asyncio.to_thread(_things, stage.mongo.admin_url, load.prefix, single)
    return held


async def everything(stage: Stage, load: Load) -> Found:
    """All of it, the event log and the mail server's memory included. For a platform at rest."""
    single = {str(row["data"]["vendor_candidate_id"]).lower() for row in load.singles}
    held, who = await asyncio.to_thread(_things, stage.mongo.admin_url, load.prefix, single)
    mails = await accepted(stage, f"{load.prefix}-")
    letters = {(mail.recipient, mail.message_id) for mail in mails if mail.recipient.partition("@")[0] in single}
    held["letters"] = Counter((recipient,) for recipient, _ in letters)
    ours = {candidate for candidate, email in who.items() if email.partition("@")[0] in single}
    events = [event for event in await read_log(stage.broker) if event.get("subject") in ours]
    return Found(
        held,
        deliveries=Counter(mail.message_id for mail in mails),
        told=_told(events),
        left=await remains(stage),
        parked=await _parked(stage),
        complaints=stage.processes.set_aside(),
    )


def _told(events: list[Event]) -> Tally:
    told: Tally = Counter()
    for model, about in _TOLD.items():
        for event in of_type(events, model):
            told[(model.name, str(event["subject"]), *(str(event["data"].get(name)) for name in about))] += 1
    return told


async def _parked(stage: Stage) -> int:
    count = 0
    async with await aio_pika.connect(stage.broker.admin_url) as connection, connection.channel() as channel:
        for service in SERVICES:
            queue = await channel.declare_queue(topology.parked_queue(service), passive=True)
            count += queue.declaration_result.message_count or 0
    return count


def _things(url: str, prefix: str, single: set[str]) -> tuple[dict[str, Tally], dict[str, str]]:
    """What is held about the load's candidates, and their addresses by candidate ID."""
    with MongoClient[dict[str, Any]](url) as client:
        base = {service: client[database_name(service)] for service in SERVICES}
        people = base["identity"]["candidates"].find({"email": {"$regex": f"^{prefix.lower()}-"}}, {"email": 1})
        who = {str(row["_id"]): str(row["email"]) for row in people}
        ones = [candidate for candidate, email in who.items() if email.partition("@")[0] in single]
        results = base["exams"]["results"].find({"result_id": {"$regex": f"^{prefix}-"}})
        ledgers = base["certs"]["candidates"].find({"_id": {"$in": list(who)}})
        offers = base["fulfillment"]["offers"].find({"candidate_id": {"$in": ones}})
        mails = base["notify"]["messages"].find({"candidate_id": {"$in": ones}, "state": "sent"})
        return {
            "accounts": Counter((email,) for email in who.values()),
            "results": Counter((row["result_id"], row["grade"]) for row in results),
            "certifications": Counter(
                (who[row["_id"]], held["certification"], held["earned_on"], held["expires_on"] or "")
                for row in ledgers
                for held in row["certifications"]
                if held["status"] in {"active", "expired"}
            ),
            "kits": Counter((who[row["candidate_id"]], row["certification"]) for row in offers),
            "mails": Counter((who[row["candidate_id"]], MAILS.get(row["template"], row["template"])) for row in mails),
        }, who
