"""What a credential must be like beside being well defined, so that every verifier we know of takes it.

The rules are those of the stricter of the two published Open Badges 3.0 schemas, of the 1EdTech validator and of npm's
verifiers.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from services.certs.signing.vocabulary import Json

REPEATED: Final = frozenset(
    {
        "@context",
        "alignment",
        "allowedValue",
        "association",
        "credentialSchema",
        "endorsement",
        "evidence",
        "otherIdentifier",
        "proof",
        "related",
        "result",
        "resultDescription",
        "rubricCriterionLevel",
        "tag",
        "termsOfUse",
        "verifiableCredential",
    }
)
"""Properties whose value is an array even where it is one."""

CLASSES: Final = frozenset(
    {
        "Achievement",
        "AchievementSubject",
        "Address",
        "Alignment",
        "Association",
        "ClrSubject",
        "Evidence",
        "Profile",
        "Related",
        "Result",
        "ResultDescription",
        "RubricCriterionLevel",
        "VerifiableCredential",
    }
)
"""Types that stand in an array even where there is one."""

MOMENTS: Final = frozenset(
    {"awardedDate", "activityStartDate", "activityEndDate", "created", "validFrom", "validUntil"}
)
_WHOLE_SECONDS: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def faults(document: Json) -> Iterator[str]:
    """Why a credential cannot be signed; none where it can."""
    if "proof" in document:
        yield "it has a proof already"
    yield from _faults(document, "")


def _faults(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, list):
        for part in value:
            yield from _faults(part, path)
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from _property(name, part, f"{path}.{name}".lstrip("."))
            yield from _faults(part, f"{path}.{name}".lstrip("."))


def _property(name: str, value: Any, path: str) -> Iterator[str]:
    if name in REPEATED and not isinstance(value, list):
        yield f"{path}: must be an array"
    if name == "identifier" and isinstance(value, dict):
        yield f"{path}: must be an array"
    if name == "type" and isinstance(value, str) and value in CLASSES:
        yield f"{path}: must be an array"
    # Verifiers read the first of an array, and schemas refuse it.
    if name == "credentialStatus" and not isinstance(value, dict):
        yield f"{path}: must be one object"
    # A JWT counts whole seconds, and one moment must be one text.
    if name in MOMENTS and not (isinstance(value, str) and _WHOLE_SECONDS.fullmatch(value)):
        yield f"{path}: must be in whole seconds of UTC, like 2027-03-14T09:30:00Z"
