"""What the tabs of a candidate's view say. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import quote

from markupsafe import Markup

from libs.common.casework.progress import UNDECIDED
from services.portal.backend.shapes import Certification, Expected, Line
from services.portal.languages import mark, say, say_many
from services.portal.languages.days import minute, number, short_day
from services.portal.staff.candidates import shapes, states
from services.portal.staff.candidates.states import chip_of
from services.portal.staff.cases.words import STATES, kind_of
from services.portal.staff.kit import NONE, Cell, Column, Row
from services.portal.staff.people import Names
from services.portal.web.chips import Chip
from services.portal.web.vendor_names import vendor_name

TABS: Final[Mapping[str, str]] = {
    "overview": mark("Overview"),
    "certifications": mark("Certifications"),
    "exams": mark("Exams"),
    "credits": mark("Credits"),
    "kits": mark("Kits"),
    "shares": mark("Shares"),
    "mails": mark("Mails"),
    "cases": mark("Cases"),
    "ids": mark("IDs"),
    "history": mark("History"),
}
REASONS: Final[Mapping[str, str]] = {
    "asked": mark("The candidate asks, by phone or mail"),
    "colleague": mark("A colleague asks"),
    "check": mark("I check data or a decision"),
    "misuse": mark("I look into misuse"),
}
"""Why somebody looks, as identity takes it."""


@dataclass(frozen=True, slots=True)
class Section:
    """A table of a tab.

    Attributes:
        rows: None where its service does not answer.
        empty: what is said where there are none.
    """

    title: str
    columns: Sequence[Column]
    rows: Sequence[Row] | None
    empty: str


def section(title: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]] | None, empty: str) -> Section:
    listed = None if rows is None else [Row(str(place), cells) for place, cells in enumerate(rows)]
    return Section(title, [Column(column) for column in columns], listed, empty)


def _moment(value: datetime | None) -> str | Markup:
    return minute(value) if value else NONE


def state_of(overview: shapes.Overview) -> Chip:
    """Whether the candidate gets in."""
    if overview.access.locked_until:
        return Chip("warn", mark("Locked after wrong passwords"))
    return Chip("ok", mark("Active")) if overview.access.activated_at else Chip("wait", mark("Not activated"))


def account_of(overview: shapes.Overview) -> list[tuple[str, str | Markup]]:
    """The account, fact by fact; what nobody has told is left out."""
    access = overview.access
    facts: list[tuple[str, str | Markup | None]] = [
        (say("E-mail"), overview.email),
        (say("Country"), overview.country),
        (say("Language"), overview.language),
        (say("Time zone"), overview.time_zone),
        (say("Employer"), overview.employer),
        (say("Job"), overview.job_title),
        (say("Account since"), minute(overview.created_at)),
        (say("Password since"), _moment(access.activated_at)),
        (say("Second factor since"), _moment(access.second_factor_since)),
        (say("Open sessions"), number(access.open_sessions)),
        (
            say("Former names"),
            say(", ").join(f"{name.given_name} {name.family_name}" for name in overview.former_names) or None,
        ),
    ]
    return [(name, value) for name, value in facts if value]


def certification_rows(held: Sequence[Certification]) -> list[list[Cell]]:
    return [
        [
            Cell(one.title, second=one.certification),
            chip_of(states.CERTIFICATIONS, one.status),
            Cell(short_day(one.earned_on)),
            Cell(short_day(one.expires_on) if one.expires_on else say("never")),
            Cell(one.text),
        ]
        for one in held
    ]


def expected_rows(results: Sequence[Expected]) -> list[list[Cell]]:
    return [
        [
            Cell(one.exam_title or one.exam_code, second=one.registration_id),
            Cell(minute(one.scheduled_at)),
            chip_of(states.EXPECTED, one.state),
            Cell(short_day(one.due_on)),
            Cell(say("yes") if one.case_opened else say("no")),
        ]
        for one in results
    ]


def case_rows(cases: Sequence[shapes.CaseLine], *, linked: bool) -> list[list[Cell]]:
    return [
        [
            Cell(case.reference or case.case_id, href=f"/staff/cases?item={quote(case.case_id)}" if linked else ""),
            Cell(kind_of(case.kind)),
            chip_of(STATES, case.state),
            Cell(minute(case.opened_at)),
        ]
        for case in cases
    ]


def decision_rows(decisions: Sequence[shapes.Decision], names: Names) -> list[list[Cell]]:
    return [
        [
            Cell(minute(one.decided_at)),
            Cell(say(states.HAPPENED[one.kind]) if one.kind in states.HAPPENED else one.kind, second=one.certification),
            Cell(short_day(one.on)),
            Cell(names.of(one.decided_by)),
            Cell(one.reason),
        ]
        for one in decisions
    ]


def attempt_rows(attempts: Sequence[shapes.Attempt]) -> list[list[Cell]]:
    return [
        [
            Cell(short_day(one.taken_on)),
            Cell(one.title or one.exam_code or NONE, second=one.exam_code or ""),
            Cell(number(one.attempt) if one.attempt else NONE),
            chip_of(states.ATTEMPTS, one.state) if one.state in states.ATTEMPTS else chip_of(states.GRADES, one.grade),
            Cell(number(one.score) if one.score is not None else NONE),
            Cell(vendor_name(one.vendor), second=one.registration_id or ""),
            Cell(_moment(one.received_at)),
        ]
        for one in attempts
    ]


def appointment_rows(appointments: Sequence[shapes.Appointment]) -> list[list[Cell]]:
    return [
        [
            Cell(_moment(one.scheduled_at)),
            Cell(one.title or one.exam_code, second=one.exam_code),
            Cell(vendor_name(one.vendor), second=one.registration_id),
        ]
        for one in appointments
    ]


def credit_rows(entries: Sequence[shapes.CreditEntry]) -> list[list[Cell]]:
    return [
        [
            Cell(short_day(one.completed_on)),
            Cell(one.item or NONE),
            Cell(number(one.credits)),
            chip_of(states.CREDITS, one.state),
            Cell(one.text),
        ]
        for one in entries
    ]


def order_rows(orders: Sequence[shapes.Order], *, linked: bool) -> list[list[Cell]]:
    return [
        [
            Cell(one.title, href=f"/staff/returned-parcels?item={quote(one.order_id)}" if linked else ""),
            chip_of(states.ORDERS, one.state),
            Cell(minute(one.placed_at)),
            Cell(
                short_day(one.promised_by) if one.promised_by else NONE,
                second=say("past its promise") if one.late else "",
            ),
            Cell(one.carrier or NONE, second=one.tracking_number or ""),
        ]
        for one in orders
    ]


def offer_rows(offers: Sequence[shapes.Offer]) -> list[list[Cell]]:
    return [
        [
            Cell(one.title),
            chip_of(states.OFFERS, one.state),
            Cell(minute(one.offered_at)),
            Cell(_moment(one.claim_until)),
        ]
        for one in offers
    ]


def transcript_rows(transcripts: Sequence[shapes.Transcript]) -> list[list[Cell]]:
    return [
        [
            Cell(one.label or NONE, own=True),
            chip_of(states.SHARES, one.state),
            Cell(say("shows today") if one.kind == "live" else say("shows the day it was made")),
            Cell(minute(one.created_at)),
            Cell(short_day(one.valid_through)),
            Cell(number(one.views)),
        ]
        for one in transcripts
    ]


def badge_rows(badges: Sequence[shapes.Badge]) -> list[list[Cell]]:
    return [
        [
            Cell(one.title),
            Cell(chip=Chip("ok", mark("Issued")) if one.available else Chip("off", mark("Not available"))),
            Cell(one.reason or NONE),
        ]
        for one in badges
    ]


def mail_rows(mails: Sequence[shapes.Mail], base: str) -> list[list[Cell]]:
    return [
        [
            Cell(one.number, own=True),
            Cell(one.subject, href=f"{base}/mails/{quote(one.message_id, safe='')}"),
            chip_of(states.MAILS, one.state),
            Cell(minute(one.created_at)),
            Cell(one.error or NONE),
        ]
        for one in mails
    ]


def external_rows(ids: Sequence[shapes.ExternalId]) -> list[list[Cell]]:
    return [
        [Cell(vendor_name(one.system)), Cell(one.external_id, own=True), Cell(one.verified_by), Cell(minute(one.since))]
        for one in ids
    ]


def name_rows(names: Sequence[shapes.Name], who: Names) -> list[list[Cell]]:
    return [
        [
            Cell(f"{one.given_name} {one.family_name}", own=True),
            Cell(minute(one.since)),
            Cell(_moment(one.until)),
            Cell(who.of(one.by) if one.by else NONE),
        ]
        for one in names
    ]


def merge_rows(merges: Sequence[shapes.Merge], names: Names, *, may_undo: bool) -> list[list[Cell]]:
    return [
        [
            Cell(say("{ended} into {goes_on}", ended=one.merged_id, goes_on=one.candidate_id)),
            chip_of(states.MERGES, one.state),
            Cell(minute(one.requested_at), second=names.of(one.by)),
            Cell(one.reason),
            Cell(say("Undo it"), href=f"/staff/merges/{quote(one.merge_id, safe='')}/undo")
            if may_undo and one.state == "done"
            else Cell(NONE),
        ]
        for one in merges
    ]


def alike(reasons: Sequence[str]) -> str:
    """What speaks for two accounts being one: "e-mail address, name"."""
    return say(", ").join(say(states.LIKE[reason]) for reason in reasons if reason in states.LIKE) or NONE


def likeness(score: float) -> Chip:
    """How likely it is, in words."""
    if score >= 0.8:  # noqa: PLR2004 address and name fit
        return Chip("ok", mark("Strong"))
    return Chip("warn", mark("Possible")) if score >= 0.5 else Chip("off", mark("Weak"))  # noqa: PLR2004


def similar_rows(similars: Sequence[shapes.Similar], candidate_id: str) -> list[list[Cell]]:
    return [
        [
            Cell(f"{one.given_name} {one.family_name}", second=one.candidate_id, own=True),
            Cell(chip=likeness(one.score)),
            Cell(alike(one.reasons)),
            Cell(
                say("Preview the merge"),
                href=f"/staff/merges/preview?from={quote(one.candidate_id)}&into={quote(candidate_id)}",
            ),
        ]
        for one in similars
    ]


def history_rows(lines: Sequence[Line]) -> list[list[Cell]]:
    return [
        [
            Cell(short_day(one.on)),
            Cell(say(states.HAPPENED[one.kind]) if one.kind in states.HAPPENED else one.kind, second=one.certification),
            Cell(minute(one.known_at)),
            Cell(_moment(one.withdrawn_at)),
            Cell(one.text),
        ]
        for one in lines
    ]


def waits(overview: shapes.Overview, expected: Sequence[Expected] | None) -> str:
    """What is open, in one sentence."""
    cases = sum(case.state in UNDECIDED for case in overview.cases)
    late = sum(one.state in ("late", "overdue") for one in expected or ())
    if late:
        return say_many("{count} result is late.", "{count} results are late.", late)
    if cases:
        return say_many("{count} case is open.", "{count} cases are open.", cases)
    return say("Nothing is open.")
