"""What each tab of a candidate's view asks the services, side by side."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar
from urllib.parse import quote

from pydantic import BaseModel

from services.portal.backend.client import Refused
from services.portal.languages import say
from services.portal.staff.candidates import shapes, words
from services.portal.staff.candidates.words import Section, section
from services.portal.staff.people import names_at
from services.portal.web.visit import Visit, part

T = TypeVar("T", bound=BaseModel)
_LIMIT: Final = "50"


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom the view is about, for whoever looks."""

    visit: Visit
    overview: shapes.Overview

    @property
    def base(self) -> str:
        return f"/staff/candidates/{quote(self.overview.candidate_id, safe='')}"

    def may(self, scope: str) -> bool:
        return self.visit.at_desk.may(scope)

    async def read(self, service: str, below: str, into: type[T], **query: str) -> T | None:
        """What a service has of the candidate; None where it does not answer, or has nothing yet."""
        path = f"/candidates/{quote(self.overview.candidate_id, safe='')}{below}"
        try:
            return await part(self.visit.mine(service, path, into, **query))
        except Refused as refusal:
            if refusal.problem.status == 404:  # noqa: PLR2004 nothing was ever heard of them there
                return into()
            raise


Tab = Callable[[Subject], Awaitable[Sequence[Section]]]


async def overview(of: Subject) -> list[Section]:
    held, expected = await asyncio.gather(
        of.read("certs", "/certifications", shapes.Held), of.read("exams", "/expected-results", shapes.Waiting)
    )
    return [_cases(of), _expected(expected), _certifications(held)]


async def certifications(of: Subject) -> list[Section]:
    held = await of.read("certs", "/certifications", shapes.Held)
    if not of.may("certs:decide"):
        return [_certifications(held)]
    decided, names = await asyncio.gather(of.read("certs", "/decisions", shapes.Decisions), names_at(of.visit))
    titles = (say("Decided"), say("What"), say("Counts from"), say("By"), say("Reason"))
    rows = words.decision_rows(decided.items, names) if decided else None
    return [_certifications(held), section(say("Decisions of staff"), titles, rows, say("Staff decided nothing."))]


async def exams(of: Subject) -> list[Section]:
    attempts, coming, expected = await asyncio.gather(
        of.read("exams", "/history", shapes.Attempts, limit=_LIMIT),
        of.read("exams", "/appointments", shapes.Appointments, coming="true"),
        of.read("exams", "/expected-results", shapes.Waiting),
    )
    titles = (
        *(say("Day"), say("Exam"), say("Attempt"), say("Result"), say("Score"), say("Vendor")),
        say("Known since"),
    )
    tried = words.attempt_rows(attempts.items) if attempts else None
    dates = words.appointment_rows(coming.items) if coming else None
    appointments = section(
        say("Appointments"), (say("When"), say("Exam"), say("Vendor")), dates, say("No appointment lies ahead.")
    )
    return [
        _expected(expected),
        appointments,
        section(say("Attempts"), titles, tried, say("No exam was taken, as far as vendors have told us.")),
    ]


async def credits(of: Subject) -> list[Section]:  # noqa: A001 the tab is called so
    ledger = await of.read("certs", "/credits", shapes.Credits)
    titles = (say("Earned on"), say("Activity"), say("Credits"), say("State"), say("Why"))
    rows = words.credit_rows(ledger.entries) if ledger else None
    return [section(say("Ledger"), titles, rows, say("No credits."))]


async def kits(of: Subject) -> list[Section]:
    orders, offers = await asyncio.gather(
        of.read("fulfillment", "/orders", shapes.Orders), of.read("fulfillment", "/offers", shapes.Offers)
    )
    ordered = (say("What"), say("State"), say("Claimed"), say("Promised by"), say("Carrier"))
    offered = (say("What"), say("State"), say("Offered"), say("Until"))
    linked = of.may("benefits:manage")
    return [
        section(
            say("Orders"),
            ordered,
            words.order_rows(orders.items, linked=linked) if orders else None,
            say("Nothing was ordered."),
        ),
        section(say("Offers"), offered, words.offer_rows(offers.items) if offers else None, say("Nothing is offered.")),
    ]


async def shares(of: Subject) -> list[Section]:
    transcripts, badges = await asyncio.gather(
        of.read("certs", "/transcripts", shapes.Transcripts), of.read("certs", "/badges", shapes.Badges)
    )
    links = (say("Name of the link"), say("State"), say("Shows"), say("Made"), say("Open until"), say("Views"))
    issued = (say("Badge"), say("State"), say("Why not"))
    return [
        section(
            say("Links to transcripts"),
            links,
            words.transcript_rows(transcripts.items) if transcripts else None,
            say("Nothing is shared."),
        ),
        section(
            say("Badges"),
            issued,
            words.badge_rows(badges.badges) if badges else None,
            say("There are no badges."),
        ),
    ]


async def mails(of: Subject) -> list[Section]:
    sent = await of.read("notify", "/messages", shapes.Mails, limit=_LIMIT)
    titles = (say("Number"), say("Subject"), say("State"), say("Written"), say("Why not"))
    rows = words.mail_rows(sent.items, of.base) if sent else None
    return [section(say("The latest mails"), titles, rows, say("We haven't written to them yet."))]


async def cases(of: Subject) -> list[Section]:
    return [_cases(of)]


async def ids(of: Subject) -> list[Section]:
    names, written = await asyncio.gather(names_at(of.visit), of.read("identity", "/names", shapes.NameList))
    may = of.may("accounts:manage")
    partners = (say("System"), say("ID"), say("How verified"), say("Since"))
    merged = (say("Which"), say("State"), say("Asked for"), say("Reason"), say("Undo"))
    borne = (say("Name"), say("From"), say("Until"), say("Decided by"))
    sections = [
        section(
            say("IDs at partners"),
            partners,
            words.external_rows(of.overview.external_ids),
            say("No partner's ID is linked."),
        ),
        section(
            say("Names"), borne, words.name_rows(written.items, names) if written else None, say("No name is known.")
        ),
        section(
            say("Merges"),
            merged,
            words.merge_rows(of.overview.merges, names, may_undo=may),
            say("This account was never merged."),
        ),
    ]
    if may:
        alike = await of.read("identity", "/similar", shapes.Similars)
        titles = (say("Account"), say("Likeness"), say("What fits"), say("Merge"))
        rows = words.similar_rows(alike.items, of.overview.candidate_id) if alike else None
        sections.append(section(say("Accounts that may be of the same person"), titles, rows, say("There is none.")))
    return sections


async def history(of: Subject) -> list[Section]:
    lines = await of.read("certs", "/history", shapes.Lines)
    titles = (say("Took effect"), say("What"), say("Known since"), say("No longer counts since"), say("Why"))
    rows = words.history_rows(lines.lines) if lines else None
    return [section(say("Everything that happened to certifications"), titles, rows, say("Nothing yet."))]


LOADERS: Final[Mapping[str, Tab]] = {
    "overview": overview,
    "certifications": certifications,
    "exams": exams,
    "credits": credits,
    "kits": kits,
    "shares": shares,
    "mails": mails,
    "cases": cases,
    "ids": ids,
    "history": history,
}


def _certifications(held: shapes.Held | None) -> Section:
    titles = (say("Certification"), say("State"), say("Earned on"), say("Expires"), say("Why"))
    rows = words.certification_rows(held.certifications) if held else None
    return section(say("Certifications"), titles, rows, say("Nothing is earned yet."))


def _expected(expected: shapes.Waiting | None) -> Section:
    titles = (say("Exam"), say("Sat on"), say("State"), say("Due"), say("Case opened"))
    rows = words.expected_rows(expected.items) if expected else None
    return section(say("Results that are waited for"), titles, rows, say("No result is waited for."))


def _cases(of: Subject) -> Section:
    titles = (say("Case"), say("Kind"), say("State"), say("Opened"))
    rows = words.case_rows(of.overview.cases, linked=of.may("accounts:manage"))
    return section(say("Cases"), titles, rows, say("There is no case."))
