"""The words of mails: which count, other versions of them, and how they look with made-up facts."""

import asyncio
from typing import Any, Final
from urllib.parse import quote

from aiohttp import web
from pydantic import Field

from services.portal.backend.client import Refused
from services.portal.languages import mark, say
from services.portal.staff.acts import Asked, Reason, confirm
from services.portal.staff.kit import Column, with_query
from services.portal.staff.people import names_at
from services.portal.staff.queues import TEMPLATES
from services.portal.staff.shell import on_desk, side_of
from services.portal.staff.wording import words
from services.portal.staff.wording.shapes import Summaries, VersionPage, Wording, Written
from services.portal.web.answers import redirect
from services.portal.web.cookies import Cookies
from services.portal.web.forms import Answers, Faults, Typed, Unfit, change_key, in_words, read, typed
from services.portal.web.visit import VISIT, Visit, part

_VERSIONS: Final = "20"
_MOST_FAULTS: Final = 20
_SENTENCES: Final = {
    "source": mark("Write the mail"),
    "source.string_too_long": mark("Write at most 20000 characters"),
    "note": mark("Say what is new about it"),
    "note.string_too_long": mark("Write at most 1000 characters"),
}


class Draft(Answers):
    source: str = Field(min_length=1, max_length=20_000)
    note: Reason


class TemplatePages:
    """Handlers of `/staff/templates`."""

    def __init__(self, cookies: Cookies) -> None:
        self._cookies = cookies

    def routes(self) -> list[web.RouteDef]:
        one = f"{TEMPLATES.address}/{{template}}/{{language}}"
        return [
            web.get(TEMPLATES.address, self.listing),
            web.get(one, self.show),
            web.get(f"{one}/new", self.new),
            web.post(f"{one}/new", self.write),
            web.get(f"{one}/versions/{{version}}", self.version),
            web.post(f"{one}/choice", self.choose),
        ]

    async def listing(self, request: web.Request) -> web.Response:
        """Every mail in one language."""
        visit, language = request[VISIT], request.query.get("language", "")
        if language not in words.LANGUAGES:
            language = next(iter(words.LANGUAGES))
        side, found = await asyncio.gather(side_of(visit), visit.mine("notify", "/mail-templates", Summaries))
        values: dict[str, Any] = {
            "queue": TEMPLATES,
            "columns": [
                Column(say("Mail")),
                Column(say("Whose words")),
                Column(say("Version")),
                Column(say("Versions written")),
            ],
            "rows": [words.row_of(one) for one in found.items if one.language == language],
            "choices": list(words.LANGUAGES.items()),
            "chosen": language,
            "base": with_query(TEMPLATES.address, {"language": language}),
        }
        return on_desk(visit, "staff/wording/list.html", say(TEMPLATES.title), side, **values)

    async def show(self, request: web.Request) -> web.Response:
        """The words that count, how they look, and the versions there are."""
        visit, path, after = request[VISIT], _path(request), request.query.get("after")
        cursor = {"cursor": after} if after else {}
        side, names, one, versions = await asyncio.gather(
            side_of(visit),
            names_at(visit),
            visit.mine("notify", path, Wording),
            part(visit.mine("notify", f"{path}/versions", VersionPage, limit=_VERSIONS, **cursor)),
        )
        sample = _sample(request, one)
        values: dict[str, Any] = {
            **_about(one),
            "counting": words.counting(one.version, built_in=one.built_in),
            "parts": words.parts_of(one.source) if one.source else None,
            "look": await _look(visit, path, sample) if one.source else None,
            "sample": sample,
            "samples": range(one.samples),
            "versions": versions.items if versions else None,
            "older": versions.next if versions else None,
            "first": after is None,
            "names": names,
            "steps": words.steps_of(one.switches, names),
        }
        return on_desk(visit, "staff/wording/one.html", words.title_of(one.template), side, **values)

    async def version(self, request: web.Request) -> web.Response:
        """A version before it counts, or after."""
        visit, path, version = request[VISIT], _path(request), request.match_info["version"]
        side, names, one, written = await asyncio.gather(
            side_of(visit),
            names_at(visit),
            visit.mine("notify", path, Wording),
            visit.mine("notify", f"{path}/versions/{quote(version, safe='')}", Written),
        )
        sample = _sample(request, one)
        values: dict[str, Any] = {
            **_about(one),
            "written": written,
            "by": names.of(written.written_by),
            "counts": one.version == written.version,
            "parts": words.parts_of(written.source),
            "look": await _look(visit, path, sample, version=str(written.version)),
            "sample": sample,
            "samples": range(one.samples),
        }
        heading = say("{mail}, version {version}", mail=words.title_of(one.template), version=written.version)
        return on_desk(visit, "staff/wording/version.html", heading, side, **values)

    async def new(self, request: web.Request) -> web.Response:
        return await self._form(request, None)

    async def write(self, request: web.Request) -> web.Response:
        """Keep a version, which counts only once it is chosen."""
        visit, given = request[VISIT], await typed(request)
        try:
            draft = read(Draft, given, in_words(_SENTENCES))
            key = await change_key(request)
            path, body = f"{_path(request)}/versions", draft.model_dump()
            written = await visit.change("POST", "notify", path, Written, key=key, body=body)
        except Unfit as wrong:
            return await self._form(request, given, wrong.faults)
        except Refused as refusal:
            lines = words.lines_of(refusal.problem)
            if not lines:
                raise
            return await self._form(request, given, {"source": say("Correct the mail")}, lines[:_MOST_FAULTS])
        sentence = say("Version {version} is kept. It counts once you choose it.", version=written.version)
        return self._told(f"{_address(request)}/versions/{written.version}", sentence)

    async def choose(self, request: web.Request) -> web.Response:
        """Show what follows, then let a version count, or the words of the service."""
        visit, given, path = request[VISIT], await typed(request), _path(request)
        side, one = await asyncio.gather(side_of(visit), visit.mine("notify", path, Wording))
        wanted = _number(given.get("version", ""))
        # What counted when the page was shown: where that has changed since, somebody else has decided.
        before = _number(given["instead_of"]) if "instead_of" in given else one.version
        faults: Faults = {}
        if "sure" in given:
            try:
                body, key = {"version": wanted, "instead_of": before}, await change_key(request)
                await visit.change("PUT", "notify", f"{path}/choice", Wording, key=key, body=body)
                return self._told(_address(request), words.counting(wanted))
            except Refused as refusal:
                lines = words.lines_of(refusal.problem)
                if lines:
                    faults = {"sure": say("This version can't be used any more: {fault}", fault=lines[0])}
                elif refusal.code == "conflict":
                    faults = {"sure": say("Somebody else has chosen other words meanwhile. Look at them first.")}
                else:
                    raise
        asked = Asked(
            action=f"{_address(request)}/choice",
            button=say("Let version {version} count", version=wanted)
            if wanted is not None
            else say("Go back to the words of the service"),
            follows=[
                words.counting(one.version, built_in=one.built_in),
                say("From now on every mail of this kind in this language has the other words."),
                say("Mails that are written already stay as they are."),
            ],
            back=_address(request),
            hidden={
                "version": "" if wanted is None else str(wanted),
                "instead_of": "" if before is None else str(before),
            },
        )
        return confirm(
            visit, say("Change the words of “{mail}”?", mail=words.title_of(one.template)), side, asked, faults=faults
        )

    def _told(self, to: str, sentence: str) -> web.Response:
        answer = redirect(to)
        self._cookies.tell(answer, sentence)
        return answer

    async def _form(
        self,
        request: web.Request,
        given: Typed | None,
        faults: Faults | None = None,
        lines: list[str] | None = None,
    ) -> web.Response:
        visit = request[VISIT]
        side, one = await asyncio.gather(side_of(visit), visit.mine("notify", _path(request), Wording))
        values: dict[str, Any] = {
            **_about(one),
            "given": given or {"source": one.source or ""},
            "faults": faults or {},
            "lines": lines or [],
        }
        heading = say("Write “{mail}” anew", mail=words.title_of(one.template))
        return on_desk(visit, "staff/wording/form.html", heading, side, problem=bool(faults), **values)


def _about(one: Wording) -> dict[str, Any]:
    return {
        "queue": TEMPLATES,
        "one": one,
        "title": words.title_of(one.template),
        "chip": words.whose(one),
        "language_name": words.LANGUAGES[one.language],
        "address": words.address_of(one),
    }


async def _look(visit: Visit, path: str, sample: int, **query: str) -> tuple[str, str] | None:
    """Subject and text of the mail with made-up facts; None where the service doesn't answer."""
    asked = {"form": "text", "sample": str(sample), **query}
    file = await part(visit.fetch_mine("notify", f"{path}/preview", **asked))
    if file is None:
        return None
    subject, _, text = file.content.decode().partition("\n\n")
    return subject, text


def _sample(request: web.Request, one: Wording) -> int:
    given = request.query.get("sample", "")
    return int(given) if given.isascii() and given.isdigit() and int(given) < one.samples else 0


def _number(text: str) -> int | None:
    """The number of a version; None for the words of the service, and for what is no number."""
    return int(text) if text.isascii() and text.isdigit() else None


def _path(request: web.Request) -> str:
    template, language = (quote(request.match_info[name], safe="") for name in ("template", "language"))
    return f"/mail-templates/{template}/{language}"


def _address(request: web.Request) -> str:
    template, language = (quote(request.match_info[name], safe="") for name in ("template", "language"))
    return f"{TEMPLATES.address}/{template}/{language}"
