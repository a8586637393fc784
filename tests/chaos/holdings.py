"""What the services hold at the end, read from their databases, side by side with what the messages must lead to."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from pymongo import MongoClient

from deploy.mongo.users import database_name
from libs.common.events import SERVICES
from tests.chaos.flow import CERTIFICATION, Expected
from tests.e2e.stage import Stage

Tally = Counter[tuple[str, ...]]
"""How often each thing exists; the first part is the candidate's address."""


@dataclass(frozen=True)
class Holdings:
    """Everything about the candidates of a flow."""

    accounts: Tally
    results: Tally
    certifications: Tally
    kits: Tally
    mails: Tally
    """By template, those that the log calls sent."""

    def differences(self, other: "Holdings") -> dict[str, str]:
        """What the other has that this has not, and the other way round; empty where they are the same."""
        found = {}
        for field in fields(self):
            mine: Tally = getattr(self, field.name)
            theirs: Tally = getattr(other, field.name)
            if mine != theirs:
                found[field.name] = f"missing {_some(theirs - mine)}, too many {_some(mine - theirs)}"
        return found


def _some(tally: Tally) -> str:
    return f"{tally.total()} {[*tally][:3]}"


def expected_holdings(expected: Expected) -> Holdings:
    certified = sorted(expected.certified)
    return Holdings(
        accounts=Counter((email,) for email in expected.grades),
        results=Counter(expected.grades.items()),
        certifications=Counter((email, CERTIFICATION) for email in certified),
        kits=Counter((email, CERTIFICATION, "initial_kit") for email in certified),
        mails=Counter(expected.mails),
    )


async def holdings(stage: Stage, prefix: str) -> tuple[Holdings, dict[str, str]]:
    """What is held about the flow of that prefix, and its candidates' addresses by candidate ID."""
    return await asyncio.to_thread(_holdings, stage.mongo.admin_url, prefix)


def _holdings(url: str, prefix: str) -> tuple[Holdings, dict[str, str]]:
    with MongoClient[dict[str, Any]](url) as client:
        base = {service: client[database_name(service)] for service in SERVICES}
        people = base["identity"]["candidates"].find({"email": {"$regex": f"^{prefix.lower()}-"}}, {"email": 1})
        who = {row["_id"]: str(row["email"]) for row in people}
        theirs = {"candidate_id": {"$in": list(who)}}
        results = base["exams"]["results"].find({"result_id": {"$regex": f"^{prefix}-"}})
        ledgers = base["certs"]["candidates"].find({"_id": {"$in": list(who)}})
        return Holdings(
            accounts=Counter((email,) for email in who.values()),
            results=_tally(who, ((row["candidate_id"], row["grade"]) for row in results)),
            certifications=_tally(
                who, ((row["_id"], held["certification"]) for row in ledgers for held in row["certifications"])
            ),
            kits=_tally(
                who,
                (
                    (row["candidate_id"], row["certification"], row["benefit"])
                    for row in base["fulfillment"]["offers"].find(theirs)
                ),
            ),
            mails=_tally(
                who,
                (
                    (row["candidate_id"], row["template"])
                    for row in base["notify"]["messages"].find({**theirs, "state": "sent"})
                ),
            ),
        ), who


def _tally(who: Mapping[str, str], things: Iterable[tuple[str, ...]]) -> Tally:
    """Things counted by address in place of candidate ID; what nobody owns is kept under its own."""
    return Counter((who.get(owner, str(owner)), *rest) for owner, *rest in things)
