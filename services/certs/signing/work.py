"""What a process of the signing pool does. It has no database and no loop: keys and documents go in, bytes come out."""

import json
import multiprocessing
import os
import re
import signal
import threading
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc.jwk import RSAKey

from services.certs.signing.pairs import SigningPair
from services.certs.signing.vocabulary import Json

LOWEST_PRIORITY: Final = 19
PRIORITY_AMONG_SESSIONS: Final = 10
"""A tenth of what others get where nothing is left over: a list must be signed within seconds there, too."""

_MARKUP: Final = re.compile("[<>&]")


class Signed(NamedTuple):
    """A credential in both of its forms."""

    document: bytes
    """JSON with its proof, to be stored and served as it is: ASCII without `<`, `>` and `&`, so that it stands in
    pictures and pages as it is, too."""
    jwt: str
    kid: str
    """Of the pair that signed."""


def begin() -> None:
    """Let everybody else go first, and end with the process that this one works for, however that ends."""
    _go_last()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # sent to all of a group; the pool says when to stop
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _go_last() -> None:
    """Make way for everybody else.

    Linux shares them between sessions first (sched(7), autogroup): within the service's own, a low priority would make
    way for the service alone. Where there are no autogroups, priorities count among all.
    """
    os.setsid()
    os.nice(LOWEST_PRIORITY)
    with suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(PRIORITY_AMONG_SESSIONS))


def sign_all(signing: SigningPair, documents: Sequence[Json], created: datetime) -> list[Signed]:
    """Sign documents as proofs and as tokens. Raises `Unsignable` where one of them cannot be; none is signed then."""
    # These take 18 MB, which whoever only asks for signatures does without.
    from services.certs.signing.data_integrity import sign  # noqa: PLC0415
    from services.certs.signing.vc_jwt import sign_jwt  # noqa: PLC0415

    proofs, tokens = _keys(signing.pair.ed25519, signing.pair.rsa)
    return [
        Signed(
            written(sign(document, proofs, verification_method=signing.verification_method, created=created)),
            sign_jwt(document, tokens, kid=signing.address),
            signing.kid,
        )
        for document in documents
    ]


def written(document: Json) -> bytes:
    """JSON in ASCII, whose texts have no sign that markup could take for its own."""
    text = json.dumps(document, separators=(",", ":"))
    return _MARKUP.sub(lambda found: f"\\u{ord(found[0]):04x}", text).encode()


@lru_cache(maxsize=64)
def _keys(ed25519: bytes, rsa: bytes) -> tuple[Ed25519PrivateKey, RSAKey]:
    return Ed25519PrivateKey.from_private_bytes(ed25519), RSAKey.import_key(json.loads(rsa))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
