"""A credential as a page for people: whether it is genuine and in force, whose it is, until when, and nothing more."""

from datetime import datetime
from typing import Final, Literal, NamedTuple

from libs.common.languages.days import spoken
from libs.common.programs import Program
from services.certs.credentials.credential import Credential
from services.certs.languages import mark, say
from services.certs.pages.frame import page
from services.certs.public.addresses import Addresses
from services.certs.public.codes import printed

_FILES: Final = {
    "json": mark("Credential (JSON)"),
    "png": mark("Picture (PNG)"),
    "svg": mark("Picture (SVG)"),
    "jwt": mark("Token (JWT)"),
}
State = Literal["active", "expired", "suspended", "revoked"]


class Verdict(NamedTuple):
    """What is said first."""

    state: State
    seal: Literal["ok", "warn", "bad"]
    heading: str
    sentence: str
    chip: Literal["ok", "warn", "bad", "wait", "off"]
    word: str


def verdict(credential: Credential, program: Program, now: datetime, *, suspended: bool) -> Verdict:
    """What holds of a credential at a moment. No reason is given for what was taken back."""
    issued = _issued(credential, program)
    if credential.state == "revoked":
        heading = say("Not valid: revoked.")
        if credential.revoked_at:
            heading = say("Not valid: revoked on {day}.", day=spoken(program.day_of(credential.revoked_at)))
        sentence = f"{issued} {say('It does not count any more.')}"
        return Verdict("revoked", "bad", heading, sentence, "bad", say("Revoked"))
    last = credential.expires_on
    if last is not None and last < program.day_of(now):
        sentence = f"{issued} {say('Its last active day was {day}.', day=spoken(last))}"
        return Verdict("expired", "warn", say("Genuine, but expired."), sentence, "bad", say("Expired"))
    if suspended:
        return Verdict("suspended", "bad", say("Not valid at present: suspended."), issued, "wait", say("Suspended"))
    until = say("It is active until {day}.", day=spoken(last)) if last else say("It is active and never expires.")
    return Verdict("active", "ok", say("Genuine and unchanged."), f"{issued} {until}", "ok", say("Active"))


def _issued(credential: Credential, program: Program) -> str:
    if credential.recipient_name:
        return say("{program} issued this to {name}.", program=program.name, name=credential.recipient_name)
    return say("{program} issued this.", program=program.name)


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
        files=[(say(name), f"{address}.{suffix}") for suffix, name in _FILES.items()],
    )
