"""The queue of claims of courses and credits, and its decisions."""

import asyncio
from typing import Annotated, Any, Final, Literal
from urllib.parse import quote

from aiohttp import web
from pydantic import Field

from services.portal.backend.client import Fetched, Refused
from services.portal.languages import mark, say
from services.portal.staff.acts import Asked, Reason, confirm, done
from services.portal.staff.claims import words
from services.portal.staff.claims.queues import CLAIMS
from services.portal.staff.claims.shapes import Review, ReviewPage
from services.portal.staff.consequences import Following, sentences_of
from services.portal.staff.kit import Column, next_after, with_query
from services.portal.staff.listing import ROWS, page_of
from services.portal.staff.owners import own, owned_by
from services.portal.staff.people import names_at
from services.portal.staff.shell import on_desk, side_of
from services.portal.web.answers import as_picture, passed_on, redirect
from services.portal.web.cookies import Cookies
from services.portal.web.forms import Answers, Faults, Typed, Unfit, change_key, in_words, read, typed, unfit
from services.portal.web.visit import VISIT, Visit, part

_FIELDS: Final = {f"body.{name}": name for name in ("reason", "candidate_id", "credits", "level", "track")}
_SENTENCES: Final = {
    "decision": mark("Choose whether to accept or to reject"),
    "reason": mark("Write the reason: the candidate reads it"),
    "reason.string_too_long": mark("Write at most 1000 characters"),
    "credits": mark("Enter how many credits it gives, in digits"),
    "candidate_id": mark("Enter the ID of a candidate of this program"),
    "level": mark("Enter a level of the program"),
    "track": mark("Enter a track of the program"),
}


class Decision(Answers):
    decision: Literal["accepted", "rejected"]
    reason: Reason | None = None
    credits: Annotated[int, Field(gt=0)] | None = None
    candidate_id: str | None = None
    level: str | None = None
    track: str | None = None

    def known(self) -> dict[str, Any]:
        """What the reviewer puts in."""
        return self.model_dump(exclude_none=True, exclude={"decision", "reason"})


class ClaimQueue:
    """Handlers of `/staff/course-claims`."""

    def __init__(self, cookies: Cookies) -> None:
        self._cookies = cookies

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(CLAIMS.address, self.listing),
            web.post(f"{CLAIMS.address}/{{submission_id}}/owner", self.own),
            web.post(f"{CLAIMS.address}/{{submission_id}}/decision", self.decide),
            web.get(f"{CLAIMS.address}/{{submission_id}}/evidence/{{evidence_id}}", self.evidence),
            web.get(f"{CLAIMS.address}/{{submission_id}}/evidence/{{evidence_id}}/picture", self.picture),
        ]

    async def listing(self, request: web.Request) -> web.Response:
        return await self._page(request, request.query.get("item"))

    async def own(self, request: web.Request) -> web.Response:
        """Take a claim, or give it back."""
        await own(request, "certs", _path(request))
        return redirect(with_query(CLAIMS.address, {}, item=request.match_info["submission_id"]))

    async def decide(self, request: web.Request) -> web.Response:
        """Ask once more with what follows, then decide."""
        given, key = await typed(request), request.match_info["submission_id"]
        try:
            decision = _decision(given)
            return await (self._decided if "sure" in given else self._confirm)(request, decision)
        except Refused as refusal:
            if (wrong := unfit(refusal.problem, _FIELDS, in_words(_SENTENCES))) is None:
                raise
            return await self._page(request, key, wrong.faults, given)
        except Unfit as wrong:
            return await self._page(request, key, wrong.faults, given)

    async def evidence(self, request: web.Request) -> web.Response:
        return passed_on(await _evidence(request))

    async def picture(self, request: web.Request) -> web.Response:
        return as_picture(await _evidence(request))

    async def _confirm(self, request: web.Request, decision: Decision) -> web.Response:
        visit, accept = request[VISIT], decision.decision == "accepted"
        side, review = await asyncio.gather(side_of(visit), visit.mine("certs", _path(request), Review))
        if accept:
            following = await _following(visit, review.submission_id, decision.known())
            follows = [
                *sentences_of(following),
                say("It counts from the day of completion. A mail tells the candidate."),
            ]
        else:
            follows = [say("No certification changes. A mail tells the candidate, with your reason.")]
        asked = Asked(
            action=f"{CLAIMS.address}/{quote(review.submission_id, safe='')}/decision",
            button=say("Accept the claim") if accept else say("Reject the claim"),
            follows=follows,
            back=with_query(CLAIMS.address, {}, item=review.submission_id),
            for_good=[say("A decided claim stays decided. The files are deleted 90 days later.")],
            hidden={name: str(value) for name, value in decision.model_dump(exclude_none=True).items()},
            danger=not accept,
        )
        heading = say("Accept {title}?", title=review.title) if accept else say("Reject {title}?", title=review.title)
        return confirm(visit, heading, side, asked)

    async def _decided(self, request: web.Request, decision: Decision) -> web.Response:
        visit, key = request[VISIT], await change_key(request)
        body = decision.model_dump(exclude_none=True)
        review = await visit.change("POST", "certs", f"{_path(request)}/decision", Review, key=key, body=body)
        page = await part(visit.mine("certs", "/reviews", ReviewPage, limit=ROWS))
        following = next_after([each.submission_id for each in page.items], review.submission_id) if page else None
        sentence = (
            say("{title} is accepted", title=review.title)
            if review.state == "accepted"
            else say("{title} is rejected", title=review.title)
        )
        return done(self._cookies, CLAIMS, following, sentence)

    async def _page(
        self, request: web.Request, item: str | None, faults: Faults | None = None, given: Typed | None = None
    ) -> web.Response:
        visit = request[VISIT]
        query = {name: value for name, value in request.query.items() if name in {"state", "owner"} and value}
        asked = page_of(request) | {name: query[name] for name in ("state",) if name in query}
        asked |= owned_by(visit, query.get("owner"))
        side, names, page, opened = await asyncio.gather(
            side_of(visit),
            names_at(visit),
            visit.mine("certs", "/reviews", ReviewPage, **asked),
            _opened(visit, item),
        )
        values: dict[str, Any] = {
            "queue": CLAIMS,
            "columns": _columns(),
            "rows": [words.row_of(each, names) for each in page.items],
            "numbers": words.numbers_of(page.items, bool(page.next)) if not query else (),
            "states": [
                ("", say("Undecided")),
                *((name, say(words.STATES[name].word)) for name in ("accepted", "rejected", "withdrawn")),
            ],
            "older": page.next,
            "first": "after" not in request.query,
            "query": query,
            "base": with_query(CLAIMS.address, query),
            "open": opened["review"].submission_id if opened else None,
            "item": opened,
            "owner": names.of(owner) if (owner := opened and opened["review"].assignee) else None,
            "mine": opened is not None and opened["review"].assignee == visit.at_desk.subject,
            "decider": names.of(opened["review"].decided_by) if opened and opened["review"].decided_by else None,
            "faults": faults or {},
            "given": given or {},
        }
        return on_desk(visit, "staff/claims/list.html", say(CLAIMS.title), side, problem=bool(faults), **values)


def _decision(given: Typed) -> Decision:
    """What the form says. Raises `Unfit`."""
    decision = read(Decision, given, in_words(_SENTENCES))
    if decision.decision == "rejected" and not decision.reason:
        raise Unfit({"reason": say(_SENTENCES["reason"])})
    return decision


async def _opened(visit: Visit, item: str | None) -> dict[str, Any] | None:
    """The claim of the address, with what accepting it as it is would change. Raises `Refused` where there is none."""
    if not item:
        return None
    review = await visit.mine("certs", f"/reviews/{quote(item, safe='')}", Review)
    missing, undecided = words.missing_of(review), review.state in words.OPEN
    following = await part(_following(visit, item, {})) if undecided and not missing else None
    return {
        "review": review,
        "chip": words.chip_of(review),
        "facts": words.facts_of(review),
        "missing": missing,
        "undecided": undecided,
        "follows": sentences_of(following) if following else [],
    }


async def _following(visit: Visit, submission_id: str, known: dict[str, Any]) -> Following:
    path = f"/reviews/{quote(submission_id, safe='')}/preview"
    return await visit.change("POST", "certs", path, Following, key="", body=known)


def _columns() -> list[Column]:
    return [
        Column(say("Due"), sorted="ascending"),
        Column(say("Course or activity")),
        Column(say("Candidate")),
        Column(say("Worth")),
        Column(say("Files")),
        Column(say("State")),
        Column(say("Owner")),
    ]


async def _evidence(request: web.Request) -> Fetched:
    name = quote(request.match_info["evidence_id"], safe="")
    return await request[VISIT].fetch_mine("certs", f"{_path(request)}/evidence/{name}")


def _path(request: web.Request) -> str:
    return f"/reviews/{quote(request.match_info['submission_id'], safe='')}"
