"""What is signed passes both official schemas, and says only what it must."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from jsonschema.validators import validator_for

from libs.common.programs import Program
from services.certs.credentials.credential import Credential
from services.certs.credentials.documents import CONTEXTS, credential_document, email_hash, status_list_document
from services.certs.public.addresses import Addresses

SCHEMAS = Path(__file__).parents[2] / "standards" / "schemas"
ADDRESSES = Addresses("https://certs.example")
PROOF = {"type": "DataIntegrityProof", "cryptosuite": "eddsa-rdfc-2022", "proofPurpose": "assertionMethod"}


def credential(**more: Any) -> Credential:
    given: dict[str, Any] = {
        "credential_id": "0b0e1d5c-3c1f-4a55-9d2b-3f0d3d9e7a11",
        "program": "cisco",
        "candidate_id": "C1",
        "certification": "CCNA",
        "title": "CCNA",
        "earned_on": date(2025, 3, 10),
        "expires_on": date(2028, 3, 10),
        "state": "valid",
        "version": 1,
        "code": "7K2M9QXT4HPW",
        "status_list": 1,
        "status_index": 70_000,
        "valid_from": datetime(2026, 11, 22, 12, 0, 1, tzinfo=UTC),
        "issued_at": datetime(2026, 11, 22, 12, 0, 1, 5000, tzinfo=UTC),
        "revoked_at": None,
        "erased": False,
        "policy_version": 7,
        "subject": "urn:uuid:5a1e6b1e-8c37-4a0b-8e92-0d6d6a4d0f11",
        "recipient_name": None,
        "email_salt": "ab" * 16,
        "email_hash": email_hash("Ada@Example.com", "ab" * 16),
    }
    return Credential(**{**given, **more})


@pytest.mark.parametrize("form", ["", ".strict"])
@pytest.mark.parametrize(
    "more", [{}, {"expires_on": None}, {"recipient_name": "Ada Lovelace"}, {"email_hash": None}, {"certification": "X"}]
)
def test_a_credential_passes_the_official_schemas(
    programs: Mapping[str, Program], form: str, more: dict[str, Any]
) -> None:
    schema = json.loads((SCHEMAS / f"ob_v3p0_achievementcredential_schema{form}.json").read_text())
    proof = {
        **PROOF,
        "created": "2026-11-22T12:00:01Z",
        "verificationMethod": "did:web:certs.example:issuers:cisco#z6Mk",
        "proofValue": "z",
    }
    document = {**credential_document(credential(**more), programs["cisco"], ADDRESSES), "proof": [proof]}
    assert [error.message for error in validator_for(schema)(schema).iter_errors(document)] == []
    bare = {name: value for name, value in document.items() if name != "issuer"}
    assert list(validator_for(schema)(schema).iter_errors(bare))


def test_the_document_names_its_parts_by_their_public_addresses(programs: Mapping[str, Program]) -> None:
    said = credential_document(credential(), programs["cisco"], ADDRESSES)
    assert said["@context"] == list(CONTEXTS)
    assert said["id"] == "https://certs.example/credentials/0b0e1d5c-3c1f-4a55-9d2b-3f0d3d9e7a11"
    assert said["issuer"]["id"] == "did:web:certs.example:issuers:cisco"
    assert said["credentialStatus"] == {
        "id": "https://certs.example/status/cisco/1#70000",
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": "70000",
        "statusListCredential": "https://certs.example/status/cisco/1",
    }
    achievement = said["credentialSubject"]["achievement"]
    assert achievement["id"] == "https://certs.example/achievements/cisco/CCNA/7"
    assert "exam 200-301 CCNA" in achievement["criteria"]["narrative"]


def test_days_are_those_of_the_program_and_whole_seconds(programs: Mapping[str, Program]) -> None:
    said = credential_document(credential(), programs["cisco"], ADDRESSES)  # in Los Angeles
    assert (said["awardedDate"], said["validFrom"], said["validUntil"]) == (
        "2025-03-10T07:00:00Z",
        "2026-11-22T12:00:01Z",
        "2028-03-11T07:59:59Z",
    )
    assert "validUntil" not in credential_document(credential(expires_on=None), programs["cisco"], ADDRESSES)
    assert "." not in "".join(text for name, text in said.items() if name in {"awardedDate", "validFrom", "validUntil"})


def test_the_address_is_hashed_as_the_documents_say_and_nothing_else_is_told(
    programs: Mapping[str, Program],
) -> None:
    said = credential_document(credential(), programs["cisco"], ADDRESSES)
    (identity,) = said["credentialSubject"]["identifier"]
    assert identity["identityHash"] == "sha256$" + sha256(b"ada@example.com" + b"ab" * 16).hexdigest()
    assert email_hash(" ADA@example.COM ", "s") == email_hash("ada@example.com", "s")
    text = json.dumps(said)
    assert not [word for word in ("Ada", "C1", "example.com", "7K2M") if word in text.replace("certs.example", "")]


def test_the_name_is_in_it_only_where_it_is_given(programs: Mapping[str, Program]) -> None:
    named = credential_document(credential(recipient_name="Ada Lovelace"), programs["cisco"], ADDRESSES)
    assert [one["identityType"] for one in named["credentialSubject"]["identifier"]] == ["emailAddress", "name"]


def test_every_sample_certification_has_an_achievement(programs: Mapping[str, Program]) -> None:
    schema = json.loads((SCHEMAS / "ob_v3p0_achievementcredential_schema.strict.json").read_text())
    check = validator_for(schema)(schema)
    for program in programs.values():
        for certification in program.certifications.values():
            one = credential(program=program.id, certification=certification.id, title=certification.title)
            assert list(check.iter_errors(credential_document(one, program, ADDRESSES))) == []


def test_a_status_list_has_the_same_issuer_and_is_its_own_address() -> None:
    moments = datetime(2026, 11, 22, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC)
    said = status_list_document(ADDRESSES, "cisco", 3, "uH4s", valid_from=moments[0], valid_until=moments[1])
    assert (said["id"], said["issuer"]) == ("https://certs.example/status/cisco/3", ADDRESSES.issuer_did("cisco"))
    assert said["credentialSubject"]["encodedList"] == "uH4s"
