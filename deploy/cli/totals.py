"""What the platform says it holds: every service's own totals, taken together."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from deploy.cli.client import OperatorClient

_UNDER_WAY = frozenset({"waiting", "queued", "sending"})

MAIL_KINDS: Mapping[str, str] = {
    "activation": "activation",
    "exam_passed": "result",
    "exam_failed": "result",
    "result_changed": "result_changed",
    "result_withdrawn": "result_withdrawn",
    "certification_awarded": "congratulation",
    "certification_renewed": "renewal",
    "certification_revoked": "revocation",
}
"""The account's kinds of mail by notify's templates; other templates keep their own name."""


@dataclass(frozen=True)
class Totals:
    """One reading."""

    registrations: int = 0
    results: int = 0
    unmatched: int = 0
    rejected: Mapping[str, int] = field(default_factory=dict)
    """By the first reason's code."""
    accounts: int = 0
    active: int = 0
    expired: int = 0
    kits: int = 0
    mails: Mapping[str, int] = field(default_factory=dict)
    """Sent, by kind."""
    mails_under_way: int = 0
    mails_refused: int = 0

    @property
    def mails_sent(self) -> int:
        return sum(self.mails.values())

    def since(self, earlier: "Totals") -> "Totals":
        """What has come since an earlier reading."""
        mine, theirs = asdict(self), asdict(earlier)
        return Totals(**{name: _less(mine[name], theirs[name]) for name in mine})


def _less(now: Any, before: Any) -> Any:
    if isinstance(now, Mapping):
        found = {key: value - before.get(key, 0) for key, value in now.items()}
        return {key: value for key, value in found.items() if value}
    return now - before


async def read_totals(client: OperatorClient, *, reasons: bool) -> Totals:
    """Ask every service. Raises `CliError` where one answers with a problem.

    Args:
        client: the operator's.
        reasons: whether to read every rejection for its code; without it they stand under `all`.
    """
    exams = await client.get("exams", "/totals")
    identity = await client.get("identity", "/totals")
    certs = await client.get("certs", "/totals")
    fulfillment = await client.get("fulfillment", "/totals")
    mails: dict[str, int] = {}
    states: dict[str, int] = {}
    for row in (await client.get("notify", "/totals"))["counts"]:
        states[row["state"]] = states.get(row["state"], 0) + row["count"]
        if row["state"] == "sent":
            kind = MAIL_KINDS.get(row["template"], row["template"])
            mails[kind] = mails.get(kind, 0) + row["count"]
    return Totals(
        registrations=exams["registrations"],
        results=exams["results"],
        unmatched=exams["unmatched"],
        rejected=await _rejected(client) if reasons else {"all": exams["rejections"]},
        accounts=identity["accounts"],
        active=certs["active"],
        expired=certs["expired"],
        kits=fulfillment["kits"],
        mails=mails,
        mails_under_way=sum(states.get(state, 0) for state in _UNDER_WAY),
        mails_refused=states.get("refused", 0),
    )


async def _rejected(client: OperatorClient) -> dict[str, int]:
    codes: dict[str, int] = {}
    async for row in client.pages("exams", "/rejections", limit=200):
        code = row["reasons"][0]["code"]
        codes[code] = codes.get(code, 0) + 1
    return codes
