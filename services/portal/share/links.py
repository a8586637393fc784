"""The handlers of links: all of them, a new one in four steps, and one with its ways, its views and its end."""

import asyncio
from datetime import date
from typing import Any, Final
from urllib.parse import quote

from aiohttp import web

from services.portal.backend.client import Nothing, Refused
from services.portal.backend.shapes import Certifications
from services.portal.languages import say
from services.portal.share import making, words
from services.portal.share.shapes import Badges, Items, ProviderBadges, Sharing, Transcript, TranscriptPage, ViewsPage
from services.portal.web.answers import passed_on, redirect
from services.portal.web.cookies import Cookies
from services.portal.web.forms import Faults, Typed, Unfit, change_key, typed
from services.portal.web.look import shown
from services.portal.web.visit import VISIT, Visit, part

_LINKS: Final = "100"
"""As many as can be open at once, so that the first page has all of them."""
_DAYS: Final = "25"


class LinkPages:
    """The handlers of `/share` and `/share/transcripts`."""

    def __init__(self, cookies: Cookies) -> None:
        self._cookies = cookies

    def routes(self) -> list[web.RouteDef]:
        one = "/share/transcripts/{transcript_id}"
        return [
            web.get("/share", self.list_all),
            web.get("/share/transcripts/new", self.begin),
            web.post("/share/transcripts/new", self.go_on),
            web.get(one, self.show_one),
            web.get(f"{one}/qr.svg", self.draw),
            web.get(f"{one}/edit", self.edit),
            web.post(f"{one}/edit", self.change),
            web.get(f"{one}/withdraw", self.ask_to_withdraw),
            web.post(f"{one}/withdraw", self.withdraw),
        ]

    async def list_all(self, request: web.Request) -> web.Response:
        visit, after = request[VISIT], request.query.get("after")
        query = {"limit": _LINKS} | ({"cursor": after} if after else {})
        _, links, held, badges, there, sharing = await asyncio.gather(
            visit.introduce(),
            part(visit.mine("certs", "/transcripts", TranscriptPage, **query)),
            visit.mine("certs", "/certifications", Certifications),
            part(visit.mine("certs", "/badges", Badges)),
            part(visit.mine("certs", "/provider-badges", ProviderBadges)),
            part(visit.mine("certs", "/sharing", Sharing)),
        )
        answer = words.heading_of(links.items, sharing) if links else words.Heading(say("Share"), "")
        opened, over = words.split(links.items) if links else ([], [])
        values: dict[str, Any] = {
            "answer": answer,
            "links": links,
            "open": opened,
            "over": over,
            "first": after is None,
            "held": held.certifications,
            "badges": badges,
            "there": there,
            "sharing": sharing,
            "words": words,
        }
        return shown(visit, "share/list.html", answer.text, **values)

    async def begin(self, request: web.Request) -> web.Response:
        visit = request[VISIT]
        choices, today = await _known(visit)
        answers = making.begun(request.query.getall("certification", []), today)
        return _step(visit, 1, answers, {}, choices)

    async def go_on(self, request: web.Request) -> web.Response:
        visit, answers = request[VISIT], await typed(request)
        choices, today = await _known(visit)
        going = str(answers.get("go", ""))
        if going == "publish":
            return await self._publish(request, answers, choices, today)
        step, faults = making.step_shown(answers, int(going) if going in _GOING else 1, choices, today)
        return _step(visit, step, answers, faults, choices)

    async def _publish(self, request: web.Request, answers: Typed, choices: Items, today: date) -> web.Response:
        visit = request[VISIT]
        try:
            made = making.made_of(answers, choices, today)
        except Unfit:
            step, faults = making.step_shown(answers, making.CHECK, choices, today)
            return _step(visit, step, answers, faults, choices)
        try:
            link = await visit.change(
                "POST", "certs", "/transcripts", Transcript, key=await change_key(request), body=made.body()
            )
        except Refused as refusal:
            if refusal.problem.status == 404:  # noqa: PLR2004 not found
                raise
            return _step(visit, making.CHECK, answers, {"publish": _said(refusal)}, choices)
        answer = redirect(f"/share/transcripts/{link.transcript_id}")
        self._cookies.tell(answer, say("Your link is ready."))
        return answer

    async def show_one(self, request: web.Request) -> web.Response:
        visit, after = request[VISIT], request.query.get("after")
        query = {"limit": _DAYS} | ({"cursor": after} if after else {})
        path = f"/transcripts/{_id(request)}"
        _, link, views = await asyncio.gather(
            visit.introduce(),
            visit.mine("certs", path, Transcript),
            part(visit.mine("certs", f"{path}/views", ViewsPage, **query)),
        )
        values: dict[str, Any] = {"link": link, "views": views, "first": after is None, "words": words}
        return shown(visit, "share/link.html", link.label, **values)

    async def draw(self, request: web.Request) -> web.Response:
        return passed_on(await request[VISIT].fetch_mine("certs", f"/transcripts/{_id(request)}/qr.svg"))

    async def edit(self, request: web.Request) -> web.Response:
        visit = request[VISIT]
        link, choices, _ = await self._editable(visit, _id(request))
        if link.state == "withdrawn":
            return redirect(f"/share/transcripts/{link.transcript_id}")
        return _form(visit, link, making.taken(link), {}, choices)

    async def change(self, request: web.Request) -> web.Response:
        visit, answers = request[VISIT], await typed(request)
        link, choices, today = await self._editable(visit, _id(request))
        if link.kind == "frozen":  # what it shows stays
            answers = answers | making.items_of(link)
        try:
            body = making.body_of(making.chosen_of(answers, choices, link), making.terms_of(answers, today))
        except Unfit as error:
            return _form(visit, link, answers, error.faults, choices)
        try:
            await visit.change(
                "PUT",
                "certs",
                f"/transcripts/{link.transcript_id}",
                Transcript,
                key=await change_key(request),
                body=body,
            )
        except Refused as refusal:
            if refusal.problem.status == 404:  # noqa: PLR2004 not found
                raise
            return _form(visit, link, answers, {"publish": _said(refusal)}, choices)
        answer = redirect(f"/share/transcripts/{link.transcript_id}")
        self._cookies.tell(answer, say("The link is changed. Whoever opens it sees that at once."))
        return answer

    async def ask_to_withdraw(self, request: web.Request) -> web.Response:
        visit = request[VISIT]
        _, link = await asyncio.gather(
            visit.introduce(), visit.mine("certs", f"/transcripts/{_id(request)}", Transcript)
        )
        if link.state == "withdrawn":
            return redirect(f"/share/transcripts/{link.transcript_id}")
        return shown(visit, "share/withdraw.html", say("Withdraw {label}", label=link.label), link=link)

    async def withdraw(self, request: web.Request) -> web.Response:
        transcript_id = _id(request)
        await request[VISIT].change(
            "DELETE", "certs", f"/transcripts/{transcript_id}", Nothing, key=await change_key(request)
        )
        answer = redirect(f"/share/transcripts/{transcript_id}")
        self._cookies.tell(answer, say("The link is withdrawn."))
        return answer

    async def _editable(self, visit: Visit, transcript_id: str) -> tuple[Transcript, Items, date]:
        (choices, today), link = await asyncio.gather(
            _known(visit), visit.mine("certs", f"/transcripts/{transcript_id}", Transcript)
        )
        # What was chosen once may stay, whatever has become of it.
        shown_now = {one.certification for one in choices.certifications}
        passed_now = {one.exam for one in choices.exams}
        choices.certifications += [one for one in link.certifications if one.certification not in shown_now]
        choices.exams += [one for one in link.exams if one.exam not in passed_now]
        return link, choices, today


_GOING: Final = frozenset(str(step) for step in range(1, making.CHECK + 1))


async def _known(visit: Visit) -> tuple[Items, date]:
    """What may be shared, and which day it is in the program."""
    _, choices, held = await asyncio.gather(
        visit.introduce(),
        visit.mine("certs", "/transcript-choices", Items),
        visit.mine("certs", "/certifications", Certifications),
    )
    return choices, held.as_of


def _step(visit: Visit, step: int, answers: Typed, faults: Faults, choices: Items) -> web.Response:
    values: dict[str, Any] = {
        "step": step,
        "steps": [say(one) for one in making.STEPS],
        "faults": faults,
        "carried": list(making.carried(answers, step)),
        "through": date.fromisoformat(answers["through"]) if step == making.CHECK else None,
        "words": words,
    }
    heading = say("New link") if step < making.CHECK else say("Check and publish")
    return shown(
        visit,
        "share/new.html",
        heading,
        problem=bool(faults),
        **values,
        **_answered(answers, choices),
    )


_UNANSWERED: Final = {"kind": None, "credits": "", "label": "", "remarks": ""}


def _answered(answers: Typed, choices: Items) -> dict[str, Any]:
    """What was answered, as templates have it."""
    names, codes = _several(answers.get("certifications")), _several(answers.get("exams"))
    return {
        "answers": _UNANSWERED | answers,
        "choices": choices,
        "names": names,
        "codes": codes,
        "chosen": Items(
            certifications=[one for one in choices.certifications if one.certification in names],
            exams=[one for one in choices.exams if one.exam in codes],
            credits=choices.credits if answers.get("credits") == "yes" else None,
        ),
    }


def _form(visit: Visit, link: Transcript, answers: Typed, faults: Faults, choices: Items) -> web.Response:
    return shown(
        visit,
        "share/edit.html",
        say("Change {label}", label=link.label),
        problem=bool(faults),
        link=link,
        faults=faults,
        words=words,
        **_answered(answers, choices),
    )


def _several(value: object) -> list[str]:
    return [value] if isinstance(value, str) else list(value) if isinstance(value, list) else []


def _said(refusal: Refused) -> str:
    """What certs says against a link, in its words."""
    faults = refusal.problem.errors
    return faults[0].message if faults else refusal.problem.detail or refusal.problem.title


def _id(request: web.Request) -> str:
    return quote(request.match_info["transcript_id"], safe="")
