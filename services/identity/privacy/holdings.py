"""What identity holds about people. Of somebody erased it keeps nothing but the history of ids that others now have."""

from datetime import timedelta

from pymongo import ASCENDING, IndexModel

from libs.common.http.evidence import file_name
from libs.common.mongo.client import Document
from libs.common.mongo.merges import INDEXES as MERGES
from libs.common.mongo.migrations import Migration, declare
from libs.common.privacy import tombstones
from libs.common.privacy.holdings import Holding, Holdings, Person, by, by_link, renamed
from libs.common.privacy.keeper import APART
from libs.common.privacy.pseudonyms import Names
from libs.common.privacy.retention import Period

_CANDIDATE = IndexModel([("candidate_id", ASCENDING)], name="candidate")
_EXPIRY = IndexModel([("expires_at", ASCENDING)], name="expiry", expireAfterSeconds=0)

MIGRATION = Migration(
    6,
    "exports and erasures",
    declare(
        {
            tombstones.COLLECTION: tombstones.INDEXES,
            "registrations": [IndexModel([("link", ASCENDING)], name="link")],
            "external_ids": [IndexModel([("history.candidate_id", ASCENDING)], name="former", sparse=True)],
            "merges": MERGES,
            "exports": [_CANDIDATE, _EXPIRY],
            "export_parts": [IndexModel([("export_id", ASCENDING)], name="export"), _CANDIDATE, _EXPIRY],
            "export_archives": [
                IndexModel([("archive_id", ASCENDING), ("number", ASCENDING)], name="archive"),
                _CANDIDATE,
                _EXPIRY,
            ],
            "erasures": [
                # An account has one erasure under way.
                IndexModel(
                    [("candidate_id", ASCENDING)],
                    name="one",
                    unique=True,
                    partialFilterExpression={"state": "requested"},
                ),
                IndexModel([("state", ASCENDING), ("due_at", ASCENDING)], name="due"),
            ],
            "erasure_holds": [],
        }
    ),
)

PERIODS = (
    # That one was asked for and done or cancelled, without whom it was about once it is done.
    Period("erasures", "ended_at", timedelta(days=1095)),
    # By then its parts have expired.
    Period("exports", "requested_at", timedelta(days=30), {"state": "collecting"}),
)

_WHO = ("candidate_id", "by", "ended_by")
"""What an id's history names people by: an account, or the subject of a token."""

_NAMING = ("held_by", "candidate_id")
"""What details of a case name other accounts by."""


def own_history(row: Document, person: Person) -> Document:
    """An id without the other people who had it."""
    history = [was for was in row.get("history", ()) if was["candidate_id"] in person.accounts]
    return row | {"history": history}


def kept_id(row: Document, names: Names) -> Document | None:
    """An id that another has now, with a pseudonym for whoever had it before."""
    if row["candidate_id"] is None or row["candidate_id"] in names:
        return None
    told = {**names, **{f"candidate:{one}": f"candidate:{name}" for one, name in names.items()}}
    was = [
        {name: told.get(value, value) if name in _WHO else value for name, value in entry.items()}
        for entry in row["history"]
    ]
    return row | {"history": was}


def own_case(row: Document, _person: Person) -> Document:
    """A case as its candidate sees it: without whose the id was that they claim."""
    return row | {"details": {name: value for name, value in row["details"].items() if name != "held_by"}}


def kept_case(row: Document, names: Names) -> Document | None:
    """Another's case that names the person: who had the id that they claim, or which account is theirs too."""
    if row["candidate_id"] in names:
        return None
    details = {name: names.get(value, value) if name in _NAMING else value for name, value in row["details"].items()}
    details.pop("email", None)  # of the account that is said to be theirs too
    first = row["first"] and row["first"] | {"other": names.get(row["first"]["other"], row["first"]["other"])}
    return row | {"details": details, "first": first}


def when_since(row: Document, _person: Person) -> Document:
    """Of a second factor only since when it is asked for."""
    return {"_id": row["_id"], "since": row.get("since")}


HOLDINGS = Holdings(
    items=(
        Holding(
            collection="candidates",
            find=by("_id"),
            kind="account",
            withheld=frozenset({"password", "email_key", "version", "failures", "locked_until", "likeness_keys"}),
        ),
        Holding(
            collection="external_ids",
            find=by("candidate_id", "history.candidate_id"),
            mine=by("candidate_id"),
            kind="partner_ids",
            say=own_history,
            keep=kept_id,
        ),
        Holding(collection="suspected_duplicates", find=by("accounts")),
        Holding(collection="registrations", find=by_link("link"), kind="registrations"),
        Holding(collection="sessions", find=by("candidate_id"), kind="sessions"),
        Holding(collection="second_factors", find=by("_id"), kind="second_factor", say=when_since),
        Holding(collection="links", find=by("candidate_id")),
        Holding(collection="email_changes", find=by("_id")),
        Holding(
            collection="cases",
            find=by("candidate_id", "details.held_by", "details.candidate_id", "first.other"),
            mine=by("candidate_id"),
            kind="cases",
            withheld=frozenset({"same", "four_eyes", "first", "history", "assignee", "merge_id"}),
            say=own_case,
            keep=kept_case,
        ),
        Holding(
            collection="case_evidence",
            find=by("candidate_id"),
            kind="case_evidence",
            content="content",
            filename=lambda row: file_name(row["media_type"], row["_id"][:8]),
        ),
        Holding(collection="late_results", find=by("candidate_id")),
        Holding(collection="pending_sign_ins", find=by("candidate_id")),
        Holding(collection="provider_tickets", find=by("candidate_id")),
        Holding(collection="provider_codes", find=by("candidate_id")),
        Holding(
            collection="merges",
            find=by("candidate_id", "merged_id"),
            kind="merges",
            withheld=frozenset({"by", "reversed_by", "moved"}),
            keep=renamed("candidate_id", "merged_id"),
        ),
        Holding(
            collection="exports",
            find=by("candidate_id"),
            kind="exports",
            withheld=frozenset({"private_key", "attempt", "asked_at", "by", "archive_id"}),
        ),
        Holding(collection="export_parts", find=by("candidate_id")),
        Holding(collection="export_archives", find=by("candidate_id")),
        Holding(
            collection="erasures",
            find=by("candidate_id"),
            kind="erasures",
            withheld=frozenset({"accounts", "by"}),
            by_itself=True,
        ),
        Holding(collection="erasure_holds", find=by("_id"), kind="erasure_holds", withheld=frozenset({"by"})),
    ),
    apart={name: why for name, why in APART.items() if name != "export_requests"}
    | {
        "counters": "a number for each program",
        "refresh_tokens": "hashes of random tokens, which open nothing once their session is gone",
        "access_requests": "what somebody typed to get in, until it is worked off: seconds, at most a day",
        "sign_ins": "hashes of random secrets of sign-ins under way, for ten minutes",
        "signing_keys": "keys that sign tokens",
        "clients": "systems, and hashes of their secrets",
        **dict.fromkeys(
            ("staff", "staff_links", "staff_requests", "staff_programs", "staff_sessions", "staff_refresh_tokens"),
            "about those who work for a program, none of whom is a candidate by that",
        ),
        "address_tries": "tries by address of the internet, for ten minutes",
    },
)
