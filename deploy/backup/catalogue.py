"""What lies in a backup's folder: copies of one moment, and slices of the changes since, each with an entry.

    copies/<moment>/copy.json, <database>/<collection>.bson.gz
    changes/<after>-<through>.json and .bson.gz
    erasures.json

An entry says what its files hold and what their bytes hash to. It is written last, so what has none is no part of the
backup. Moments are the cluster's: a second, and a number within it.
"""

import hmac
import json
import shutil
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar

from bson import Timestamp
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from deploy.backup.errors import BackupError
from deploy.backup.files import Key, hash_of
from deploy.local.secret_store import write_private


class Moment(NamedTuple):
    """A moment of the cluster's own clock; of two, the later is the greater."""

    second: int
    step: int

    @classmethod
    def of(cls, stamp: Timestamp) -> "Moment":
        return cls(stamp.time, stamp.inc)

    @property
    def stamp(self) -> Timestamp:
        return Timestamp(self.second, self.step)

    @property
    def at(self) -> datetime:
        """The second."""
        return datetime.fromtimestamp(self.second, UTC)

    def __str__(self) -> str:
        return f"{self.second}.{self.step}"


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    key: str | None
    """The name of the key that its files are sealed with."""


class StoredCollection(BaseModel):
    """One collection of a copy."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    options: dict[str, Any] = Field(default_factory=dict)
    indexes: list[dict[str, Any]]
    """As MongoDB lists them."""
    file: str
    documents: int
    sha256: str


class Copy(_Entry):
    """Databases as they were at one moment."""

    moment: Moment
    databases: dict[str, list[StoredCollection]]

    @property
    def documents(self) -> int:
        return sum(each.documents for collections in self.databases.values() for each in collections)


class Slice(_Entry):
    """All changes after one moment and through another."""

    after: Moment
    through: Moment
    databases: list[str]
    changes: int
    sha256: str

    @property
    def stem(self) -> str:
        return f"{self.after}-{self.through}"


class ErasedAccount(BaseModel):
    """One account of somebody erased, and what stands for it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    candidate_id: str
    pseudonym: str


class Erasure(BaseModel):
    """That somebody was erased, as identity told it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    program: str
    candidate_id: str
    accounts: list[ErasedAccount]
    erased_at: datetime


class Erasures(_Entry):
    """Everybody of whom it was heard: a restore brings none of them back."""

    erasures: list[Erasure]


E = TypeVar("E", bound=_Entry)


class Catalogue:
    """A backup's folder.

    Args:
        folder: where it is; made when something is first written.
        key: what its files are sealed with; None where they are not.
    """

    def __init__(self, folder: Path, key: Key | None) -> None:
        self.folder = folder
        self.key = key

    # Writing

    def copy_folder(self, moment: Moment) -> Path:
        return self.folder / "copies" / str(moment)

    def slice_file(self, stem: str) -> Path:
        return self.folder / "changes" / f"{stem}.bson.gz"

    def add_copy(self, copy: Copy) -> None:
        self._write(self.copy_folder(copy.moment) / "copy.json", copy)

    def add_slice(self, entry: Slice) -> None:
        self._write(self.folder / "changes" / f"{entry.stem}.json", entry)

    def keep_erasures(self, found: Iterable[Erasure]) -> int:
        """Add what is new to the list of who was erased. Returns how many are on it."""
        known = {(one.program, one.candidate_id, one.erased_at): one for one in (*self.erasures(), *found)}
        listed = sorted(known.values(), key=lambda one: one.erased_at)
        if listed:
            self._write(self.folder / "erasures.json", Erasures(key=self._key_name, erasures=listed))
        return len(listed)

    # Reading

    def copies(self) -> list[Copy]:
        """Oldest first. Raises `BackupError` for an entry that cannot be read."""
        found = [self._read(path, Copy) for path in self.folder.glob("copies/*/copy.json")]
        return sorted(found, key=lambda one: one.moment)

    def slices(self) -> list[Slice]:
        """Oldest first. Raises `BackupError` for an entry that cannot be read."""
        found = [self._read(path, Slice) for path in self.folder.glob("changes/*.json")]
        return sorted(found, key=lambda one: (one.after, one.through))

    def erasures(self) -> list[Erasure]:
        """Oldest first. Raises `BackupError` where the list cannot be read."""
        path = self.folder / "erasures.json"
        return self._read(path, Erasures).erasures if path.exists() else []

    def file_of(self, copy: Copy, stored: StoredCollection) -> Path:
        path = (self.copy_folder(copy.moment) / stored.file).resolve()
        if not path.is_relative_to(self.folder.resolve()):
            raise BackupError(f"{stored.file} lies outside the backup")
        return path

    def check_copy(self, copy: Copy, databases: Iterable[str]) -> None:
        """Raises `BackupError` where a file of these databases is missing or was changed."""
        for database in databases:
            for stored in copy.databases.get(database, ()):
                _check(self.file_of(copy, stored), stored.sha256)

    def check_slice(self, entry: Slice) -> None:
        """Raises `BackupError` where its file is missing or was changed."""
        _check(self.slice_file(entry.stem), entry.sha256)

    def forget_before(self, moment: Moment) -> list[Path]:
        """Remove copies that are older, but never the newest one, and changes that no copy is left to be applied to."""
        copies = self.copies()
        gone = [self.copy_folder(copy.moment) for copy in copies[:-1] if copy.moment < moment]
        left = [copy for copy in copies if self.copy_folder(copy.moment) not in gone]
        for folder in gone:
            (folder / "copy.json").unlink()  # first of all: without it the rest is no part of the backup
            shutil.rmtree(folder)
        for entry in self.slices():
            if left and entry.through <= left[0].moment:
                entry_file = self.folder / "changes" / f"{entry.stem}.json"
                entry_file.unlink()
                self.slice_file(entry.stem).unlink(missing_ok=True)
                gone.append(entry_file)
        return gone

    @property
    def _key_name(self) -> str | None:
        return self.key.name if self.key else None

    def _write(self, path: Path, entry: _Entry) -> None:
        content = entry.model_dump(mode="json")
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(path, json.dumps({"entry": content, "seal": self._seal(content)}, indent=1))

    def _read(self, path: Path, kind: type[E]) -> E:
        try:
            content = json.loads(path.read_text())
            entry = kind.model_validate(content["entry"])
        except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
            raise BackupError(f"{path} cannot be read: {error}") from error
        if entry.key != self._key_name:
            what = "is not sealed" if entry.key is None else f"is sealed with the key {entry.key}"
            raise BackupError(f"{path} {what}", hint="name the key's file with --key-file, or none")
        seal = self._seal(content["entry"])
        if seal is not None and not hmac.compare_digest(str(content.get("seal")), seal):
            raise BackupError(f"{path} was changed")
        return entry

    def _seal(self, content: Any) -> str | None:
        if self.key is None:
            return None
        text = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return hmac.digest(self.key.seal, text.encode(), "sha256").hex()


def chain(slices: Sequence[Slice], databases: Iterable[str], after: Moment, through: Moment | None) -> list[Slice]:
    """The slices that lead from one moment to another, or as far as there are any, without a gap.

    Raises:
        BackupError: changes are missing on the way.
    """
    wanted, found, reached = set(databases), [], after
    for each in sorted(slices, key=lambda one: (one.after, one.through)):
        if each.through <= reached or not wanted <= set(each.databases):
            continue
        if each.after > reached:
            if through is None or through > reached:
                raise BackupError(
                    f"the changes between {reached.at:%Y-%m-%d %H:%M:%S} and {each.after.at:%H:%M:%S} were not kept",
                    hint="restore to a moment before them with --at, or from a later copy",
                )
            break
        found.append(each)
        reached = each.through
        if through is not None and reached >= through:
            break
    return found


def _check(path: Path, sha256: str) -> None:
    if not path.exists():
        raise BackupError(f"{path} is missing")
    if hash_of(path) != sha256:
        raise BackupError(f"{path} was changed: its hash is not the one that was written down")
