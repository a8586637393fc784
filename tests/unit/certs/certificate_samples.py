"""What stands on a certificate, for tests."""

from datetime import date
from typing import Any

from libs.common.programs import Program
from services.certs.certificates.content import Content
from services.certs.drawing import artwork

CREDENTIAL = b'{"id": "https://certs.example/credentials/1", "name": "\xc3\x9cn\xc3\xafcode \xe8\xa8\xbc ]]>"}\n'


def content_of(program: Program, **more: Any) -> Content:
    texts = program.certificate
    usual: dict[str, Any] = {
        "program": program.name,
        "colour": program.branding.colour,
        "artwork": artwork(program),
        "name": "Ada Lovelace",
        "native_name": None,
        "country": "GB",
        "statement": texts.statement,
        "title": "Cisco Certified Network Associate",
        "earned_on": date(2024, 3, 14),
        "expires_on": date(2027, 3, 14),
        "issued_on": date(2026, 11, 22),
        "signatory": "Rosa Feld",
        "signatory_title": "Head of Certification",
        "code": "7K2M-9QXT-4HPW",
        "address": "https://certs.example/check/7K2M9QXT4HPW",
        "credential": CREDENTIAL,
    }
    return Content(**usual | more)
