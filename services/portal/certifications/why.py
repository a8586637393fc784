"""The chain of reasons as a page has it: facts by their days, rules as they were used, then the conclusion. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.portal.backend.shapes import Certification, Line
from services.portal.certifications.shapes import Asked, Fact, Reasons, Rule
from services.portal.languages import mark, say
from services.portal.languages.days import clock_time, day_there, spoken

MOST: Final = 9
"""Entries, the conclusion among them."""

AT_ONCE: Final = 4
"""Alternatives shown at once; of more the reader asks to see them."""

_SOURCES: Final = {
    "exam": mark("Fact · told by the test vendor · known since {moment}"),
    "credits": mark("Fact · told by a claim of credits · known since {moment}"),
    "course": mark("Fact · told by the course provider · known since {moment}"),
    "import": mark("Fact · taken over from an earlier system · known since {moment}"),
    "extension": mark("Fact · decided by the program · known since {moment}"),
    "emeritus": mark("Fact · decided by the program · known since {moment}"),
    "decision": mark("Fact · decided by staff · known since {moment}"),
}
_DERIVED: Final = mark("Fact · follows from your other certifications or from the dates")


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that a rule asks for, or several.

    Attributes:
        items: what it is made of, or chosen from.
        folded: whether these are shown only to who wants to see them.
    """

    text: str
    items: tuple["Part", ...] = ()
    folded: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """A fact or a rule.

    Attributes:
        text: in bold.
        more: of a rule, what it says for everybody, where the text tells what it made of the facts.
        asks: what a rule asks for, where that is more than one thing.
        source: where it is from, and since when it is known.
        clause: path of the rule; None of facts.
        struck: whether it no longer counts.
        corrected: a sentence on a later correction, or nothing.
    """

    text: str
    source: str
    more: str = ""
    asks: Part | None = None
    clause: str | None = None
    struck: bool = False
    corrected: str = ""


@dataclass(frozen=True, slots=True)
class Why:
    """What is shown at once, the facts before that, and each rule as the program has written it."""

    earlier: tuple[Entry, ...]
    facts: tuple[Entry, ...]
    rules: tuple[Entry, ...]
    conclusion: str
    written: tuple[tuple[str, str], ...]
    """Path and wording."""


def why_of(one: Certification, reasons: Reasons, lines: Sequence[Line]) -> Why:
    """The chain.

    Args:
        one: what it explains.
        reasons: facts and rules as the service has them.
        lines: the certification's history, for what no longer counts.
    """
    dated = [(fact.on, _fact(fact)) for fact in reasons.facts]
    dated += [(line.on, _struck(line)) for line in lines if line.withdrawn_at is not None]
    facts = [entry for _, entry in sorted(dated, key=lambda pair: pair[0])]
    rules = tuple(_rule(rule, reasons.policy_version) for rule in reasons.rules)[: MOST - 2]
    room = max(MOST - 1 - len(rules), 1)
    cut = max(len(facts) - room, 0)
    written = tuple((rule.clause, rule.wording) for rule in reasons.rules)
    return Why(tuple(facts[:cut]), tuple(facts[cut:]), rules, conclusion_of(one), written)


def conclusion_of(one: Certification) -> str:
    """The heading's date, word for word."""
    if one.status == "pending_agreement":
        return say("So it is earned, and waits for the agreement")
    if one.status == "revoked":
        return say("So it is revoked")
    if one.status == "suspended":
        return say("So it is suspended; its dates run on")
    if one.expires_on is None:
        return say("So it is active from {first}, and never expires", first=spoken(one.earned_on))
    if one.status == "expired":
        return say("So it was active until {last}", last=spoken(one.expires_on))
    return say("So it is active from {first} to {last}", first=spoken(one.earned_on), last=spoken(one.expires_on))


def _fact(fact: Fact) -> Entry:
    if fact.known_at is None:
        source = say(_DERIVED)
    else:
        source = say(_SOURCES.get(fact.kind, _SOURCES["decision"]), moment=spoken_minute(fact.known_at))
    corrected = ""
    if fact.corrected_at is not None:
        corrected = say("Corrected on {day}: the vendor told it again.", day=spoken(day_there(fact.corrected_at)))
    return Entry(_sentence(fact.text), source, corrected=corrected)


def _struck(line: Line) -> Entry:
    withdrawn = spoken(day_there(line.withdrawn_at)) if line.withdrawn_at else ""
    source = say("No longer counts: it was withdrawn on {day}", day=withdrawn)
    return Entry(_sentence(line.text), source, struck=True)


def _rule(rule: Rule, version: int) -> Entry:
    source = say("Rule · policy version {version}", version=version)
    says = rule.says or say("A rule of the program; its own text is below.")
    asks = _part(rule.asks) if rule.lead and rule.asks else None
    if rule.text:
        return Entry(_sentence(rule.text), source, says, asks, rule.clause)
    return Entry((asks and rule.lead) or says, source, asks=asks, clause=rule.clause)


def _part(asked: Asked) -> Part:
    folded = asked.kind != "all" and len(asked.items) > AT_ONCE
    return Part(_sentence(asked.text), tuple(_part(each) for each in asked.items), folded)


def spoken_minute(moment: datetime) -> str:
    """A day and its minute, as the reader's clock has it."""
    return f"{spoken(day_there(moment))}, {clock_time(moment)}"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
