"""The licences of what we are built from: `python -m deploy.supply.licences`.

Fails where a locked package has a licence that is not on the list, or none that can be read.
"""

import re
from collections.abc import Mapping
from email.message import Message
from importlib.metadata import PackageNotFoundError, metadata
from typing import Final

from deploy.supply.locked import REQUIREMENTS, Package, packages

ALLOWED: Final = frozenset(
    {"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "MIT-CMU", "MPL-2.0", "PSF-2.0", "Unlicense"}
)
"""Licences (SPDX) that ask for no more than their text, or for changes of their own files."""

SAID_BY_HAND: Final[Mapping[str, str]] = {
    "kubernetes-validate": "Apache-2.0",
    "promql-parser": "MIT",
    "pypdfium2": "BSD-3-Clause AND Apache-2.0",
    "pyphen": "MPL-1.1 OR LGPL-2.1-or-later OR GPL-2.0-or-later",
    "resvg-py": "MIT",
}
"""Packages whose metadata do not say it so that a program can read it; read in their own files."""

EXCEPTIONS: Final[Mapping[str, str]] = {
    "asyncssh": "EPL-2.0: a library that we neither change nor copy from",
    "frozendict": "LGPL-3.0: a library that we neither change nor copy from; whoever gets an image can put in another",
    "pyphen": "MPL-1.1, which it offers beside the GPL: a library that we do not change",
}
"""Packages that may be used although their licence is not on the list, and why."""

_CLASSIFIERS: Final[Mapping[str, str]] = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "MIT No Attribution License (MIT-0)": "MIT-0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
}
_WORDS: Final[Mapping[str, str]] = {"3-Clause BSD License": "BSD-3-Clause", "Apache": "Apache-2.0"}
_TOKENS: Final = re.compile(r"\(|\)|[A-Za-z0-9.+-]+")


def licence_of(package: Package) -> str | None:
    """The licence of an installed package as SPDX has it; None where its metadata do not say one."""
    if package.name in SAID_BY_HAND:
        return SAID_BY_HAND[package.name]
    try:
        return said(metadata(package.name))  # type: ignore[arg-type] # it is a message, and says less of itself
    except PackageNotFoundError:
        return None


def said(told: Message) -> str | None:
    """The licence that metadata of a package name."""
    if expression := told.get("License-Expression"):
        return expression
    marks = [one.rpartition(" :: ")[2] for one in told.get_all("Classifier", []) if one.startswith("License :: OSI")]
    named = [_CLASSIFIERS.get(mark, mark) for mark in marks if mark != "OSI Approved"]
    if named:
        return " OR ".join(named)
    text = (told.get("License") or "").strip()
    return _WORDS.get(text, text) if text and "\n" not in text else None


def is_allowed(expression: str) -> bool:
    """Whether all that a licence expression asks for is on the list (SPDX 3.0, annex B; without exceptions)."""
    tokens = _TOKENS.findall(expression)
    if not tokens or "".join(tokens) != re.sub(r"\s", "", expression):
        return False
    allowed, rest = _either(tokens)
    return allowed and not rest


def _either(tokens: list[str]) -> tuple[bool, list[str]]:
    allowed, rest = _both(tokens)
    while rest[:1] == ["OR"]:
        other, rest = _both(rest[1:])
        allowed = allowed or other
    return allowed, rest


def _both(tokens: list[str]) -> tuple[bool, list[str]]:
    allowed, rest = _one(tokens)
    while rest[:1] == ["AND"]:
        other, rest = _one(rest[1:])
        allowed = allowed and other
    return allowed, rest


def _one(tokens: list[str]) -> tuple[bool, list[str]]:
    if tokens[:1] == ["("]:
        allowed, rest = _either(tokens[1:])
        return allowed and rest[:1] == [")"], rest[1:]
    return bool(tokens) and tokens[0] in ALLOWED, tokens[1:]


def faults(locked: list[Package]) -> list[str]:
    """What is wrong with the licences of some packages, a line each."""
    found = []
    for package in locked:
        if not package.here or package.name in EXCEPTIONS:
            continue
        licence = licence_of(package)
        if licence is None:
            found.append(f"{package.name} {package.version}: says no licence, or is not installed")
        elif not is_allowed(licence):
            found.append(f"{package.name} {package.version}: {licence} is not on the list")
    return found


def main() -> int:
    """The exit status: 1 where a licence is not on the list."""
    locks = sorted(path.stem for path in REQUIREMENTS.glob("*.txt"))
    wrong = sorted({fault for lock in locks for fault in faults(packages(lock))})
    print(*wrong, sep="\n", end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
