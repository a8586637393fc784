"""Chains as they are stored, and what is kept of one whose person was erased. Pure."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Any

from libs.common.ids import derived_id
from libs.common.mongo.client import Document
from libs.common.privacy.pseudonyms import Names
from services.certs.provider.chains import STANDING, Badge, Chain, Link, Step

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def chain_id(program: str, candidate_id: str, certification: str) -> str:
    return derived_id("provider badges", program, candidate_id, certification)


def new_row(program: str, candidate_id: str, certification: str) -> Document:
    """The row of a chain without credentials."""
    return {
        "_id": chain_id(program, candidate_id, certification),
        "program": program,
        "candidate_id": candidate_id,
        "certification": certification,
        "due_at": None,
        "lease_until": LONG_AGO,
        "tries": 0,
        "error": None,
        "refusal": None,
        "trouble": None,
        "walk": 0,
        **fields_of(Chain()),
    }


def chain_of(row: Document) -> Chain:
    return Chain(
        links=tuple(_link(one) for one in row["links"]),
        hand=Step(**row["hand"]) if row["hand"] else None,
        extras=tuple((one["badge_id"], one["key"]) for one in row["extras"]),
        editions=row["editions"],
        erased=row["erased"],
    )


def fields_of(chain: Chain) -> Document:
    """The part of a row that is the chain."""
    return {
        "links": [_stored(asdict(one)) for one in chain.links],
        "hand": asdict(chain.hand) if chain.hand else None,
        "extras": [{"badge_id": badge_id, "key": key} for badge_id, key in chain.extras],
        "editions": chain.editions,
        "erased": chain.erased,
    }


def is_idle(chain: Chain) -> bool:
    """Whether the provider has nothing of it, as far as we know."""
    standing = any(one.badge is not None and one.badge.state in STANDING for one in chain.links)
    return not standing and not chain.extras and chain.hand is None


def kept(row: Document, names: Names) -> Document | None:
    """What is left of somebody erased: what must be taken back at the provider, until that is done."""
    if is_idle(chain_of(row)):
        return None
    return row | {
        "candidate_id": names[row["candidate_id"]],
        "erased": True,
        "due_at": LONG_AGO,
        "refusal": None,
        "trouble": None,
        "error": None,
    }


def _link(stored: Mapping[str, Any]) -> Link:
    badge = stored["badge"]
    return Link(
        credential_id=stored["credential_id"],
        version=stored["version"],
        valid=stored["valid"],
        earned_on=date.fromisoformat(stored["earned_on"]),
        ends=date.fromisoformat(stored["ends"]) if stored["ends"] else None,
        badge=Badge(**badge) if badge else None,
        past=tuple(stored["past"]),
    )


def _stored(link: Document) -> Document:
    ends = link["ends"]
    return link | {"earned_on": link["earned_on"].isoformat(), "ends": ends.isoformat() if ends else None}
