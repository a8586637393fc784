"""The keys that encrypt the services' most sensitive fields, as whoever runs a platform keeps them: a file each.

They lie in `field-keys/SERVICE` below the folder of all secrets. The one whose name sorts last encrypts.
"""

from pathlib import Path

from deploy.local.secret_store import write_private
from libs.common.ids import new_id, new_secret

HOLDERS = ("identity", "exams", "certs")
"""Services with fields that lie encrypted."""


def folder_of(state: Path, service: str) -> Path:
    """Where a service's keys lie; made where it is missing."""
    folder = state / "field-keys" / service
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def add_key(state: Path, service: str) -> str:
    """Make a key that sorts behind all that were made before it. Returns its id."""
    name = f"k{new_id()}"  # ids grow with time
    write_private(folder_of(state, service) / name, f"{new_secret()}\n")
    return name


def kept_keys(state: Path, service: str) -> dict[str, str]:
    """A service's keys by id; a first one is made where there is none."""
    folder = folder_of(state, service)
    if not _files(folder):
        add_key(state, service)
    return {path.name: path.read_text() for path in _files(folder)}


def _files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.iterdir()) if not path.name.startswith(".")]
