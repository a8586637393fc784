"""Reads what the services hold of candidates, with an administrator's rights; no service reads another's database."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from pymongo import ASCENDING, MongoClient

from deploy.doctor.dossiers import KINDS, Dossier, Kind, Row, dossiers
from deploy.mongo.users import database_name

Client: TypeAlias = MongoClient[dict[str, Any]]

_ROWS = 1_000
"""Rows of each collection that are held at a time."""

_PLACES: Mapping[Kind, tuple[str, str, str, tuple[str, ...]]] = {
    "account": ("identity", "candidates", "_id", ("program", "merged_into", "merged_from", "created_at")),
    "ledger": (
        *("certs", "candidates", "_id"),
        ("program", "facts", "certifications", "merged_into", "kin", "version"),
    ),
    "result": ("exams", "results", "candidate_id", ("program", "told", "told_revision")),
    "recipient": ("notify", "recipients", "_id", ("version",)),
    "offer": (
        *("fulfillment", "offers", "candidate_id"),
        ("program", "certification", "benefit", "stands", "awarded", "milestone", "state", "order_id"),
    ),
    "order": ("fulfillment", "orders", "candidate_id", ("offer_id", "state")),
    "mail": ("notify", "messages", "candidate_id", ("template", "about", "cause_event_id", "state")),
}
"""By kind: service, collection, the field that names the candidate, of which there is an index, and what is read."""


def all_dossiers(client: Client, program: str | None) -> Iterator[Dossier]:
    """Every candidate, or every one of a program: of accounts elsewhere nothing is read."""
    return dossiers({kind: _rows(client, kind, {"program": program} if program else {}) for kind in KINDS})


def dossier_of(client: Client, candidate_id: str) -> Dossier:
    """One candidate, as things are now."""
    found = dossiers({kind: _rows(client, kind, {_PLACES[kind][2]: candidate_id}) for kind in KINDS})
    return next(found, Dossier(candidate_id))


def count_of(client: Client) -> int:
    """About how many candidates there are."""
    return client[database_name("identity")]["candidates"].estimated_document_count()


def _rows(client: Client, kind: Kind, query: Mapping[str, Any]) -> Iterator[tuple[str, Row]]:
    service, collection, key, fields = _PLACES[kind]
    # Rows without a candidate belong to nobody yet. MongoDB compares text by its bytes in UTF-8, which is the order in
    # which Python compares it too, or nothing could be merged.
    about = query if key in query else {**query, key: {"$type": "string"}}
    rows = client[database_name(service)][collection].find(about, {key: 1, **dict.fromkeys(fields, 1)})
    for row in rows.sort([(key, ASCENDING)]).batch_size(_ROWS):
        yield str(row[key]), row
