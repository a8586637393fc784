"""The public address behind the links that end news: a page that asks, and the deed itself.

Looking changes nothing, because mail filters follow every link; only a POST ends news, from the page's button or from
a mail program, which sends one without asking again and reads no answer.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from libs.common.http.documents import Document
from libs.common.http.models import Parameters
from libs.common.http.problems import NOT_FOUND
from libs.common.http.routes import PUBLIC, Call, Route
from libs.common.languages import READER
from libs.common.pages.visitors import PageQuery, speak_to
from libs.common.programs import Program
from services.notify.unsubscribing import pages
from services.notify.unsubscribing.links import Mailing, UnsubscribeLinks
from services.notify.unsubscribing.unsubscribing import Unsubscribing


class NewsPage(Document):
    """A page for people."""

    media_types: ClassVar = (pages.HTML,)


class LinkPath(Parameters):
    token: Annotated[str, Field(max_length=400)]


class UnsubscribingApi:
    """Handlers of the routes below."""

    def __init__(self, links: UnsubscribeLinks, unsubscribing: Unsubscribing, programs: Mapping[str, Program]) -> None:
        self._links = links
        self._unsubscribing = unsubscribing
        self._programs = programs

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (
            Route(
                method="GET",
                path="/public/unsubscribe/{token}",
                handler=self.ask_to_unsubscribe,
                summary="Ask whether news shall end; changes nothing",
                parameters=LinkPath,
                query=PageQuery,
                response=NewsPage,
                scopes=PUBLIC,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="POST",
                path="/public/unsubscribe/{token}",
                handler=self.unsubscribe,
                summary="End news for whom the link is for; what is sent with it does not matter",
                parameters=LinkPath,
                query=PageQuery,
                response=NewsPage,
                scopes=PUBLIC,
                errors=(NOT_FOUND,),
            ),
        )

    async def ask_to_unsubscribe(self, call: Call[LinkPath, PageQuery]) -> NewsPage:
        speak_to(call)
        mailing = self._links.read(call.path.token)
        return _page(pages.unknown() if mailing is None else pages.question(self._name(mailing)))

    async def unsubscribe(self, call: Call[LinkPath, PageQuery]) -> NewsPage:
        mailing = self._links.read(call.path.token)
        if mailing is not None:
            await self._unsubscribing.unsubscribe(mailing)
        speak_to(call, repeatable=False)
        if mailing is None:
            return _page(pages.unknown())
        return _page(pages.done(self._name(mailing)))

    def _name(self, mailing: Mailing) -> str | None:
        program = self._programs.get(mailing.program)
        return program.name if program else None


def _page(page: pages.Page) -> NewsPage:
    return NewsPage(
        media_type=pages.HTML,
        content=page.content,
        policy=pages.POLICY,
        language=READER.get().code,
        status=page.status,
    )
