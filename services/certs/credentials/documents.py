"""What is signed: Open Badges 3.0 credentials and status lists as JSON. Pure.

Every repeated property is an array and every text a plain string: of the two official schemas that are about one takes
nothing else.
"""

import hashlib
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from libs.common.programs import Certification, Program
from libs.common.programs.model import AllNode, AnyNode, CertificationNode, ExamNode, Requirement
from services.certs.credentials.credential import Credential
from services.certs.public.addresses import Addresses

Json = dict[str, Any]

VC = "https://www.w3.org/ns/credentials/v2"
CONTEXTS = (
    VC,
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
    "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json",
)
"""The third defines the type of `credentialSchema`, without which verifiers in safe mode refuse the document."""

SCHEMA = "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_achievementcredential_schema.json"
_TAG = 64


def moment(at: datetime) -> str:
    """A moment without fractions of a second, which a JWT's dates do not have."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def email_hash(email: str, salt: str) -> str:
    """An address as an `identityHash`: trimmed, in lower case, and salted."""
    return "sha256$" + hashlib.sha256(f"{email.strip().lower()}{salt}".encode()).hexdigest()


def valid_until(program: Program, credential: Credential) -> datetime | None:
    """The last second of the last active day in the program's calendar; None where it never expires."""
    return program.end_of(credential.expires_on) - timedelta(seconds=1) if credential.expires_on is not None else None


def credential_document(credential: Credential, program: Program, addresses: Addresses) -> Json:
    """A credential without its proof.

    Args:
        credential: what it says.
        program: the definition under which it was issued.
        addresses: where everything is found.
    """
    until = valid_until(program, credential)
    address = addresses.credential(credential.credential_id)
    status = addresses.status_list(credential.program, credential.status_list)
    return {
        "@context": list(CONTEXTS),
        "id": address,
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": credential.title,
        "issuer": issuer_profile(program, addresses),
        "awardedDate": moment(_start_of(program, credential.earned_on)),
        "validFrom": moment(credential.valid_from),
        **({"validUntil": moment(until)} if until is not None else {}),
        "credentialSubject": _subject(credential, program, addresses),
        "credentialSchema": [{"id": SCHEMA, "type": "1EdTechJsonSchemaValidator2019"}],
        "credentialStatus": {
            "id": f"{status}#{credential.status_index}",
            "type": "BitstringStatusListEntry",
            "statusPurpose": "revocation",
            "statusListIndex": str(credential.status_index),
            "statusListCredential": status,
        },
    }


def issuer_profile(program: Program, addresses: Addresses) -> Json:
    """The program as an issuer."""
    return {
        "id": addresses.issuer_did(program.id),
        "type": ["Profile"],
        "name": program.name,
        "url": program.branding.support_url,
        "email": program.branding.sender_email,
        "image": {"id": addresses.issuer_image(program.id), "type": "Image", "caption": program.name},
    }


def achievement(program: Program, certification: str, title: str, addresses: Addresses) -> Json:
    """A certification as one version of a program defines it.

    `title` names it where the version has no such certification: under an id that it has got since.
    """
    address = addresses.achievement(program.id, certification, program.version)
    found = find_certification(program, certification)
    return {
        "id": address,
        "type": ["Achievement"],
        "achievementType": "Certification",
        "name": title,
        "description": _description(program, found, title),
        "criteria": {"id": address, "narrative": _narrative(program, found, title)},
        "humanCode": certification,
        "version": str(program.version),
        "image": {"id": addresses.achievement_image(program.id, certification, program.version), "type": "Image"},
        **({"fieldOfStudy": found.track, "tag": [found.level[:_TAG], found.track[:_TAG]]} if found is not None else {}),
    }


def find_certification(program: Program, certification: str) -> Certification | None:
    """The certification of that id, or that once had it."""
    found = program.certifications.get(certification)
    if found is not None:
        return found
    return next(
        (one for one in program.certifications.values() for former in one.formerly if former.id == certification),
        None,
    )


def status_list_document(
    addresses: Addresses, program: str, number: int, encoded: str, *, valid_from: datetime, valid_until: datetime
) -> Json:
    """A status list without its proof, by the same issuer as the credentials in it."""
    address = addresses.status_list(program, number)
    return {
        "@context": [VC],
        "id": address,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": addresses.issuer_did(program),
        "validFrom": moment(valid_from),
        "validUntil": moment(valid_until),
        "credentialSubject": {
            "id": f"{address}#list",
            "type": "BitstringStatusList",
            "statusPurpose": "revocation",
            "encodedList": encoded,
        },
    }


def _subject(credential: Credential, program: Program, addresses: Addresses) -> Json:
    identifiers = list(_identifiers(credential))
    return {
        "id": credential.subject,
        "type": ["AchievementSubject"],
        **({"identifier": identifiers} if identifiers else {}),
        "achievement": achievement(program, credential.certification, credential.title, addresses),
    }


def _identifiers(credential: Credential) -> Iterator[Json]:
    if credential.email_hash is not None:
        yield {
            "type": "IdentityObject",
            "hashed": True,
            "identityHash": credential.email_hash,
            "identityType": "emailAddress",
            "salt": credential.email_salt,
        }
    if credential.recipient_name is not None:
        yield {
            "type": "IdentityObject",
            "hashed": False,
            "identityHash": credential.recipient_name,
            "identityType": "name",
        }


def _start_of(program: Program, day: date) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(program.time_zone))


def _description(program: Program, certification: Certification | None, title: str) -> str:
    if certification is None:
        return f"{title}, a certification of the {program.name}."
    return f"{title}, a certification of the {program.name}: level {certification.level}, track {certification.track}."


def _narrative(program: Program, certification: Certification | None, title: str) -> str:
    if certification is None:
        return f"The holder met what the {program.name} asks for {title}."
    years = certification.validity_years
    lasts = (
        "It never expires." if years is None else f"It lasts {years} year{'' if years == 1 else 's'}, and is renewed."
    )
    return f"The holder met: {_words(program, certification.requires)}. {lasts}"


def _words(program: Program, requirement: Requirement) -> str:
    """A requirement in words."""
    if isinstance(requirement, ExamNode):
        exam = program.find_exam(requirement.exam)
        return f"exam {requirement.exam} {exam.title}" if exam is not None else f"exam {requirement.exam}"
    if isinstance(requirement, CertificationNode):
        needed = program.certifications[requirement.certification]
        return f"an active {needed.title}"
    parts = [_words(program, part) for part in requirement.parts]
    if len(parts) == 1:
        return parts[0]
    if isinstance(requirement, AllNode):
        return "all of (" + "; ".join(parts) + ")"
    if isinstance(requirement, AnyNode):
        return "one of (" + "; ".join(parts) + ")"
    return f"{requirement.n} of (" + "; ".join(parts) + ")"
