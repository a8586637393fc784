"""What is read of the words of mails."""

from datetime import datetime

from pydantic import BaseModel


class Summary(BaseModel):
    """A mail in a language, and whose words count."""

    template: str
    language: str
    built_in: bool
    version: int | None
    versions: int


class Summaries(BaseModel):
    items: list[Summary]


class Switch(BaseModel):
    version: int | None
    at: datetime
    by: str


class Wording(Summary):
    """The same with its words."""

    direction: str
    names: list[str]
    samples: int
    source: str | None
    built_in_source: str | None
    switches: list[Switch]


class Version(BaseModel):
    version: int
    note: str
    written_by: str
    written_at: datetime


class VersionPage(BaseModel):
    items: list[Version]
    next: str | None = None


class Written(Version):
    """A version with its words."""

    source: str
