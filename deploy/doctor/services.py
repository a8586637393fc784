"""Whether each service's own house is in order: outbox, jobs, migrations, indexes, mails under way, erasures, keys."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

from pymongo import ASCENDING
from pymongo.database import Database

from deploy.doctor.findings import Finding
from deploy.doctor.reading import Client
from deploy.mongo.users import database_name
from libs.common.events import SERVICES
from libs.common.mongo import said_before
from libs.common.mongo.migrations import Declaration
from libs.common.service import Service
from services.certs.app import SERVICE as CERTS
from services.exams.app import SERVICE as EXAMS
from services.fulfillment.app import SERVICE as FULFILLMENT
from services.identity.app import SERVICE as IDENTITY
from services.notify.app import SERVICE as NOTIFY

Base: TypeAlias = Database[dict[str, Any]]

ALL: Final[Mapping[str, Service]] = {one.name: one for one in (IDENTITY, EXAMS, CERTS, FULFILLMENT, NOTIFY)}
OUTBOX_OLD = timedelta(minutes=1)
"""An outage of the broker is the usual reason for older rows."""
JOB_LATE = timedelta(hours=2)
"""The rarest job runs once an hour."""
MAIL_LATE = timedelta(minutes=30)
"""A mail that waits longer than this past its turn, claims of dead processes included, is waiting for nobody."""
KEY_OLD = timedelta(days=400)
_SOME = 20
"""Ids in a finding at most; of more there is only the number."""


def look_into(client: Client, now: datetime) -> Iterator[Finding]:
    """Look into every service's database by itself, and at erasures in all of them."""
    for service in SERVICES:
        base = client.get_database(database_name(service), codec_options=_aware(client))
        yield from outbox(base, service, now)
        yield from jobs(base, service, now)
        yield from schema(base, ALL[service])
        yield from lost_words(base, service)
    yield from stuck_mails(client.get_database(database_name("notify"), codec_options=_aware(client)), now)
    yield from keys(client.get_database(database_name("identity"), codec_options=_aware(client)), now)
    yield from erasures(client)


def outbox(base: Base, service: str, now: datetime) -> Iterator[Finding]:
    """What was committed has been told."""
    old = base["outbox"].count_documents({"parked": False, "created_at": {"$lt": now - OUTBOX_OLD}})
    if old:
        what = f"{old:,} messages wait in the outbox for longer than {OUTBOX_OLD.total_seconds():.0f} s"
        mend = "see that a process with the role relay runs and the broker takes messages: certrail status"
        yield Finding("outbox-old", service, what, "outbox", mend=mend)
    parked = [row["_id"] for row in base["outbox"].find({"parked": True}, {"_id": 1}).limit(_SOME)]
    if parked:
        what = f"{base['outbox'].count_documents({'parked': True}):,} messages that the broker keeps refusing"
        mend = "see `error` in the rows, mend it, and let them go again: docs/operators.md, Outbox"
        yield Finding("outbox-parked", service, what, "outbox", tuple(parked), mend)


def jobs(base: Base, service: str, now: datetime) -> Iterator[Finding]:
    """What is due by time is done."""
    for row in base["jobs"].find({"lease_until": {"$lt": now - JOB_LATE}}).sort("_id", ASCENDING):
        what = f"the job {row['_id']} was due at {row['lease_until']:%Y-%m-%d %H:%M} and has not run"
        mend = "start a process with the role sweep; a job that no longer exists leaves such a row, too"
        yield Finding("job-late", service, what, row["_id"], mend=mend, severity="warning")


def schema(base: Base, service: Service) -> Iterator[Finding]:
    """The database is at the version that this code knows, with every index that it declares."""
    newest = max(step.number for step in service.migrations)
    row = base["schema_version"].find_one({"_id": 1}) or {"version": 0}
    if row["version"] != newest:
        what = f"the database is at version {row['version']}, this code at {newest}"
        yield Finding("schema-differs", service.name, what, "schema_version", mend="start the service of this code")
        return
    collections = set(base.list_collection_names())
    for name, declared in _declared(service).items():
        there = base[name].index_information() if name in collections else {}
        missing = sorted(declared.keys() - there.keys())
        differing = sorted(
            index for index, expiry in declared.items() if index in there and _expiry(there[index]) != expiry
        )
        if missing or differing:
            words = [f"lacks {', '.join(missing)}"] if missing else []
            words += [f"has another period in {', '.join(differing)}"] if differing else []
            mend = "create it as the service's migration does, or restore the database"
            yield Finding("index-differs", service.name, f"{name} {'; '.join(words)}", name, mend=mend)


def lost_words(base: Base, service: str) -> Iterator[Finding]:
    """What was said before a restore is so again, or somebody has looked at it."""
    rows = list(base[said_before.COLLECTION].find({}).sort("at", ASCENDING).limit(_SOME))
    if rows:
        count = base[said_before.COLLECTION].estimated_document_count()
        kinds = sorted({str(row["type"]).removeprefix("certrail.") for row in rows})
        what = f"{count:,} things were told before the restore that this database does not know of: {', '.join(kinds)}"
        mend = "have vendors send again what they sent since; see the rest with certrail events tail, and do it again"
        subjects = tuple(f"{row['subject']} at {row['at']:%Y-%m-%d %H:%M:%S}" for row in rows)
        yield Finding("word-lost", service, what, said_before.COLLECTION, subjects, mend, "warning")


def stuck_mails(notify: Base, now: datetime) -> Iterator[Finding]:
    """Mails go when they are due."""
    due = {"due_at": {"$lt": now - MAIL_LATE}}
    rows = [row["_id"] for row in notify["messages"].find(due, {"_id": 1}).sort("due_at", ASCENDING).limit(_SOME)]
    if rows:
        what = f"{notify['messages'].count_documents(due):,} mails are due and nobody takes them"
        yield Finding("mail-stuck", "notify", what, "messages", tuple(rows), "see that a worker runs: certrail status")


def keys(identity: Base, now: datetime) -> Iterator[Finding]:
    """There is a key that signs access tokens, and it is not too old."""
    starts = [row["signs_from"] for row in identity["signing_keys"].find({}, {"signs_from": 1}) if row["signs_from"]]
    current = [moment for moment in starts if moment <= now]
    if not current:
        yield Finding("key-missing", "identity", "no key signs access tokens", "signing_keys", mend=_ROTATE)
    elif max(starts) < now - KEY_OLD:
        what = f"the key that signs access tokens is in use since {max(current):%Y-%m-%d}"
        yield Finding("key-old", "identity", what, "signing_keys", mend=_ROTATE, severity="warning")


_ROTATE = "certrail keys rotate"


def erasures(client: Client) -> Iterator[Finding]:
    """Whoever identity has erased, every service has."""
    done = _pseudonyms(client, "identity")
    for service in SERVICES:
        if service == "identity":
            continue
        missing = sorted(done - _pseudonyms(client, service))
        if missing:
            what = f"{len(missing):,} erasures did not reach it"
            mend = f"certrail events replay {service} --type identity.CandidateErased.v1"
            yield Finding("erasure-missing", service, what, "tombstones", tuple(missing[:_SOME]), mend)


def _pseudonyms(client: Client, service: str) -> set[str]:
    groups: list[dict[str, Any]] = [{"$group": {"_id": "$pseudonym"}}]
    return {row["_id"] for row in client[database_name(service)]["tombstones"].aggregate(groups)}


def _declared(service: Service) -> dict[str, dict[str, int | None]]:
    """By collection, the indexes that migrations declare, each with the seconds after which it removes."""
    found: dict[str, dict[str, int | None]] = {}
    for step in sorted(service.migrations, key=lambda step: step.number):
        for name, removed in step.removes.items():
            for index in removed:
                found[name].pop(index, None)
        if isinstance(step.apply, Declaration):
            for name, indexes in step.apply.collections.items():
                documents = [index.document for index in indexes]
                found.setdefault(name, {}).update({one["name"]: _expiry(one) for one in documents})
    return found


def _expiry(index: Mapping[str, Any]) -> int | None:
    seconds = index.get("expireAfterSeconds")
    return None if seconds is None else int(seconds)


def _aware(client: Client) -> Any:
    return client.codec_options.with_options(tz_aware=True)
