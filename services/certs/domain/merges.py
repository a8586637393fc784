"""Which accounts are one: by the merges known at a moment, as far as they were not undone by separations."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from libs.common.accounts import survivor
from services.certs.domain.facts import Fact, MergeFact, SeparationFact

Link = MergeFact | SeparationFact
LINKS = (MergeFact, SeparationFact)


def ends(links: Iterable[Link]) -> dict[str, str]:
    """Each account that was merged, with the one it went into; that one may have gone into another.

    Of each pair the last word counts, whatever the order in which it was heard. Where an account goes on into which
    the other had gone, it leaves that one first: of two merges the later says who goes on.
    """
    last: dict[tuple[str, str], Link] = {}
    for link in sorted(links, key=_order):
        last[link.source, link.into] = link
    into: dict[str, str] = {}
    for link in sorted(last.values(), key=_order):
        if isinstance(link, SeparationFact) or link.source == link.into:
            continue
        if link.source in lineage(link.into, into):
            del into[link.into]
        into[link.source] = link.into
    return into


def lineage(account: str, into: Mapping[str, str]) -> list[str]:
    """The accounts an account has gone into, the nearest first; empty where it stands for itself."""
    found = []
    while account in into:
        account = into[account]
        found.append(account)
    return found


def counted(candidate_id: str, facts: Iterable[Fact], known_until: datetime) -> list[Fact]:
    """Of a ledger's facts those that count for its candidate by the merges known at a moment, as if all were theirs.

    A fact that names no account is the candidate's own. Nothing counts for one who has gone into another.
    """
    others: list[Fact] = []
    links: list[Link] = []
    for fact in facts:
        if not isinstance(fact, LINKS):
            others.append(fact)
        elif fact.known_at <= known_until:
            links.append(fact)
    into = ends(links)
    if candidate_id in into:
        return []
    return [
        fact if fact.account is None else replace(fact, account=None)
        for fact in others
        if fact.account is None or survivor(fact.account, into) == candidate_id
    ]


def _order(link: Link) -> tuple[object, ...]:
    return link.on, link.known_at, isinstance(link, SeparationFact), link.source, link.into
