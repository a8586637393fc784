"""A credential in each of its forms: JSON, token, and pictures with the JSON in them."""

from dataclasses import dataclass
from typing import ClassVar, Final

from libs.common.http.documents import Document
from libs.common.programs import Program
from services.certs.credentials.baking import baked_png, baked_svg
from services.certs.credentials.credential import Credential
from services.certs.credentials.pictures import badge_png, badge_svg
from services.certs.credentials.signing import Signed

VC: Final = "application/vc"
JWT: Final = "application/vc+jwt"
PNG: Final = "image/png"
SVG: Final = "image/svg+xml"
HTML: Final = "text/html"
TEXT: Final = "text/plain; charset=utf-8"
JSON_KINDS: Final = (VC, "application/vc+ld+json", "application/ld+json", "application/json")

SUFFIXES: Final = {"json": VC, "jwt": TEXT, "png": PNG, "svg": SVG}
"""What an address that ends so gives, whatever is asked for."""

OWN: Final = "private, no-cache"
"""Whoever keeps one asks before each use whether it is still this one."""


class CredentialFile(Document):
    """A credential in one of its forms."""

    media_types: ClassVar = (*JSON_KINDS, JWT, "text/plain", PNG, SVG, HTML)


@dataclass(frozen=True, slots=True)
class Forms:
    """What a signed credential can be turned into."""

    credential: Credential
    signed: Signed
    program: Program

    def file(self, media_type: str, *, filename: str | None = None) -> CredentialFile:
        """The credential as a kind of file. Raises `ValueError` for one that it has not."""
        return CredentialFile(
            media_type=media_type, content=self._content(media_type), cache_control=OWN, filename=filename
        )

    def _content(self, media_type: str) -> bytes:
        if media_type in JSON_KINDS:
            return self.signed.document
        if media_type in {JWT, TEXT}:
            return self.signed.jwt.encode()
        if media_type == PNG:
            return baked_png(badge_png(self.program, self.credential.title), self.signed.document)
        if media_type == SVG:
            return baked_svg(badge_svg(self.program, self.credential.title), self.signed.document)
        raise ValueError(f"no form of a credential: {media_type}")
