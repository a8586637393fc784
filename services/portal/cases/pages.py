"""The handlers of cases."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from aiohttp import web

from libs.common.clock import Clock
from services.portal.backend.client import Content, Down, Nothing, Refused
from services.portal.backend.shapes import Certifications, Document
from services.portal.cases.kinds import FIELDS, QUESTIONS, request_of, sentences
from services.portal.cases.shapes import Case, CaseList, ChallengeList, Named, OrderList
from services.portal.cases.words import KINDS, NEEDS, facts_of, lead_of, rows_of, standing_of, takes, title_of
from services.portal.languages import say
from services.portal.web.answers import passed_on, redirect
from services.portal.web.cookies import Cookies
from services.portal.web.forms import Answers, Faults, Typed, Unfit, change_key, read, typed, unfit
from services.portal.web.look import shown
from services.portal.web.uploads import File, uploaded
from services.portal.web.visit import VISIT, Visit, part

_ROWS: Final = "25"


class _Reply(Answers):
    text: str


class CasePages:
    """The handlers of `/cases`."""

    def __init__(self, cookies: Cookies, clock: Clock) -> None:
        self._cookies = cookies
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/cases", self.list_all),
            web.get("/cases/new", self.ask),
            web.post("/cases/new", self.open),
            web.get("/cases/{case_id}", self.show_one),
            web.post("/cases/{case_id}/messages", self.answer),
            web.post("/cases/{case_id}/evidence", self.add_file),
            web.get("/cases/{case_id}/evidence/{evidence_id}", self.show_file),
            web.get("/cases/{case_id}/withdraw", self.ask_to_withdraw),
            web.post("/cases/{case_id}/withdraw", self.withdraw),
        ]

    async def list_all(self, request: web.Request) -> web.Response:
        visit, after = request[VISIT], request.query.get("after")
        today = visit.theirs.day_of(self._clock.now())
        query = {"limit": _ROWS} | ({"cursor": after} if after else {})
        _, page, challenges = await asyncio.gather(
            visit.introduce(),
            visit.mine("identity", "/cases", CaseList, **query),
            part(visit.mine("exams", "/challenges", ChallengeList)),
        )
        values: dict[str, Any] = {
            "rows": rows_of(page.items, challenges.items if challenges and not after else [], today),
            "older": page.next,
            "first": after is None,
        }
        return shown(visit, "cases/list.html", say("Help and cases"), **values)

    async def ask(self, request: web.Request) -> web.Response:
        """The kind first; then what it needs, with what is known already."""
        visit, kind = request[VISIT], request.query.get("kind", "")
        if kind not in QUESTIONS:
            await visit.introduce()
            rules = visit.theirs.cases
            kinds = [(one, say(KINDS[one]), say(NEEDS[one]), takes(_days(rules, one))) for one in QUESTIONS]
            return shown(visit, "cases/kinds.html", say("What is it about?"), kinds=kinds)
        known = {name: value for name, value in request.query.items() if name != "kind"}
        return await self._form(visit, kind, known, {})

    async def open(self, request: web.Request) -> web.Response:
        visit, kind, given = request[VISIT], request.query.get("kind", ""), await typed(request)
        if kind not in QUESTIONS:
            raise web.HTTPNotFound
        key = await change_key(request)
        try:
            question = read(QUESTIONS[kind], given, sentences())
            missing = say("Choose a picture of a document that shows the new name")
            file = await _document(request, missing) if kind == "name" else None
            case = await self._opened(visit, request_of(kind, question), key)
        except Unfit as wrong:
            return await self._form(visit, kind, given, wrong.faults)
        told = say("Your case is open. Its number is {number}.", number=case.reference)
        if file is not None:
            try:
                await _give(visit, case.case_id, file, f"{key}-file")
            except (Unfit, Down):
                told = say(
                    "Your case {number} is open, but the document didn't arrive. Add it below.", number=case.reference
                )
        return self._back(case.case_id, told)

    async def show_one(self, request: web.Request) -> web.Response:
        return await self._page(request[VISIT], request.match_info["case_id"], {}, {})

    async def answer(self, request: web.Request) -> web.Response:
        visit, case_id, given = request[VISIT], request.match_info["case_id"], await typed(request)
        try:
            reply = read(_Reply, given, sentences())
            path = f"/cases/{quote(case_id, safe='')}/messages"
            await visit.change("POST", "identity", path, Nothing, key=await change_key(request), body=dict(reply))
        except Unfit as wrong:
            return await self._page(visit, case_id, given, wrong.faults)
        except Refused as refusal:
            if refusal.code == "conflict":
                return self._back(case_id, say("This case is closed by now. Open another one if you need us."))
            wrongs = unfit(refusal.problem, FIELDS, sentences())
            if wrongs is None:
                raise
            return await self._page(visit, case_id, given, wrongs.faults)
        return self._back(case_id, say("Your message is with us."))

    async def add_file(self, request: web.Request) -> web.Response:
        visit, case_id = request[VISIT], request.match_info["case_id"]
        try:
            file = await _document(request, say("Choose a file"))
            await _give(visit, case_id, file, await change_key(request))
        except Unfit as wrong:
            return await self._page(visit, case_id, {}, wrong.faults)
        return self._back(case_id, say("Your document is with us."))

    async def show_file(self, request: web.Request) -> web.Response:
        case_id, evidence_id = (quote(request.match_info[name], safe="") for name in ("case_id", "evidence_id"))
        return passed_on(await request[VISIT].fetch_mine("identity", f"/cases/{case_id}/evidence/{evidence_id}"))

    async def ask_to_withdraw(self, request: web.Request) -> web.Response:
        visit = request[VISIT]
        _, case = await asyncio.gather(visit.introduce(), _case(visit, request.match_info["case_id"]))
        if not standing_of(case, visit.theirs.day_of(self._clock.now())).open:
            return redirect(f"/cases/{case.case_id}")
        return shown(visit, "cases/withdraw.html", say("Withdraw this case"), case=case, title=title_of(case))

    async def withdraw(self, request: web.Request) -> web.Response:
        visit, case_id = request[VISIT], request.match_info["case_id"]
        path = f"/cases/{quote(case_id, safe='')}/withdrawal"
        try:
            await visit.change("POST", "identity", path, Nothing, key=await change_key(request))
        except Refused as refusal:
            if refusal.code != "conflict":
                raise
            return self._back(case_id, say("This case is closed by now. Nothing has changed."))
        return self._back(case_id, say("Your case is withdrawn. Its documents are deleted."))

    async def _opened(self, visit: Visit, body: Mapping[str, Any], key: str) -> Case:
        """Raises `Unfit` where identity takes it not as it is."""
        try:
            return await visit.change("POST", "identity", "/cases", Case, key=key, body=body)
        except Refused as refusal:
            if refusal.code == "conflict":
                wrong = say("Another case is in the way: withdraw it, or wait until it is decided")
                raise Unfit({"text": refusal.problem.detail or wrong}) from refusal
            wrongs = unfit(refusal.problem, FIELDS, sentences())
            if wrongs is None:
                raise
            raise wrongs from refusal

    async def _form(self, visit: Visit, kind: str, given: Typed, faults: Faults) -> web.Response:
        _, named, orders, held = await asyncio.gather(
            visit.introduce(),
            part(visit.mine("identity", "/profile", Named)),
            part(visit.mine("fulfillment", "/orders", OrderList)) if kind == "kit" else _nothing(),
            part(visit.mine("certs", "/certifications", Certifications)) if kind == "kit" else _nothing(),
        )
        about = [(f"order:{one.order_id}", one.title) for one in orders.items] if orders else []
        about += [(f"certification:{one.certification}", one.title) for one in held.certifications] if held else []
        values: dict[str, Any] = {
            "kind": kind,
            "needs": say(NEEDS[kind]),
            "takes": takes(_days(visit.theirs.cases, kind)),
            "named": named,
            "about": about,
            "typed": given,
            "faults": faults,
        }
        return shown(visit, "cases/new.html", say(KINDS[kind]), problem=bool(faults), **values)

    async def _page(self, visit: Visit, case_id: str, given: Typed, faults: Faults) -> web.Response:
        today = visit.theirs.day_of(self._clock.now())
        _, case = await asyncio.gather(visit.introduce(), _case(visit, case_id))
        values: dict[str, Any] = {
            "case": case,
            "standing": standing_of(case, today),
            "lead": lead_of(case),
            "facts": list(facts_of(case)),
            "typed": given,
            "faults": faults,
        }
        return shown(visit, "cases/one.html", title_of(case), problem=bool(faults), **values)

    def _back(self, case_id: str, sentence: str) -> web.Response:
        answer = redirect(f"/cases/{quote(case_id, safe='')}")
        self._cookies.tell(answer, sentence)
        return answer


async def _document(request: web.Request, missing: str) -> File:
    """The file of the form. Raises `Unfit`."""
    file = await uploaded(request, "document")
    if file is None:
        raise Unfit({"document": missing})
    return file


async def _nothing() -> None:
    return None


async def _case(visit: Visit, case_id: str) -> Case:
    return await visit.mine("identity", f"/cases/{quote(case_id, safe='')}", Case)


async def _give(visit: Visit, case_id: str, file: File, key: str) -> None:
    """Add a document. Raises `Unfit` where the case takes none any more, or not this one."""
    path = f"/cases/{quote(case_id, safe='')}/evidence"
    try:
        await visit.give("identity", path, Document, Content(file.media_type, file.content), key=key)
    except Refused as refusal:
        if refusal.code == "conflict":
            raise Unfit({"document": say("This case takes no more documents")}) from refusal
        if refusal.code == "invalid-request":
            raise Unfit({"document": say("This file can't be read. Choose another one")}) from refusal
        raise


def _days(rules: Mapping[Any, Any], kind: str) -> int:
    """Business days within which a kind of case is decided."""
    return int(rules[kind].due_business_days)
