"""The handlers of challenges: say that a result is wrong, and follow what becomes of it."""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal
from urllib.parse import quote

from aiohttp import web
from pydantic import Field

from libs.common.casework.progress import UNDECIDED
from services.portal.backend.client import Content, Refused
from services.portal.backend.shapes import Document
from services.portal.exams.pages import attempt
from services.portal.exams.shapes import Challenge, Terms
from services.portal.exams.words import CHALLENGES, GROUNDS
from services.portal.languages import mark, say
from services.portal.web.answers import passed_on, redirect
from services.portal.web.cookies import Cookies
from services.portal.web.forms import Answers, Faults, Unfit, change_key, in_words, read, typed
from services.portal.web.look import shown
from services.portal.web.uploads import File, uploaded
from services.portal.web.visit import VISIT, Visit

_SENTENCES: Final = {
    "ground": mark("Choose what is wrong"),
    "text": mark("Say what happened, in your words"),
    "text.string_too_long": mark("Say it in at most 4000 signs"),
}
_ONE: Final = "/exams/challenges/{challenge_id}"


class Challenging(Answers):
    ground: Literal["score", "conditions", "integrity", "not_mine", "other"]
    text: Annotated[str, Field(min_length=1, max_length=4000)]


class Reply(Answers):
    text: Annotated[str, Field(min_length=1, max_length=4000)]


class ChallengePages:
    """The handlers of challenges."""

    def __init__(self, cookies: Cookies) -> None:
        self._cookies = cookies

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(_ONE, self.show),
            web.post(f"{_ONE}/messages", self.reply),
            web.post(f"{_ONE}/evidence", self.add_evidence),
            web.get(f"{_ONE}/evidence/{{evidence_id}}", self.download_evidence),
            web.get(f"{_ONE}/withdrawal", self.confirm_withdrawal),
            web.post(f"{_ONE}/withdrawal", self.withdraw),
            web.get("/exams/{attempt_id}/challenge", self.ask),
            web.post("/exams/{attempt_id}/challenge", self.open),
        ]

    async def ask(self, request: web.Request) -> web.Response:
        return await self._form(request, {}, {})

    async def open(self, request: web.Request) -> web.Response:
        visit, what = request[VISIT], await typed(request)
        one = await attempt(visit, request.match_info["attempt_id"])
        try:
            said = read(Challenging, what, in_words(_SENTENCES))
            file = await uploaded(request, "file")
            made = await self._opened(visit, one.result or "", said, await change_key(request))
        except Unfit as unfit:
            return await self._form(request, what, unfit.faults)
        sentence = say("Your challenge is with us. We write to you when it is decided, or if we have a question.")
        if file is not None and not await self._given(visit, made.challenge_id, file, await change_key(request)):
            sentence = say("Your challenge is with us, but the file was not taken. Add it again below.")
        answer = redirect(f"/exams/challenges/{quote(made.challenge_id, safe='')}")
        self._cookies.tell(answer, sentence)
        return answer

    async def show(self, request: web.Request) -> web.Response:
        return await self._shown(request, {}, {})

    async def reply(self, request: web.Request) -> web.Response:
        visit, what = request[VISIT], await typed(request)
        try:
            said = read(Reply, what, in_words(_SENTENCES))
        except Unfit as unfit:
            return await self._shown(request, what, unfit.faults)
        body = {"text": said.text}
        await visit.change(
            "POST", "exams", f"{_path(request)}/messages", Challenge, key=await change_key(request), body=body
        )
        return self._back(request, say("Your answer is with us."))

    async def add_evidence(self, request: web.Request) -> web.Response:
        visit = request[VISIT]
        try:
            file = await uploaded(request, "file")
        except Unfit as unfit:
            return await self._shown(request, {}, unfit.faults)
        if file is None:
            return await self._shown(request, {}, {"file": say("Choose a file")})
        name = request.match_info["challenge_id"]
        if not await self._given(visit, name, file, await change_key(request)):
            return await self._shown(request, {}, {"file": say("This file can't be added now.")})
        return self._back(request, say("The file was added."))

    async def download_evidence(self, request: web.Request) -> web.Response:
        name = quote(request.match_info["evidence_id"], safe="")
        return passed_on(await request[VISIT].fetch_mine("exams", f"{_path(request)}/evidence/{name}"))

    async def confirm_withdrawal(self, request: web.Request) -> web.Response:
        visit = request[VISIT]
        _, one = await asyncio.gather(visit.introduce(), visit.mine("exams", _path(request), Challenge))
        return shown(visit, "exams/withdraw.html", say("Withdraw the challenge?"), one=one)

    async def withdraw(self, request: web.Request) -> web.Response:
        visit = request[VISIT]
        await visit.change("POST", "exams", f"{_path(request)}/withdrawal", Challenge, key=await change_key(request))
        return self._back(request, say("You withdrew the challenge. The result stays as it is."))

    async def _opened(self, visit: Visit, result_id: str, said: Challenging, key: str) -> Challenge:
        body = {"result_id": result_id, "ground": said.ground, "text": said.text}
        try:
            return await visit.change("POST", "exams", "/challenges", Challenge, key=key, body=body)
        except Refused as refusal:
            if refusal.problem.status != 409:  # noqa: PLR2004 it cannot be challenged any more
                raise
            raise Unfit({"ground": refusal.problem.detail or refusal.problem.title}) from None

    async def _given(self, visit: Visit, challenge_id: str, file: File, key: str) -> bool:
        """Add a file. Returns False where the service does not take it: the challenge stands all the same."""
        path = f"/challenges/{quote(challenge_id, safe='')}/evidence"
        try:
            await visit.give("exams", path, Document, Content(file.media_type, file.content), key=key)
        except Refused:
            return False
        return True

    def _back(self, request: web.Request, sentence: str) -> web.Response:
        answer = redirect(f"/exams{_path(request)}")
        self._cookies.tell(answer, sentence)
        return answer

    async def _form(self, request: web.Request, what: Mapping[str, Any], faults: Faults) -> web.Response:
        visit = request[VISIT]
        _, one = await asyncio.gather(visit.introduce(), attempt(visit, request.match_info["attempt_id"]))
        if one.result is None:
            raise web.HTTPNotFound
        terms = await visit.mine("exams", f"/results/{quote(one.result, safe='')}/challenge", Terms)
        if not terms.may_challenge:
            return redirect(f"/exams/{quote(one.id, safe='')}#challenge")
        values: dict[str, Any] = {
            "one": one,
            "terms": terms,
            "what": what,
            "faults": faults,
            "grounds": [(value, say(words), say(about) if about else None) for value, words, about in GROUNDS],
        }
        heading = say("Challenge your {exam} result", exam=one.exam_code or one.title or "")
        return shown(visit, "exams/challenge.html", heading, problem=bool(faults), **values)

    async def _shown(self, request: web.Request, what: Mapping[str, Any], faults: Faults) -> web.Response:
        visit = request[VISIT]
        _, one = await asyncio.gather(visit.introduce(), visit.mine("exams", _path(request), Challenge))
        values: dict[str, Any] = {
            "one": one,
            "state": CHALLENGES[one.state],
            "open": one.state in UNDECIDED,
            "what": what,
            "faults": faults,
        }
        heading = say("Challenge of your {exam} result", exam=one.exam_code)
        return shown(visit, "exams/thread.html", heading, problem=bool(faults), **values)


def _path(request: web.Request) -> str:
    return f"/challenges/{quote(request.match_info['challenge_id'], safe='')}"
