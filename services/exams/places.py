"""Moments as they were at the place of an appointment: the vendor's offset from UTC is kept beside each."""

from datetime import date, datetime, timedelta, timezone

from libs.common.mongo.client import Document


def place_time(row: Document) -> datetime | None:
    """When an appointment is, with the offset at its place; None while no day is known."""
    moment: datetime | None = row["scheduled_at"]
    return None if moment is None else moment.astimezone(timezone(timedelta(minutes=row["utc_offset"])))


def place_day(row: Document) -> date:
    """The day of an appointment at its place. Raises `ValueError` where none is known."""
    moment = place_time(row)
    if moment is None:
        raise ValueError("an appointment without a day has no result to wait for")
    return moment.date()
