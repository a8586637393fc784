"""Looks for secrets in what git keeps: `python -m deploy.supply.secrets`.

What somebody has looked at and is none (vectors of standards, made-up keys of tests) stands in `known_secrets.txt` as a
hash, so that the list itself holds nothing. Any other finding fails `make check`.
"""

import hashlib
import math
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PROJECT: Final = Path(__file__).parents[2]
KNOWN: Final = Path(__file__).parent / "known_secrets.txt"

_LARGEST_BYTES: Final = 2_000_000
"""Of a file that is read; nothing that people write is larger."""

_LEAST_BITS: Final = 3.3
"""Entropy of a character of a random text, in hexadecimal digits say. Words have less, or no digits."""

_NAMED: Final = r"(?i:secret|passw(?:or)?d|passphrase|token|api_?key|private_?key)"

RULES: Final = {
    "private key": re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----(?:\\n|\s)+([A-Za-z0-9+/=\\\s]{40,})"),
    "private JWK": re.compile(r"""["']d["']\s*:\s*["']([A-Za-z0-9_-]{42,})["']"""),
    "private multikey": re.compile(r"\b(z3u2[1-9A-HJ-NP-Za-km-z]{40,})"),
    "key of web hooks": re.compile(r"\b(whsec_[A-Za-z0-9+/=]{24,})"),
    "cloud key": re.compile(r"\b((?:AKIA|ASIA)[0-9A-Z]{16}|AIza[0-9A-Za-z_-]{35})\b"),
    "key of a hosted service": re.compile(
        r"\b((?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-|sk_live_|rk_live_|npm_|hf_|pypi-|SG\.)[0-9A-Za-z_.-]{20,})"
    ),
    "signed token": re.compile(r"\b(eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{30,})"),
    "address with a password": re.compile(r"\b[a-z][a-z0-9+]{2,}://[^\s/:@\"'{}$<>]+:([^\s/@\"'{}$<>…]{8,})@"),
    "named secret": re.compile(rf"""{_NAMED}\w*["']?\s*[:=]\s*["']?([A-Za-z0-9+/=_-]{{16,}})(?:["'\s,]|$)"""),
}
_MUST_LOOK_RANDOM: Final = {"named secret", "address with a password"}


@dataclass(frozen=True)
class Finding:
    """Something that looks like a secret."""

    path: str
    line: int
    rule: str
    digest: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule} ({self.digest})"


def looks_random(text: str) -> bool:
    """Whether a text could have been made by a generator, and not by somebody who writes."""
    counts = Counter(text)
    bits = -sum(count / len(text) * math.log2(count / len(text)) for count in counts.values())
    mixed = any(sign.isdigit() for sign in text) and any(sign.isalpha() for sign in text)
    return mixed and bits >= _LEAST_BITS


def findings(path: str, text: str) -> Iterator[Finding]:
    """What in a text looks like a secret."""
    for rule, pattern in RULES.items():
        for match in pattern.finditer(text):
            secret = match[1]
            if rule not in _MUST_LOOK_RANDOM or looks_random(secret):
                digest = hashlib.sha256(secret.encode()).hexdigest()[:16]
                yield Finding(path, text.count("\n", 0, match.start()) + 1, rule, digest)


def known(path: Path = KNOWN) -> frozenset[str]:
    """Hashes of what is no secret; whatever follows a hash in its line says why."""
    lines = path.read_text().splitlines()
    return frozenset(line.split()[0] for line in lines if line.strip() and not line.startswith("#"))


def kept_files(project: Path = PROJECT) -> list[str]:
    """What git keeps, and what it would keep with the next commit.

    Raises:
        subprocess.CalledProcessError: the folder is no working tree of git.
    """
    command = ("git", "-C", str(project), "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    said = subprocess.run(command, check=True, capture_output=True).stdout
    return sorted(name for name in said.decode().split("\0") if name)


def search(project: Path, names: Iterable[str]) -> Iterator[Finding]:
    """What in these files looks like a secret; files that are no text are left out."""
    for name in names:
        path = project / name
        if path.is_symlink() or not path.is_file() or path.stat().st_size > _LARGEST_BYTES:
            continue
        content = path.read_bytes()
        if b"\0" not in content:
            yield from findings(name, content.decode("utf-8", "replace"))


def main(project: Path = PROJECT) -> int:
    """The exit status: 1 where something was found."""
    ignored = known()
    found = [one for one in search(project, kept_files(project)) if one.digest not in ignored]
    for one in found:
        print(one)
    if found:
        print(f"{len(found)} of these look like secrets. Take them out and change them; what is none goes, as its hash")
        print(f"with a reason, into {KNOWN.relative_to(PROJECT)}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
