"""Passwords of the local platform: made once, kept in a file that only its owner can read."""

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_KEYFILE_BYTES = 384


class SecretStore:
    """Named secrets in `secrets.json`; a name that is asked for the first time gets a new random value."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._file = folder / "secrets.json"

    def get(self, name: str) -> str:
        """The secret of that name, made now if it did not exist. Safe beside other processes."""
        with self._locked():
            known = self._read()
            if name not in known:
                known[name] = secrets.token_urlsafe(24)
                self._write(known)
            return known[name]

    def renew(self, name: str) -> str:
        """A new secret of that name."""
        self.forget(name)
        return self.get(name)

    def forget(self, name: str) -> None:
        """Let go of a secret, if there is one."""
        with self._locked():
            known = self._read()
            if known.pop(name, None) is not None:
                self._write(known)

    def keyfile(self, name: str) -> Path:
        """A file holding a long secret, as MongoDB wants it for the members of a replica set."""
        path = self._folder / name
        with self._locked():
            if not path.exists():
                write_private(path, secrets.token_urlsafe(_KEYFILE_BYTES).replace("-", "+").replace("_", "/"))
        return path

    def _write(self, known: dict[str, str]) -> None:
        write_private(self._file, json.dumps(known, indent=1, sort_keys=True))

    def _read(self) -> dict[str, str]:
        if not self._file.exists():
            return {}
        return {str(name): str(value) for name, value in json.loads(self._file.read_text()).items()}

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with (self._folder / "secrets.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def write_private(path: Path, content: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    staged = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(content)
    staged.replace(path)
