"""A credential as a page for people: whether it is genuine and in force, whose it is, until when, and nothing more."""

from datetime import datetime
from typing import Literal, NamedTuple

from libs.common.programs import Program
from libs.common.spoken import spoken
from services.certs.credentials.credential import Credential
from services.certs.pages.frame import message, page
from services.certs.public.addresses import Addresses
from services.certs.public.codes import printed

_FILES = {"json": "Credential (JSON)", "png": "Picture (PNG)", "svg": "Picture (SVG)", "jwt": "Token (JWT)"}


class Verdict(NamedTuple):
    """What is said first."""

    seal: Literal["ok", "warn", "bad"]
    heading: str
    sentence: str
    chip: Literal["ok", "warn", "bad", "wait", "off"]
    word: str


def verdict(credential: Credential, program: Program, now: datetime, *, suspended: bool) -> Verdict:
    """What holds of a credential at a moment. No reason is given for what was taken back."""
    to = f" to {credential.recipient_name}" if credential.recipient_name else ""
    issued = f"{program.name} issued this{to}."
    if credential.state == "revoked":
        day = f" on {spoken(program.day_of(credential.revoked_at))}" if credential.revoked_at else ""
        return Verdict("bad", f"Not valid: revoked{day}.", f"{issued} It does not count any more.", "bad", "Revoked")
    last = credential.expires_on
    if last is not None and last < program.day_of(now):
        return Verdict(
            "warn", "Genuine, but expired.", f"{issued} Its last active day was {spoken(last)}.", "bad", "Expired"
        )
    if suspended:
        return Verdict("bad", "Not valid at present: suspended.", issued, "wait", "Suspended")
    until = f"It is active until {spoken(last)}." if last is not None else "It is active and never expires."
    return Verdict("ok", "Genuine and unchanged.", f"{issued} {until}", "ok", "Active")


def badge_page(
    credential: Credential, program: Program, addresses: Addresses, now: datetime, *, suspended: bool
) -> bytes:
    """The page. `suspended`: whether the certification is set aside at present."""
    address = addresses.credential(credential.credential_id)
    return page(
        "credentials/templates/badge.html",
        heading=credential.title,
        program=program,
        credential=credential,
        verdict=verdict(credential, program, now, suspended=suspended),
        checked=now,
        picture=addresses.achievement_image(program.id, credential.certification, credential.policy_version),
        code=printed(credential.code),
        root=addresses.root,
        files=[(name, f"{address}.{suffix}") for suffix, name in _FILES.items()],
    )


def unknown_page() -> bytes:
    return message("We didn't issue a badge with this address.", "Check the address, or type in its code.", form=True)


def ended_page() -> bytes:
    return message("This link has ended.", "It says nothing about the person. Ask them for a new one.")
