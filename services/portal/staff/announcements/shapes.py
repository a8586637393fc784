"""What is read of announcements."""

from datetime import date, datetime

from pydantic import BaseModel


class Audience(BaseModel):
    certifications: list[str]
    levels: list[str]


class Text(BaseModel):
    language: str
    title: str
    paragraphs: list[str]


class Mailing(BaseModel):
    mails: int
    done_at: datetime | None = None


class Step(BaseModel):
    what: str
    at: datetime
    by: str
    reason: str | None = None


class Announcement(BaseModel):
    """What the program tells candidates within its days."""

    announcement_id: str
    state: str
    severity: str
    audience: Audience
    texts: list[Text]
    first_day: date
    last_day: date
    created_at: datetime
    mailing: Mailing | None = None
    history: list[Step]

    @property
    def title(self) -> str:
        return self.texts[0].title if self.texts else self.announcement_id


class AnnouncementPage(BaseModel):
    items: list[Announcement]
    next: str | None = None
