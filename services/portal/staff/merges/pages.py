"""Handlers of suspected duplicates and merges."""

import asyncio
from typing import Any, Final
from urllib.parse import quote, urlencode

from aiohttp import web

from services.portal.backend.client import Nothing, Refused
from services.portal.languages import mark, say
from services.portal.staff.acts import Asked, Reason, confirm, done
from services.portal.staff.candidates.words import alike, likeness
from services.portal.staff.kit import Column, Number
from services.portal.staff.merges import words
from services.portal.staff.merges.shapes import Merge, Outcome, Pairs, Preview
from services.portal.staff.queues import DUPLICATES
from services.portal.staff.shell import on_desk, side_of
from services.portal.web.answers import redirect
from services.portal.web.cookies import Cookies
from services.portal.web.forms import Answers, Faults, Unfit, change_key, in_words, read, typed
from services.portal.web.visit import VISIT, part

_TOO_LONG: Final = {"reason.string_too_long": mark("Write at most 1000 characters")}
_WHY: Final = {"reason": mark("Write why: it is kept with the merge, for staff"), **_TOO_LONG}
_WHY_APART: Final = {"reason": mark("Write why: it is kept with the pair, for staff"), **_TOO_LONG}


class Why(Answers):
    reason: Reason


class Merges:
    """Handlers of `/staff/suspected-duplicates` and `/staff/merges`."""

    def __init__(self, cookies: Cookies) -> None:
        self._cookies = cookies

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(DUPLICATES.address, self.pairs),
            web.get("/staff/merges/preview", self.preview),
            web.post("/staff/merges/preview", self.merge),
            web.get(words.APART, self.ask_apart),
            web.post(words.APART, self.dismiss),
            web.get("/staff/merges/{merge_id}/undo", self.ask_undo),
            web.post("/staff/merges/{merge_id}/undo", self.undo),
        ]

    async def pairs(self, request: web.Request) -> web.Response:
        visit = request[VISIT]
        side, found = await asyncio.gather(side_of(visit), visit.mine("identity", "/suspected-duplicates", Pairs))
        titles = (say("Likeness"), say("Older account"), say("Newer account"), say("What fits"), say("Newer since"))
        values: dict[str, Any] = {
            "queue": DUPLICATES,
            "columns": [Column(title) for title in titles],
            "rows": [words.row_of(pair) for pair in found.items],
            "numbers": [Number(f"{len(found.items)}+" if found.more else len(found.items), say("pairs"))],
            "more": found.more,
        }
        return on_desk(visit, "staff/merges/pairs.html", say(DUPLICATES.title), side, **values)

    async def preview(self, request: web.Request) -> web.Response:
        return await self._preview(request, {}, "")

    async def merge(self, request: web.Request) -> web.Response:
        visit, given = request[VISIT], await typed(request)
        try:
            why = read(Why, given, in_words(_WHY))
            body = {"from": request.query.get("from", ""), "into": request.query.get("into", ""), "reason": why.reason}
            key = await change_key(request)
            merge = await visit.change("POST", "identity", "/merges", Merge, key=key, body=body)
        except Unfit as unfit:
            return await self._preview(request, unfit.faults, str(given.get("reason", "")))
        except Refused as refusal:
            if refusal.code != "merge-refused":
                raise
            faults = {"reason": refusal.problem.detail or refusal.problem.title}
            return await self._preview(request, faults, str(given.get("reason", "")))
        answer = redirect(f"{words.view_of(merge.candidate_id)}?item={quote(merge.merge_id, safe='')}")
        sentence = say("Done: {ended} is merged into {goes_on}", ended=merge.merged_id, goes_on=merge.candidate_id)
        self._cookies.tell(answer, sentence)
        return answer

    async def _preview(self, request: web.Request, faults: Faults, reason: str) -> web.Response:
        visit = request[VISIT]
        ending, going_on = _two(request)
        query = urlencode({"from": ending, "into": going_on})
        side, preview, outcome = await asyncio.gather(
            side_of(visit),
            visit.mine("identity", f"/merges/preview?{query}", Preview),
            part(visit.mine("certs", f"/merge-preview?{query}", Outcome)),
        )
        name = preview.survivor.profile.name
        heading = say("Are both of these {name}?", name=name)
        titles = (say("Certification"), say("Before"), say("After"), say("Why"))
        values: dict[str, Any] = {
            "preview": preview,
            "likeness": likeness(preview.score),
            "alike": alike(preview.reasons),
            "facts_of_both": words.facts_of(preview),
            "follows": words.follows(preview),
            "columns": [Column(title) for title in titles],
            "survivor": words.change_rows(outcome.changes_for_survivor) if outcome else None,
            "merged": words.change_rows(outcome.changes_for_merged) if outcome else None,
            "address": words.preview_address(ending, going_on),
            "turned": words.preview_address(going_on, ending),
            "apart": words.apart_address(ending, going_on),
            "faults": faults,
            "reason": reason,
        }
        return on_desk(visit, "staff/merges/preview.html", heading, side, problem=bool(faults), **values)

    async def ask_apart(self, request: web.Request) -> web.Response:
        return await self._apart_form(request, {}, "")

    async def dismiss(self, request: web.Request) -> web.Response:
        """Keep that two accounts are two people's, so that nobody is asked about them again."""
        visit, given = request[VISIT], await typed(request)
        one, other = _two(request)
        try:
            why = read(Why, given, in_words(_WHY_APART))
            body = {"one": one, "other": other, "reason": why.reason}
            key = await change_key(request)
            await visit.change("POST", "identity", "/suspected-duplicates/dismissals", Nothing, key=key, body=body)
        except Unfit as unfit:
            return await self._apart_form(request, unfit.faults, str(given.get("reason", "")))
        return done(self._cookies, DUPLICATES, None, say("{one} and {other} are two people", one=one, other=other))

    async def _apart_form(self, request: web.Request, faults: Faults, reason: str) -> web.Response:
        visit, (one, other) = request[VISIT], _two(request)
        query = urlencode({"from": one, "into": other})
        # Of accounts that are not there nothing is asked.
        side, _ = await asyncio.gather(side_of(visit), visit.mine("identity", f"/merges/preview?{query}", Preview))
        asked = Asked(
            action=words.apart_address(one, other),
            button=say("Keep them apart"),
            follows=[
                say(
                    "{one} and {other} stay as they are, and are not suggested as one person again.",
                    one=one,
                    other=other,
                ),
                say("They can still be merged later, should it turn out otherwise."),
            ],
            back=words.preview_address(one, other),
            reason=say("Reason"),
            reason_hint=say("It is kept with the pair, for staff."),
        )
        heading = say("Are {one} and {other} two people?", one=one, other=other)
        return confirm(visit, heading, side, asked, faults=faults, reason=reason)

    async def ask_undo(self, request: web.Request) -> web.Response:
        return await self._undo_form(request, {}, "")

    async def undo(self, request: web.Request) -> web.Response:
        visit, given = request[VISIT], await typed(request)
        try:
            why = read(Why, given, in_words(_WHY))
            path, key = f"{_path(request)}/reversal", await change_key(request)
            merge = await visit.change("POST", "identity", path, Merge, key=key, body={"reason": why.reason})
        except Unfit as unfit:
            return await self._undo_form(request, unfit.faults, str(given.get("reason", "")))
        answer = redirect(f"{words.view_of(merge.candidate_id)}?item={quote(merge.merge_id, safe='')}")
        sentence = say("Done: {one} and {other} are two accounts again", one=merge.merged_id, other=merge.candidate_id)
        self._cookies.tell(answer, sentence)
        return answer

    async def _undo_form(self, request: web.Request, faults: Faults, reason: str) -> web.Response:
        visit = request[VISIT]
        side, merge = await asyncio.gather(side_of(visit), visit.mine("identity", _path(request), Merge))
        asked = Asked(
            action=f"/staff/merges/{quote(merge.merge_id, safe='')}/undo",
            button=say("Undo the merge"),
            follows=[
                say("{one} and {other} are two accounts again.", one=merge.merged_id, other=merge.candidate_id),
                say("What was earned under each goes back to it, also what came meanwhile under its partners' IDs."),
            ],
            back=f"{words.view_of(merge.candidate_id)}?item={quote(merge.merge_id, safe='')}",
            reason=say("Reason"),
            reason_hint=say("It is kept with the merge, for staff."),
        )
        heading = say("Undo the merge of {one} into {other}?", one=merge.merged_id, other=merge.candidate_id)
        return confirm(visit, heading, side, asked, faults=faults, reason=reason)


def _two(request: web.Request) -> tuple[str, str]:
    return request.query.get("from", ""), request.query.get("into", "")


def _path(request: web.Request) -> str:
    return f"/merges/{quote(request.match_info['merge_id'], safe='')}"
