"""Mails and their words, as staff read them. Pure."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from libs.common.languages import LANGUAGES as SPOKEN
from services.portal.backend.client import Problem
from services.portal.languages import mark, say
from services.portal.languages.days import number
from services.portal.staff.kit import NONE, Cell, Row
from services.portal.staff.people import Names
from services.portal.staff.wording.shapes import Summary, Switch
from services.portal.web.chips import Chip

MAILS: Final = {
    "activation": mark("Activation of the account"),
    "recovery": mark("New password"),
    "session_ended": mark("Session ended"),
    "password_changed": mark("Password changed"),
    "email_confirmation": mark("Confirmation of an address"),
    "email_changed": mark("Address changed"),
    "second_factor_changed": mark("Second factor changed"),
    "exam_passed": mark("Exam passed"),
    "exam_failed": mark("Exam not passed"),
    "result_changed": mark("Result changed"),
    "result_withdrawn": mark("Result withdrawn"),
    "certification_awarded": mark("Certification awarded"),
    "certification_renewed": mark("Certification renewed"),
    "certification_expiring": mark("Certification about to expire"),
    "certification_expired": mark("Certification expired"),
    "certification_revoked": mark("Certification revoked"),
    "credits_recorded": mark("Credits recorded"),
    "submission_accepted": mark("Claim of credits accepted"),
    "submission_rejected": mark("Claim of credits rejected"),
    "milestone_reached": mark("Goal reached"),
    "certification_suspended": mark("Certification suspended"),
    "certification_reinstated": mark("Certification reinstated"),
    "case_opened": mark("Case opened"),
    "case_message": mark("Message in a case"),
    "case_accepted": mark("Case accepted"),
    "case_refused": mark("Case refused"),
    "result_late": mark("Result late"),
    "result_arrived": mark("Late result arrived"),
    "result_not_awaited": mark("Result no longer waited for"),
    "challenge_opened": mark("Challenge opened"),
    "challenge_message": mark("Message in a challenge"),
    "challenge_decided": mark("Challenge decided"),
    "staff_invitation": mark("Invitation of staff"),
    "staff_recovery": mark("New password for staff"),
    "export_ready": mark("Export of data ready"),
    "erasure_requested": mark("Erasure asked for"),
    "erasure_cancelled": mark("Erasure called off"),
    "erased": mark("Account erased"),
    "voucher_assigned": mark("Voucher assigned"),
    "vendor_profile_problem": mark("Profile refused by a test vendor"),
    "gift_offered": mark("Kit offered"),
    "order_placed": mark("Kit ordered"),
    "order_shipped": mark("Kit shipped"),
    "order_returned": mark("Kit came back"),
    "order_cancelled": mark("Kit called off"),
    "order_late": mark("Kit late"),
    "payment_confirmed": mark("Payment confirmed"),
    "payment_refunded": mark("Payment refunded"),
    "digest": mark("Digest"),
    "news": mark("News"),
}
LANGUAGES: Final = {code: language.name for code, language in SPOKEN.items()}
"""In their own words, as the choice of a language has them."""

_HEAD: Final = ("Subject", "Preview", "Why")


@dataclass(frozen=True, slots=True)
class Parts:
    """A mail's source in its parts; each as it is written, with the places of its facts."""

    subject: str
    preview: str
    why: str
    text: str


def parts_of(source: str) -> Parts:
    """The head is of lines with names, and ends with the first other line."""
    found: dict[str, str] = {}
    lines = source.splitlines()
    for place, line in enumerate(lines):
        name, colon, value = line.partition(":")
        if not colon or name not in _HEAD or name in found:
            return _parts(found, "\n".join(lines[place:]).strip())
        found[name] = value.strip()
    return _parts(found, "")


def _parts(head: dict[str, str], text: str) -> Parts:
    subject, preview, why = (head.get(name, "") for name in _HEAD)
    return Parts(subject, preview, why, text)


def title_of(template: str) -> str:
    return say(MAILS[template]) if template in MAILS else template


def whose(one: Summary) -> Chip:
    """Whose words count."""
    if one.version is not None:
        return Chip("ok", mark("Your own"))
    return Chip("off", mark("As delivered")) if one.built_in else Chip("warn", mark("English instead"))


def counting(version: int | None, *, built_in: bool = True) -> str:
    """Which words count, in a sentence."""
    if version is not None:
        return say("Version {version} counts.", version=version)
    if built_in:
        return say("The words that come with the service count.")
    return say("There are no words in this language yet, so its readers get the mail in English.")


def address_of(one: Summary) -> str:
    return f"/staff/templates/{quote(one.template, safe='')}/{quote(one.language, safe='')}"


def row_of(one: Summary) -> Row:
    return Row(
        one.template,
        (
            Cell(title_of(one.template), href=address_of(one)),
            Cell(chip=whose(one)),
            Cell(number(one.version) if one.version is not None else NONE),
            Cell(number(one.versions) if one.versions else NONE),
        ),
    )


def steps_of(switches: list[Switch], names: Names) -> list[tuple[object, str, str]]:
    """Who let which words count, the latest first."""
    return [
        (
            one.at,
            say("{who}: let version {version} count", who=names.of(one.by), version=one.version)
            if one.version is not None
            else say("{who}: went back to the words of the service", who=names.of(one.by)),
            "",
        )
        for one in switches
    ]


def lines_of(problem: Problem) -> list[str]:
    """What is wrong with a source, line by line as the service says it."""
    return [fault.message for fault in problem.errors if fault.path.startswith("body.source")]
