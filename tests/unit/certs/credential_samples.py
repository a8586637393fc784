"""Credentials for tests of signing, and the published vectors."""

import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.certs.signing import contexts
from services.certs.signing.contexts import BUNDLED, Contexts

STANDARDS = Path(__file__).parents[2] / "standards"
VECTORS = STANDARDS / "vectors"
KEY = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)
NOW = datetime(2027, 3, 14, 9, 30, tzinfo=UTC)
DID = "did:web:certrail.example:issuers:cisco"

CREDENTIAL: dict[str, Any] = {
    "@context": [contexts.VC, contexts.OB, contexts.OB_EXTENSIONS],
    "id": "https://certrail.example/credentials/7f0e2a1c-5c0d-4b61-9a52-0c2d9ce6c1a7",
    "type": ["VerifiableCredential", "OpenBadgeCredential"],
    "name": "Specialist: Ünïcode 証明 🎓",
    "issuer": {"id": DID, "type": ["Profile"], "name": "Cisco", "url": "https://certrail.example"},
    "validFrom": "2027-03-14T09:30:00Z",
    "validUntil": "2030-03-14T09:30:00Z",
    "awardedDate": "2027-03-14T00:00:00Z",
    "credentialSubject": {
        "id": "urn:uuid:2f9ab1c3-52bb-4f41-8c66-2f3e2a2ef0d6",
        "type": ["AchievementSubject"],
        "licenseNumber": "C-1-4711",
        "creditsEarned": 12.5,
        "identifier": [
            {
                "type": "IdentityObject",
                "hashed": True,
                "identityType": "emailAddress",
                "salt": "a1b2c3d4e5f60718",
                "identityHash": "sha256$" + "0" * 64,
            }
        ],
        "achievement": {
            "id": "https://certrail.example/achievements/cisco/SPEC/1",
            "type": ["Achievement"],
            "achievementType": "Certification",
            "name": "Specialist",
            "description": "Knows how; a < b && c ]]> d",
            "criteria": {"narrative": "Passed the exam"},
            "tag": ["networks"],
            "alignment": [
                {"type": ["Alignment"], "targetName": "Routing", "targetUrl": "https://certrail.example/skills/routing"}
            ],
        },
        "result": [{"type": ["Result"], "status": "Completed"}],
    },
    "credentialSchema": [
        {
            "id": "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_achievementcredential_schema.json",
            "type": "1EdTechJsonSchemaValidator2019",
        }
    ],
    "credentialStatus": {
        "id": "https://certrail.example/status/cisco/1#94567",
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": "94567",
        "statusListCredential": "https://certrail.example/status/cisco/1",
    },
}


def credential(**changes: Any) -> dict[str, Any]:
    """The sample with some of its properties changed; those set to None are taken out."""
    made = copy.deepcopy(CREDENTIAL) | changes
    return {name: value for name, value in made.items() if value is not None}


def vector(path: str) -> Any:
    text = (VECTORS / path).read_text()
    return text if path.endswith(".txt") else json.loads(text)


def known(*more: tuple[str, str]) -> Contexts:
    """The bundled contexts, and some that only vectors need."""
    documents = {address: BUNDLED.load(address, {})["document"] for address in contexts._FILES}
    for address, name in more:
        documents[address] = json.loads((STANDARDS / "contexts" / name).read_text())
    return Contexts(documents)


VECTOR_CONTEXTS = known(
    ("https://www.w3.org/ns/credentials/examples/v2", "credentials-examples-v2.jsonld"),
    ("https://w3id.org/citizenship/v4rc1", "citizenship-v4rc1.json"),
    ("https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.2.json", "ob-v3p0-3.0.2.json"),
)
