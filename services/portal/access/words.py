"""What the pages of the way in share: which program they are of, and what they say of trouble."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from aiohttp import web

from libs.common.programs import Program
from services.portal.backend.client import Refused
from services.portal.languages import say
from services.portal.languages.days import ZONE, clock_time
from services.portal.web.visit import VISIT

_TRIES_REST: Final = 600
"""Seconds, where identity does not say."""


def slowed(refusal: Refused, now: datetime) -> str:
    """After too many tries."""
    again = now + timedelta(seconds=refusal.retry_after or _TRIES_REST)
    return say(
        "Too many tries. You can try again at {time}. Recovering your password works now.", time=clock_time(again)
    )


def wrong_code() -> str:
    return say("That code doesn't fit, or it was used before. Enter the one that the app shows now.")


def unfit_password(codes: list[str]) -> str | None:
    """What to do about a password that identity does not take; None where it says nothing about that."""
    if "password_leaked" in codes:
        return say("This password is in lists of leaked ones. Choose another")
    if {"password_weak", "string_too_short", "string_too_long"} & set(codes):
        return say("Choose one with at least 12 characters that doesn't contain your ID, address or name")
    return None


def program_of(request: web.Request, programs: Mapping[str, Program]) -> Program:
    """The program that an address names. Until somebody has signed in, times are in its zone."""
    program = programs.get(request.match_info["program"])
    if program is None:
        raise web.HTTPNotFound
    if request[VISIT].session is None:
        ZONE.set(ZoneInfo(program.time_zone))
    return program
