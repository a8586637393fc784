"""What there is of credentials: stored, told, listed and proven."""

import json
from datetime import UTC, datetime
from typing import Any

from libs.common.events import identity
from services.certs.credentials import bits
from services.certs.signing.data_integrity import BadProof, verify
from services.certs.signing.multikey import read_multikey
from tests.service.certs_station import Callers
from tests.service.rig import Base, said

ME = "/cisco/candidates/C1"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


async def rows(base: Base, **query: Any) -> list[dict[str, Any]]:
    return await base.database["credentials"].find(query).sort([("issued_at", 1), ("_id", 1)]).to_list(None)


def told(base: Base) -> list[tuple[str, str]]:
    return [
        (event["type"].split(".")[2], event["data"]["candidate_id"])
        for event in said(base)
        if event["type"].split(".")[2].startswith("Badge")
    ]


async def revoked_bit(api: Callers, row: dict[str, Any]) -> bool:
    answer = await api.fetch(f"/status/{row['program']}/{row['status_list']}")
    assert answer.status == 200
    listed = json.loads(await answer.read())
    return bits.is_set(bits.decoded(listed["credentialSubject"]["encodedList"]), row["status_index"])


def proven(document: dict[str, Any]) -> bool:
    """Whether a document's proof is of it, by the key that its name stands for."""
    (proof,) = document["proof"]
    bare = {name: value for name, value in document.items() if name != "proof"}
    try:
        verify(bare, proof, read_multikey(proof["verificationMethod"].partition("#")[2]))
    except BadProof:
        return False
    return True


def ada(**more: Any) -> Any:
    given = {"given_name": "Ada", "family_name": "Lovelace", "email": "ada@example.com", "country": "GB"}
    return identity.CandidateRegistered(candidate_id="C1", registered_at=NOW, **{**given, **more})
