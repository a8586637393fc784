"""What a program has printed on its certificates, and says to those who show its logo."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import StringConstraints

from libs.common.events.types import Line
from libs.common.programs.written import Shape

STATEMENT = "has met the requirements of the program and is awarded the certification"
LOGO_LICENCE = (
    "You may show this logo as long as your certification is active, to say that you hold it. "
    "Do not change it, and do not use it in a way that looks like a recommendation by the program."
)


@dataclass(frozen=True, slots=True)
class CertificateTexts:
    """A program's words."""

    statement: str = STATEMENT
    """Between the name and the title of the certification."""
    signatory: str | None = None
    signatory_title: str | None = None
    logo_licence: str = LOGO_LICENCE


DEFAULT_TEXTS = CertificateTexts()


class SignatoryShape(Shape):
    """Who signs for the program."""

    name: Line
    title: Line


class CertificateShape(Shape):
    """Words on certificates and about logos."""

    statement: Annotated[str, StringConstraints(min_length=1, max_length=200)] = STATEMENT
    signatory: SignatoryShape | None = None
    logo_licence: Annotated[str, StringConstraints(min_length=1, max_length=2_000)] = LOGO_LICENCE

    def read(self) -> CertificateTexts:
        signatory = self.signatory
        return CertificateTexts(
            statement=self.statement,
            signatory=signatory.name if signatory else None,
            signatory_title=signatory.title if signatory else None,
            logo_licence=self.logo_licence,
        )
