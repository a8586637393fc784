"""The handler of the first page. What it needs is asked side by side; what does not answer costs its part."""

import asyncio
from typing import Any, Final

from aiohttp import web

from libs.common.clock import Clock
from services.portal.backend.client import Down
from services.portal.backend.shapes import AttemptPage, Certifications, ExpectedList, History, Renewals
from services.portal.cases.shapes import CaseList
from services.portal.certifications.board import board_of
from services.portal.home.activity import MOST, activity_of
from services.portal.home.answer import heading_of, nothing_to_do
from services.portal.home.shapes import (
    Announcements,
    Appointments,
    Chosen,
    Claims,
    Goals,
    OfferRows,
    ParcelRows,
    SharedRows,
)
from services.portal.home.tasks import Facts, tasks_of
from services.portal.languages import say
from services.portal.mails.words import Address, trouble_of
from services.portal.web.look import shown
from services.portal.web.visit import VISIT, Visit, part

_FIRST: Final = ("urgent",)
"""Announcements that stand before everything else."""
_LATEST: Final = str(MOST)
_SOME: Final = "20"
"""Rows of which only some ask for something."""


class Home:
    """The handler of `/`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/", self.show)]

    async def show(self, request: web.Request) -> web.Response:
        visit = request[VISIT]
        program = visit.theirs
        # Two groups, for types have their limits; all of it is under way at once.
        statuses, happenings = await asyncio.gather(
            asyncio.gather(
                part(visit.mine("certs", "/certifications", Certifications)),
                part(visit.mine("exams", "/expected-results", ExpectedList)),
                part(visit.mine("certs", "/renewals", Renewals)),
                part(visit.mine("identity", "/cases", CaseList, limit=_SOME)),
                part(visit.mine("exams", "/appointments", Appointments, limit="1", coming="true")),
                part(visit.mine("certs", "/progress", Goals)),
            ),
            asyncio.gather(
                part(visit.mine("certs", "/history", History)),
                part(visit.mine("exams", "/history", AttemptPage, limit=_LATEST)),
                part(visit.mine("certs", "/submissions", Claims, limit=_LATEST)),
                part(visit.mine("certs", "/transcripts", SharedRows, limit=_LATEST)),
                part(visit.mine("fulfillment", "/orders", ParcelRows, limit=_SOME)),
                self._rest(visit),
            ),
        )
        held, expected, renewals, cases, appointments, goals = statuses
        history, attempts, claims, shared, parcels, (offers, announced, address, chosen) = happenings
        if held is None and expected is None:
            raise Down("certs")
        certifications = held.certifications if held else []
        lines = history.lines if history else []
        today = held.as_of if held else program.day_of(self._clock.now())
        titles = {name: one.title for name, one in program.certifications.items()}
        facts = Facts(
            held=certifications,
            expected=expected.items if expected else (),
            cases=cases.items if cases else (),
            renewals=renewals.renewals if renewals else (),
            offers=offers.items if offers else (),
            parcels=parcels.items if parcels else (),
            appointments=appointments.items if appointments else (),
            goals=goals.goals if goals else (),
            chosen=chosen.certifications if chosen else (),
            titles=titles,
        )
        tasks = tasks_of(facts, today)
        activity = activity_of(
            lines,
            attempts.items if attempts else (),
            claims.items if claims else (),
            parcels.items if parcels else (),
            shared.items if shared else (),
            titles=titles,
            today=today,
        )
        heading = heading_of(certifications, today) if held else None
        away = [(say("Certifications"), held), (say("Exams"), expected), (say("Kits"), offers), (say("Cases"), cases)]
        news = announced.items if announced else []
        values: dict[str, Any] = {
            "tasks": tasks,
            "primary": next((task for task in tasks if task.by), None),
            "missing": [name for name, answer in away if answer is None],
            "idle": nothing_to_do(certifications, program.reminders, today),
            "activity": activity if history is not None or activity else None,
            "first_news": [one for one in news if one.severity in _FIRST],
            "news": [one for one in news if one.severity not in _FIRST],
            "board": board_of(certifications, lines, today) if held else None,
            "as_table": request.query.get("view") == "table",
            "trouble": trouble_of(address),
            "lead": heading.lead if heading else None,
        }
        return shown(visit, "home/home.html", heading.text if heading else say("Welcome"), **values)

    async def _rest(self, visit: Visit) -> tuple[OfferRows | None, Announcements | None, Address | None, Chosen | None]:
        offers, announced, address, chosen, _ = await asyncio.gather(
            part(visit.mine("fulfillment", "/offers", OfferRows, limit=_SOME)),
            part(visit.mine("notify", "/announcements", Announcements)),
            part(visit.mine("notify", "/suppression", Address)),
            part(visit.mine("certs", "/goals", Chosen)),
            visit.introduce(),
        )
        return offers, announced, address, chosen
