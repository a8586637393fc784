"""The changes to databases, as the oplog of the replica set has them: kept slice by slice, read again one by one."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeAlias, cast

from bson import Timestamp
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient
from pymongo.database import Database

from deploy.backup.catalogue import Catalogue, Moment, Slice
from deploy.backup.errors import BackupError
from deploy.backup.files import Raw, hash_of, writing

Client: TypeAlias = MongoClient[dict[str, Any]]
RAW: CodecOptions[Raw] = CodecOptions(document_class=RawBSONDocument)

PASSED_OVER = frozenset({"startIndexBuild", "abortIndexBuild"})
"""Commands that come to nothing without the one that ends them, or to nothing at all."""


class Change(NamedTuple):
    """One change of a document, or a command on a collection, with the moment at which it counts."""

    moment: Moment
    at: datetime
    database: str
    collection: str
    kind: str
    """`i`, `u`, `d`, or the name of the command."""
    entry: dict[str, Any]


def now_of(client: Client) -> Moment:
    """The moment through which a majority has everything: nothing before it can appear or vanish any more."""
    return Moment.of(client.admin.command("hello")["lastWrite"]["majorityOpTime"]["ts"])


def raw_database(client: Client, name: str) -> Database[Raw]:
    """A database whose documents come as they are stored."""
    return Database(cast("MongoClient[Raw]", client), name, codec_options=RAW)


def keep_changes(client: Client, catalogue: Catalogue, databases: Sequence[str], after: Moment) -> Slice | None:
    """Keep everything that has changed since a moment. Returns None where no time has passed.

    Raises:
        BackupError: the oplog no longer reaches back to that moment.
    """
    through = now_of(client)
    if through <= after:
        return None
    oplog = raw_database(client, "local")["oplog.rs"]
    between = {"ts": {"$gt": after.stamp, "$lte": through.stamp}, "$or": _about(databases)}
    stem = f"{after}-{through}"
    path = catalogue.slice_file(stem)
    with writing(path, catalogue.key) as file:
        for entry in oplog.find(between):
            file.add(entry.raw)
    # Asked last: what was read meanwhile may have been forgotten while it was read.
    first = client.local["oplog.rs"].find_one({}, {"ts": 1}, sort=[("$natural", 1)])
    if first is None or Moment.of(first["ts"]) > after:
        path.unlink()
        raise BackupError(
            f"the database has forgotten its changes since {after.at:%Y-%m-%d %H:%M:%S} UTC",
            hint="make a new copy with `certrail backup`, and a larger oplog (replSetResizeOplog)",
        )
    kept = Slice(
        key=catalogue.key.name if catalogue.key else None,
        after=after,
        through=through,
        databases=sorted(databases),
        changes=file.documents,
        sha256=hash_of(path),
    )
    catalogue.add_slice(kept)
    return kept


def keep_what_follows(client: Client, catalogue: Catalogue, databases: Sequence[str]) -> Slice | None:
    """Keep everything since the last slice, or where that is forgotten since the last copy.

    Raises:
        BackupError: there is no copy, or the oplog no longer reaches back to it.
    """
    copies, slices = catalogue.copies(), catalogue.slices()
    if not copies:
        raise BackupError(f"there is no copy in {catalogue.folder}", hint="make one with `certrail backup`")
    if not slices:
        # Of the first copy: changes since it lead to all that were made later.
        return keep_changes(client, catalogue, databases, copies[0].moment)
    try:
        return keep_changes(client, catalogue, databases, slices[-1].through)
    except BackupError:
        if copies[-1].moment <= slices[-1].through:
            raise
        return keep_changes(client, catalogue, databases, copies[-1].moment)


def changes_of(entries: Iterable[Raw], databases: Iterable[str]) -> Iterator[Change]:
    """The changes in entries of the oplog, those of a transaction at its commit, each as if it stood alone."""
    wanted = frozenset(databases)
    begun: defaultdict[Any, list[dict[str, Any]]] = defaultdict(list)
    for raw in entries:
        entry = _plain(raw)
        moment, at = Moment.of(entry["ts"]), _wall(entry)
        operation = entry["o"]
        if entry["op"] != "c" or "applyOps" not in operation:
            parts = [entry]
        else:
            # One too large for a single entry comes in several, the last of which commits it.
            whose = (str(entry.get("lsid")), entry.get("txnNumber"))
            begun[whose] += operation["applyOps"]
            if operation.get("partialTxn"):
                continue
            parts = begun.pop(whose)
        for part in parts:
            change = _change(moment, at, part)
            if change is not None and change.database in wanted:
                yield change


def _change(moment: Moment, at: datetime, part: dict[str, Any]) -> Change | None:
    database, _, collection = part["ns"].partition(".")
    if part["op"] in "iud":
        kept: dict[str, Any] = {name: part[name] for name in ("op", "ns", "o", "o2") if name in part}
        return Change(moment, at, database, collection, part["op"], kept)
    if part["op"] == "n":
        return None
    command = next(iter(part["o"]))
    return None if command in PASSED_OVER else Change(moment, at, database, str(part["o"][command]), command, part["o"])


def _about(databases: Iterable[str]) -> list[dict[str, Any]]:
    names = f"^({'|'.join(map(re.escape, databases))})\\."
    return [{"ns": {"$regex": names}}, {"ns": "admin.$cmd", "o.applyOps.ns": {"$regex": names}}]


def _wall(entry: dict[str, Any]) -> datetime:
    wall: datetime = entry.get("wall") or Moment.of(entry["ts"]).at
    return wall if wall.tzinfo else wall.replace(tzinfo=UTC)


def _plain(raw: Raw) -> dict[str, Any]:
    """The outer layers of an entry; the documents in it stay as they are, to the last bit."""
    entry: dict[str, Any] = dict(raw)
    operation = entry["o"]
    if entry["op"] == "c":
        operation = dict(operation)
        if "applyOps" in operation:
            operation["applyOps"] = [_plain_part(part) for part in operation["applyOps"]]
        entry["o"] = operation
    if not isinstance(entry["ts"], Timestamp):
        raise BackupError("an entry of the oplog has no moment")
    return entry


def _plain_part(part: Any) -> dict[str, Any]:
    plain = dict(part)
    if plain["op"] == "c":
        plain["o"] = dict(plain["o"])
    return plain
