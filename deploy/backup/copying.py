"""Copies databases as they are at one moment, while everything goes on."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from bson import json_util
from pymongo.errors import OperationFailure

from deploy.backup.catalogue import Catalogue, Copy, Moment, StoredCollection
from deploy.backup.changes import RAW, Client, now_of, raw_database
from deploy.backup.files import Written, hash_of, writing

HISTORY_SECONDS = 3_600
"""How long the database is asked to keep the past readable while a copy is made; its own five minutes are too few for a
large one. It costs memory in the database's cache for what changes meanwhile."""
_WINDOW = "minSnapshotHistoryWindowInSeconds"
_UNAVAILABLE = 246
"""A snapshot of a collection that was not there yet."""

OnCopied = Callable[[str, str, int], None]
"""Hears how many documents of a database's collection were copied since it last heard."""


def make_copy(client: Client, catalogue: Catalogue, databases: Sequence[str], on_copied: OnCopied) -> Copy:
    """Copy databases of one moment, all of the same.

    Raises:
        OperationFailure: the database can no longer read that moment.
    """
    with _history(client):
        moment = now_of(client)
        copy = Copy(
            key=catalogue.key.name if catalogue.key else None,
            moment=moment,
            databases={name: list(_collections(client, catalogue, name, moment, on_copied)) for name in databases},
        )
    catalogue.add_copy(copy)
    return copy


@contextmanager
def _history(client: Client) -> Iterator[None]:
    before = client.admin.command({"getParameter": 1, _WINDOW: 1})[_WINDOW]
    if before >= HISTORY_SECONDS:
        yield
        return
    client.admin.command({"setParameter": 1, _WINDOW: HISTORY_SECONDS})
    try:
        yield
    finally:
        client.admin.command({"setParameter": 1, _WINDOW: before})


def _collections(
    client: Client, catalogue: Catalogue, database: str, moment: Moment, on_copied: OnCopied
) -> Iterator[StoredCollection]:
    found = client[database].list_collections(filter={"type": "collection"})
    for each in sorted(found, key=lambda one: str(one["name"])):
        name = each["name"]
        if name.startswith("system."):
            continue
        file = f"{database}/{name}.bson.gz"
        path = catalogue.copy_folder(moment) / file
        with writing(path, catalogue.key) as written:
            there = _copy(client, database, name, moment, written, on_copied)
        if not there:
            path.unlink()
            continue
        yield StoredCollection(
            name=name,
            options=_json(each.get("options", {})),
            indexes=[_json(index) for index in client[database][name].list_indexes()],
            file=file,
            documents=written.documents,
            sha256=hash_of(path),
        )


def _copy(  # noqa: PLR0917 what of which, whereto, and who hears of it
    client: Client, database: str, name: str, moment: Moment, written: Written, on_copied: OnCopied
) -> bool:
    """Returns whether the collection was there at that moment."""
    command = {"find": name, "readConcern": {"level": "snapshot", "atClusterTime": moment.stamp}}
    try:
        cursor = raw_database(client, database).cursor_command(command, codec_options=RAW)
    except OperationFailure as error:
        if error.code != _UNAVAILABLE:
            raise
        return False  # it was made after that moment: the changes will say so
    told = 0
    for document in cursor:
        written.add(document.raw)
        if written.documents - told >= 1_000:  # noqa: PLR2004 seldom enough to cost nothing
            on_copied(database, name, written.documents - told)
            told = written.documents
    on_copied(database, name, written.documents - told)
    return True


def _json(document: Any) -> Any:
    """What MongoDB says of a collection, as JSON that tells every type."""
    return json.loads(json_util.dumps(document))
