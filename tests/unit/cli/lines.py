"""What the tests of vendors' files are written with."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

WriteLines = Callable[..., Path]

RESULT: dict[str, Any] = {
    "result_id": "R1",
    "revision": 1,
    "vendor_candidate_id": "C1",
    "registration_id": "G1",
    "exam_code": "200-301",
    "taken_at": "2026-05-04T10:00:00+02:00",
    "grade": "pass",
    "score": 850,
}
