"""The lock files: which packages, in which versions, and on whose behalf."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT: Final = Path(__file__).parents[2]
REQUIREMENTS: Final = PROJECT / "requirements"

IMAGES: Final = {
    **{name: ("common", name) for name in ("identity", "exams", "certs", "fulfillment", "notify", "portal")},
    "ops": ("common", "cli"),
}
"""Which lock files each image of ours is made from."""

_VIA: Final = re.compile(r"^    #\s+(?:via )?(\S.*)$")


@dataclass
class Package:
    """A locked package.

    Attributes:
        name: in its canonical form.
        here: whether it is installed on a machine like this one.
        wanted_by: other packages that need it; empty where we do.
    """

    name: str
    version: str
    here: bool
    wanted_by: set[str] = field(default_factory=set)

    @property
    def purl(self) -> str:
        return f"pkg:pypi/{self.name}@{self.version}"


def packages(*locks: str, folder: Path = REQUIREMENTS) -> list[Package]:
    """The packages of some lock files, by name.

    Raises:
        ValueError: two of the files have different versions of a package.
    """
    found: dict[str, Package] = {}
    for lock in locks:
        for one in _read((folder / f"{lock}.txt").read_text()):
            same = found.setdefault(one.name, one)
            if same.version != one.version:
                raise ValueError(f"{one.name} is {same.version} and {one.version} in {', '.join(locks)}")
            same.wanted_by |= one.wanted_by
    return sorted(found.values(), key=lambda one: one.name)


def _read(text: str) -> Iterator[Package]:
    package: Package | None = None
    for line in text.splitlines():
        if line and not line.startswith((" ", "#", "-")):
            if package is not None:
                yield package
            requirement = Requirement(line.rstrip("\\ "))
            version = next(iter(requirement.specifier)).version
            here = requirement.marker is None or requirement.marker.evaluate()
            package = Package(canonicalize_name(requirement.name), version, here)
        elif package is not None and (via := _VIA.match(line)) and via[1] != "via" and not via[1].startswith("-r "):
            package.wanted_by.add(canonicalize_name(via[1].partition("[")[0]))
    if package is not None:
        yield package
