"""Why a certification is what it is, as the API gives it: facts, and rules both as they are written and in words."""

from dataclasses import asdict
from datetime import date, datetime

from libs.common.http.models import View
from libs.common.programs import Certification, Program
from services.certs.domain.asked import Asked, AskedKind
from services.certs.domain.chain import Chain, FactKind
from services.certs.domain.rule_words import rule_words
from services.certs.domain.standing import CertificationStanding


class ChainFactView(View):
    """Something that happened, and since when it is known."""

    fact: str
    kind: FactKind
    """Derived, where it follows from another certification or from the dates."""
    on: date
    text: str
    known_at: datetime | None
    """When it was first known; null of what is derived."""
    corrected_at: datetime | None
    """When something else was said of it later, if ever."""


class AskedView(View):
    """One thing that a rule asks for, or several of which so many are enough."""

    kind: AskedKind
    text: str
    """Of one thing what to do, of several how many of them."""
    count: int
    """How many of the items are needed; of credits how many; else 1."""
    code: str | None
    """Of an exam or a certification."""
    title: str | None
    until: date | None
    """Last day on which a pass of the exam completes it."""
    items: list["AskedView"]


class ChainRuleView(View):
    """A clause that gave something effect, and where it is written."""

    clause: str
    text: str | None
    """What it made of the facts; null where they tell it alone."""
    says: str
    """What it says, for every candidate."""
    lead: str | None
    """What stands above the items of `asks`; null where it has none."""
    asks: AskedView | None
    """What it asks for, part by part; null where it asks for nothing."""
    file: str
    line: int
    wording: str


class ReasonsView(View):
    """Why a certification is what it is: facts by their days, then rules as they were used."""

    candidate_id: str
    program: str
    as_of: date
    policy_version: int
    certification: str
    title: str
    status: str
    earned_on: date
    expires_on: date | None
    text: str
    facts: list[ChainFactView]
    rules: list[ChainRuleView]


def reasons_view(
    candidate_id: str,
    policy: Program,
    as_of: date,
    entry: CertificationStanding,
    why: Chain,
    *,
    certification: Certification | None,
) -> ReasonsView:
    """The reasons of an entry; `certification` is what the policy defines of it."""
    rules = []
    for rule in why.rules:
        clause = policy.clause(rule.clause)
        words = rule_words(policy, certification, rule.clause, rule.acts)
        rules.append(
            ChainRuleView(
                clause=rule.clause,
                text=rule.text,
                says=words.says,
                lead=words.lead,
                asks=_asked(words.asks) if words.asks is not None else None,
                file=clause.file,
                line=clause.line,
                wording=clause.wording,
            )
        )
    return ReasonsView(
        candidate_id=candidate_id,
        program=policy.id,
        as_of=as_of,
        policy_version=policy.version,
        certification=entry.certification,
        title=entry.title,
        status=entry.status,
        earned_on=entry.earned_on,
        expires_on=entry.expires_on,
        text=entry.sentence,
        facts=[ChainFactView(**asdict(fact)) for fact in why.facts],
        rules=rules,
    )


def _asked(asked: Asked) -> AskedView:
    return AskedView(
        kind=asked.kind,
        text=asked.text,
        count=asked.count,
        code=asked.code,
        title=asked.title,
        until=asked.until,
        items=[_asked(each) for each in asked.items],
    )
