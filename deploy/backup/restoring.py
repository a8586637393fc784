"""Puts databases back as they were at a moment: the last copy before it, and every change since, in order."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from bson import json_util
from pymongo.errors import BulkWriteError, OperationFailure

from deploy.backup.catalogue import Catalogue, Copy, Moment, Slice, chain
from deploy.backup.changes import Change, Client, changes_of
from deploy.backup.errors import BackupError
from deploy.backup.files import Raw, reading

_BATCH = 1_000
_BATCH_BYTES = 4 * 1_048_576
"""With one more of the largest documents it is still a command that the server takes."""
_DUPLICATE_KEY = 11000
_EXISTS = 48
_DROPS = frozenset({"drop", "dropDatabase"})

OnRestored = Callable[[str, int], None]
"""Hears how many documents or changes of a database were put back since it last heard."""


class Plan(NamedTuple):
    """Which copy is put back, and which changes are made again after it."""

    copy: Copy
    slices: list[Slice]

    @property
    def last(self) -> datetime:
        """How far the changes reach."""
        return (self.slices[-1].through if self.slices else self.copy.moment).at


class Restored(NamedTuple):
    """What came of it.

    Attributes:
        through: the moment of the last change that was made again, or of the copy.
        stopped: why it ended before the last change that was kept, if it did.
    """

    through: Moment
    at: datetime
    documents: int
    changes: int
    stopped: str | None


def plan(catalogue: Catalogue, databases: Sequence[str], at: datetime | None) -> Plan:
    """How to come to a moment, or to the last one that was kept.

    Raises:
        BackupError: there is no way to it.
    """
    copies = [one for one in catalogue.copies() if set(databases) <= set(one.databases)]
    before = [one for one in copies if at is None or one.moment.at <= at]
    if not before:
        when = f"before {at:%Y-%m-%d %H:%M:%S} UTC" if at and copies else "at all"
        raise BackupError(f"{catalogue.folder} has no copy of {', '.join(databases)} from {when}")
    copy = before[-1]
    through = None if at is None else Moment(int(at.timestamp()) + 1, 0)
    made = Plan(copy, chain(catalogue.slices(), databases, copy.moment, through))
    if at is not None and made.last.timestamp() < int(at.timestamp()):
        raise BackupError(f"changes were kept through {made.last:%Y-%m-%d %H:%M:%S} UTC only")
    return made


def check(catalogue: Catalogue, made: Plan, databases: Sequence[str]) -> None:
    """Raises `BackupError` where one of the files is missing or was changed."""
    catalogue.check_copy(made.copy, databases)
    for each in made.slices:
        catalogue.check_slice(each)


class Restoring:
    """Puts databases back.

    Args:
        client: an administrator's.
        catalogue: where the copies and changes are.
        replaced: databases that become what they were: what they hold is removed.
        added_to: databases, logs, of which nothing is removed or changed: what is missing in them is added.
        on_restored: hears of progress.
    """

    def __init__(
        self,
        client: Client,
        catalogue: Catalogue,
        *,
        replaced: Sequence[str],
        added_to: Sequence[str],
        on_restored: OnRestored,
    ) -> None:
        self._client = client
        self._catalogue = catalogue
        self._replaced = replaced
        self._added_to = frozenset(added_to)
        self._databases = [*replaced, *added_to]
        self._on_restored = on_restored
        self._indexes: dict[tuple[str, str], dict[str, Mapping[str, Any]]] = {}

    def run(self, made: Plan, at: datetime | None) -> Restored:
        """Remove what is to be replaced, put the copy back, and make the changes again.

        Without a moment `at` it ends before the first removal of a whole collection, which no service ever does: what
        is restored is what was there before somebody did.
        """
        for database in self._replaced:
            self._client.drop_database(database)
        documents = sum(self._put_back(made.copy, database) for database in self._databases)
        through, moment, changes = made.copy.moment, made.copy.moment.at, 0
        stopped: str | None = None
        batch: list[Change] = []
        size = 0
        for change in self._changes(made):
            if at is not None and change.at > at:
                stopped = f"{at:%Y-%m-%d %H:%M:%S.%f} UTC is reached"
                break
            if at is None and change.kind in _DROPS and change.database in self._replaced:
                stopped = f"{change.database} was removed at {change.at:%Y-%m-%d %H:%M:%S.%f} UTC"
                break
            if change.kind in "iud":
                batch.append(change)
                size += _bytes(change)
                if len(batch) >= _BATCH or size > _BATCH_BYTES:
                    changes, size = changes + self._apply(batch), 0
            else:
                changes += self._apply(batch)
                self._command(change)
                changes += 1
            through, moment = change.moment, change.at
        changes += self._apply(batch)
        # Last of all: an index that removes what is old would do so before later changes of it are made.
        self._build_indexes()
        return Restored(through, moment, documents, changes, stopped)

    def _changes(self, made: Plan) -> Iterator[Change]:
        def entries() -> Iterator[Raw]:
            for each in made.slices:
                yield from reading(self._catalogue.slice_file(each.stem), self._catalogue.key)

        # The first slice may begin before the copy; what the copy has is not done to it again.
        yield from (one for one in changes_of(entries(), self._databases) if one.moment > made.copy.moment)

    def _put_back(self, copy: Copy, database: str) -> int:
        count = 0
        for stored in copy.databases[database]:
            self._create(database, stored.name, _bson(stored.options))
            self._indexes[database, stored.name] = {index["name"]: _bson(index) for index in stored.indexes}
            batch: list[Raw] = []
            size = 0
            for document in reading(self._catalogue.file_of(copy, stored), self._catalogue.key):
                batch.append(document)
                size += len(document.raw)
                if len(batch) >= _BATCH or size > _BATCH_BYTES:
                    count += self._insert(database, stored.name, batch)
                    size = 0
            count += self._insert(database, stored.name, batch)
        return count

    def _insert(self, database: str, collection: str, batch: list[Any]) -> int:
        if not batch:
            return 0
        try:
            self._client[database][collection].insert_many(batch, ordered=False, bypass_document_validation=True)
        except BulkWriteError as error:
            faults = (error.details or {}).get("writeErrors", [])
            if database not in self._added_to or any(fault["code"] != _DUPLICATE_KEY for fault in faults):
                raise
        count = len(batch)
        batch.clear()
        self._on_restored(database, count)
        return count

    def _apply(self, batch: list[Change]) -> int:
        """Make changes of documents again, those of logs only where they add."""
        if not batch:
            return 0
        done = [change.entry for change in batch if change.database not in self._added_to]
        if done:
            # By the server's own hands: nobody else knows all forms in which it notes an update.
            self._client.admin.command({"applyOps": done})
        for change in batch:
            if change.database in self._added_to and change.kind == "i":
                self._insert(change.database, change.collection, [change.entry["o"]])
        count = len(batch)
        self._on_restored(batch[-1].database, count)
        batch.clear()
        return count

    def _create(self, database: str, collection: str, options: Mapping[str, Any]) -> None:
        try:
            self._client[database].command({"create": collection, **options})
        except OperationFailure as error:
            if error.code != _EXISTS:
                raise

    def _command(self, change: Change) -> None:
        """A command on a collection made again; indexes are only noted."""
        where, command = (change.database, change.collection), change.entry
        indexes = self._indexes.setdefault(where, {})
        if change.kind == "create":
            self._create(*where, {name: command[name] for name in command if name not in {"create", "idIndex"}})
        elif change.kind == "createIndexes":
            spec = {name: command[name] for name in command if name != "createIndexes"}
            indexes[spec["name"]] = spec
        elif change.kind == "commitIndexBuild":
            indexes.update({spec["name"]: dict(spec) for spec in command["indexes"]})
        elif change.kind == "dropIndexes":
            indexes.pop(str(command["index"]), None)
        elif change.database in self._added_to:
            return  # a log loses nothing
        elif change.kind == "drop":
            self._client[change.database].drop_collection(change.collection)
            self._indexes.pop(where)
        elif change.kind == "dropDatabase":
            self._client.drop_database(change.database)
            self._indexes = {key: kept for key, kept in self._indexes.items() if key[0] != change.database}
        elif change.kind == "collMod":
            self._client[change.database].command(dict(command))
        else:
            raise BackupError(f"there is a change that cannot be made again: {change.kind} of {change.database}")

    def _build_indexes(self) -> None:
        for (database, collection), indexes in self._indexes.items():
            specs = [_index(spec) for name, spec in indexes.items() if name != "_id_"]
            if specs:
                self._client[database].command({"createIndexes": collection, "indexes": specs})


def _index(spec: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in spec.items() if name not in {"ns", "background"}}


def _bson(document: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json_util.loads(json.dumps(document))
    return found


def _bytes(change: Change) -> int:
    return len(getattr(change.entry["o"], "raw", b""))
