"""The handlers of what a certification gives to use: certificate, logos and badge; and of what others see."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final, Literal
from urllib.parse import quote

from aiohttp import web

from services.portal.backend.client import Down, Fetched, Refused
from services.portal.backend.shapes import Certification, Certifications
from services.portal.languages import mark, say
from services.portal.share import words
from services.portal.share.shapes import Badges, Certificate, Logos, ProviderBadges, Sharing
from services.portal.web.answers import passed_on, redirect
from services.portal.web.cookies import Cookies
from services.portal.web.forms import Answers, change_key, read, typed
from services.portal.web.look import shown
from services.portal.web.visit import VISIT, Visit, part

_FORMS: Final = (
    ("png", mark("Badge as PNG")),
    ("svg", mark("Badge as SVG")),
    ("json", mark("Badge as JSON")),
    ("jwt", mark("Badge as token")),
)
_NOT_YET: Final[Mapping[str, str]] = {
    "credential-pending": mark("It is being made. Takes a few seconds."),
    "name-not-printable": mark("We have no letters to print your name as it is. Ask us for a change of name."),
}
_SLOW: Final = mark("The file isn't ready yet, and nothing is lost. Look again in a minute.")


class Choices(Answers):
    """What somebody lets others see; an empty box is a no."""

    directory: Literal["yes"] | None = None
    name_in_badges: Literal["yes"] | None = None
    native_name: Literal["yes"] | None = None


class ProofPages:
    """The handlers of `/share/certifications` and `/share/choices`."""

    def __init__(self, cookies: Cookies) -> None:
        self._cookies = cookies

    def routes(self) -> list[web.RouteDef]:
        one = "/share/certifications/{certification}"
        return [
            web.get(one, self.show_one),
            web.get(f"{one}/certificate.pdf", self.certificate),
            web.get(f"{one}/new-certificate", self.ask_to_reissue),
            web.post(f"{one}/new-certificate", self.reissue),
            web.get(f"{one}/logos/{{file}}", self.logo),
            web.get(f"{one}/badge.{{form:png|svg|json|jwt}}", self.badge),
            web.get("/share/choices", self.show_choices),
            web.post("/share/choices", self.choose),
        ]

    async def show_one(self, request: web.Request) -> web.Response:
        visit, name = request[VISIT], request.match_info["certification"]
        path = _path(name)
        _, held, certificate, logos, badges, there = await asyncio.gather(
            visit.introduce(),
            visit.mine("certs", "/certifications", Certifications),
            part(visit.mine("certs", f"{path}/certificate", Certificate)),
            part(visit.mine("certs", f"{path}/logos", Logos)),
            part(visit.mine("certs", "/badges", Badges)),
            part(visit.mine("certs", "/provider-badges", ProviderBadges)),
        )
        one = _found(held, name)
        values: dict[str, Any] = {
            "one": one,
            "reason": words.not_available(one),
            "certificate": certificate,
            "logos": logos,
            "badges": badges,
            "badge": badges.of(name) if badges else None,
            "elsewhere": there.of(name) if there else None,
            "forms": [(form, say(name)) for form, name in _FORMS],
            "base": _base(name),
            "words": words,
        }
        return shown(visit, "share/certification.html", one.title, **values)

    async def certificate(self, request: web.Request) -> web.Response:
        name = request.match_info["certification"]
        return await self._file(request, f"{_path(name)}/certificate.pdf")

    async def logo(self, request: web.Request) -> web.Response:
        name, file = request.match_info["certification"], quote(request.match_info["file"], safe="")
        return await self._file(request, f"{_path(name)}/logos/{file}")

    async def badge(self, request: web.Request) -> web.Response:
        name = quote(request.match_info["certification"], safe="")
        return await self._file(request, f"/badges/{name}", form=request.match_info["form"])

    async def ask_to_reissue(self, request: web.Request) -> web.Response:
        visit, name = request[VISIT], request.match_info["certification"]
        _, certificate = await asyncio.gather(
            visit.introduce(), visit.mine("certs", f"{_path(name)}/certificate", Certificate)
        )
        if certificate.reissue is None:
            return redirect(_base(name))
        heading = say("A new certificate")
        return shown(visit, "share/reissue.html", heading, certificate=certificate, base=_base(name))

    async def reissue(self, request: web.Request) -> web.Response:
        visit, name = request[VISIT], request.match_info["certification"]
        try:
            await visit.change(
                "POST", "certs", f"{_path(name)}/certificate", Certificate, key=await change_key(request)
            )
        except Refused as refusal:
            return _not_yet(visit, refusal, _base(name))
        answer = redirect(_base(name))
        self._cookies.tell(answer, say("Your new certificate is ready."))
        return answer

    async def show_choices(self, request: web.Request) -> web.Response:
        visit = request[VISIT]
        _, sharing = await asyncio.gather(visit.introduce(), visit.mine("certs", "/sharing", Sharing))
        return shown(visit, "share/choices.html", say("What others see"), sharing=sharing)

    async def choose(self, request: web.Request) -> web.Response:
        choices = read(Choices, await typed(request), {})
        body = {name: value == "yes" for name, value in choices.model_dump().items()}
        await request[VISIT].change("PUT", "certs", "/sharing", Sharing, key=await change_key(request), body=body)
        answer = redirect("/share")
        self._cookies.tell(answer, say("Saved. What you switched off is gone at once."))
        return answer

    async def _file(self, request: web.Request, path: str, **query: str) -> web.Response:
        visit = request[VISIT]
        try:
            file: Fetched = await visit.fetch_mine("certs", path, **query)
        except Refused as refusal:
            await visit.introduce()
            return _not_yet(visit, refusal, _base(request.match_info["certification"]))
        except Down:
            await visit.introduce()
            heading = say("It takes longer than it should")
            back = _base(request.match_info["certification"])
            return shown(visit, "share/not_yet.html", heading, status=503, text=say(_SLOW), back=back)
        return passed_on(file)


def _not_yet(visit: Visit, refusal: Refused, back: str) -> web.Response:
    """Why something cannot be had now; whatever else is refused is for all pages to say."""
    sentence = _NOT_YET.get(refusal.code)
    if sentence is None:
        raise refusal
    heading = say("It can't be had yet")
    return shown(visit, "share/not_yet.html", heading, status=refusal.problem.status, text=say(sentence), back=back)


def _found(held: Certifications, name: str) -> Certification:
    one = next((each for each in held.certifications if each.certification == name), None)
    if one is None:
        raise web.HTTPNotFound
    return one


def _path(certification: str) -> str:
    return f"/certifications/{quote(certification, safe='')}"


def _base(certification: str) -> str:
    return f"/share{_path(certification)}"
