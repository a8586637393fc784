"""Time zones to choose from: by continent, with the time that it is there."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from babel import Locale
from babel.core import get_global

from libs.common.languages import READER
from services.portal.languages import mark, say

_GROUPS: Final[Mapping[str, str]] = {
    "Africa": mark("Africa"),
    "America": mark("America"),
    "Antarctica": mark("Antarctica"),
    "Arctic": mark("Arctic"),
    "Asia": mark("Asia"),
    "Atlantic": mark("Atlantic"),
    "Australia": mark("Australia"),
    "Europe": mark("Europe"),
    "Indian": mark("Indian Ocean"),
    "Pacific": mark("Pacific"),
}


@dataclass(frozen=True, slots=True)
class Zone:
    """A time zone.

    Attributes:
        key: IANA name.
        words: its city and the time there.
    """

    key: str
    words: str


def zones(now: datetime, chosen: str = "") -> list[tuple[str, list[Zone]]]:
    """Time zones by continent; one that was chosen before is among them under whatever name."""
    groups: dict[str, list[Zone]] = {}
    for group, key, city in _named(READER.get().locale, chosen):
        time = f"{now.astimezone(ZoneInfo(key)):%H:%M}"
        groups.setdefault(group, []).append(Zone(key, say("{city}, {time}", city=city, time=time)))
    said = [(say(_GROUPS[group]) if group in _GROUPS else "UTC", own) for group, own in groups.items()]
    return sorted(said, key=lambda one: (one[0] == "UTC", one[0]))


def city_of(key: str) -> str:
    """What people call a zone: its city in the reader's language."""
    return _city(READER.get().locale, key)


@cache
def _canonical() -> tuple[str, ...]:
    """Zones that are no other names of others (CLDR), and that this machine knows."""
    places = get_global("zone_territories")
    return tuple(sorted(key for key in available_timezones() if key.partition("/")[0] in _GROUPS and key in places))


@cache
def _named(locale: str, chosen: str) -> tuple[tuple[str, str, str], ...]:
    keys = {*_canonical(), "UTC", *({chosen} & available_timezones())}
    found = [(key.partition("/")[0], key, _city(locale, key)) for key in keys]
    return tuple(sorted(found, key=lambda one: (one[0], unicodedata.normalize("NFKD", one[2]).casefold())))


def _city(locale: str, key: str) -> str:
    known = Locale.parse(locale).time_zones.get(key, {})
    return str(known.get("city") or key.rpartition("/")[2].replace("_", " "))
