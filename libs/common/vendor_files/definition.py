"""How a vendor's definition describes files that are exchanged: their folders, names, letters, and answers to them."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from libs.common.ids import derived_id
from libs.common.programs.written import Shape
from libs.common.vendor_files.names import NamePattern

Letters = Literal["cp1252", "latin1", "ascii", "utf-8"]
"""Python's names of the codecs."""

Folder = Annotated[str, StringConstraints(pattern=r"^/[^\x00-\x1f]{0,250}$")]
"""On the vendor's SFTP server where the definition has one, else on this machine."""
Words = Annotated[list[str], Field(min_length=1, max_length=10)]


def _pattern(text: str) -> str:
    NamePattern(text)
    return text


Pattern = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(_pattern)]


class Confirmations(Shape):
    """Where a vendor answers, and how its answers are called."""

    folder: Folder
    file: Pattern
    accepted: Words = Field(default_factory=lambda: ["Accepted", "Warning"])
    """Words of `Status` for what was taken, whatever the case of their letters."""
    refused: Words = Field(default_factory=lambda: ["Error", "Rejected", "Refused"])


class FilesShape(Shape):
    folder: Folder
    file: Pattern
    confirmations: Confirmations
    zip: bool = False
    every_minutes: Annotated[int, Field(ge=1, le=10_080)] = 60
    lines: Annotated[int, Field(ge=1, le=5_000)] = 2_000
    """In one file at most."""
    silent_hours: Annotated[int, Field(ge=1, le=720)] = 24
    """After so long without an answer a file is flagged."""
    letters: Letters = "cp1252"

    @property
    def digest(self) -> str:
        """The same for the same section."""
        return derived_id(self.model_dump_json())

    @model_validator(mode="after")
    def _names_tell_files_apart(self) -> "FilesShape":
        if not {"program", "number"} <= NamePattern(self.file).places:
            raise ValueError("`file` needs the places {program} and {number}")
        if {"any", "from", "to"} & NamePattern(self.file).places:
            raise ValueError("`file` can have the places {program}, {number} and {date} alone")
        return self
