"""What a parser does that a hostile file has taken over; it runs where files of strangers are read."""

import json
import os
from pathlib import Path

from services.certs.verifying.limits import MEMORY_BYTES, work_within_limits


def answered(task: bytes) -> bytes:
    if task == b"forever":
        while True:
            pass
    if task == b"memory":
        bytearray(MEMORY_BYTES)
    if task == b"write":
        Path(f"/tmp/hostile-{os.getpid()}").write_bytes(b"x")
    if task == b"open":
        [os.open("/dev/null", os.O_RDONLY) for _ in range(100)]
    return json.dumps({"form": "json", "document": json.dumps(dict(os.environ))}).encode()


if __name__ == "__main__":
    work_within_limits(answered)
