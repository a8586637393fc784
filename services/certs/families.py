"""Accounts that are merged and separated.

All of a family know the same of their merges, and the one that goes on has everything of those that went into it.

Each ledger keeps what is its own for ever. What a candidate holds follows from the set of facts alone, so merges,
separations and results may come in any order and as often as they like.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from libs.common.bus.messages import Received
from libs.common.mongo.unit_of_work import Transaction
from services.certs.domain.merges import Link, ends, lineage
from services.certs.ledger import Ledger


def tell_family(
    source: Ledger, into: Ledger, link: Link, transaction: Transaction, cause: Received[Any] | None
) -> Mapping[str, Ledger]:
    """Let two accounts and all their kin know of a merge or a separation, and tell what it changes for each.

    Returns:
        The ledgers of the whole family by account.
    """
    family = {one.candidate_id: one for each in (source, into) for one in (each, *each.family.values())}
    links = list(dict.fromkeys((*(known for one in family.values() for known in one.links), link)))
    gone = ends(links)
    own = {account: ledger.own for account, ledger in family.items()}
    for account, ledger in sorted(family.items()):
        ledger.family = family
        below = [other for other in family if account in lineage(other, gone)]
        for other in below:
            ledger.hear_of(other, family[other].told_milestones)
        copies = [replace(fact, account=other) for other in below for fact in own[other]]
        ledger.take([*links, *copies], transaction, cause)
    return family
