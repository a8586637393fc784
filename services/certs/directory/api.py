"""The public API and page of the directory."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, ClassVar
from urllib.parse import urlencode

from pydantic import Field

from libs.common.http.documents import Document, negotiated
from libs.common.http.models import View
from libs.common.http.paging import Cursor
from libs.common.http.problems import NOT_FOUND, TOO_MANY_REQUESTS, Problem
from libs.common.http.routes import PUBLIC, Call, Reply, Route
from libs.common.name_keys import name_keys
from libs.common.pages.visitors import PageQuery, speak_to
from libs.common.programs import Program
from libs.common.programs.directory import Directory as ProgramDirectory
from services.certs.directory.directory import NOBODY, Directory, Found
from services.certs.directory.store import Place, Search
from services.certs.languages import say
from services.certs.pages.frame import HTML, message, page, shown_as
from services.certs.public.rates import AddressRates
from services.certs.views import ProgramPath

JSON = "application/json"
_MOST_WORDS = 6


class DirectoryQuery(PageQuery):
    """A form sends fields that are not filled in as empty texts, which are no conditions."""

    q: Annotated[str, Field(max_length=200, description="Names, or how they begin, in any script")] = ""
    country: Annotated[str, Field(pattern="^([A-Za-z]{2})?$", description="ISO 3166-1 alpha-2")] = ""
    certification: Annotated[str, Field(max_length=64, pattern="^[A-Za-z0-9._:*-]*$")] = ""
    limit: Annotated[int, Field(ge=1, le=100, description="People in a page at most; some have fewer")] = 50
    cursor: Annotated[str | None, Field(max_length=1024, description="`next` of the page before")] = None


class ActiveView(View):
    certification: str
    title: str
    since: date


class EntryView(View):
    """A person who wants to be found."""

    name: str
    country: str
    certifications: list[ActiveView]
    """Those that are active today."""


class DirectoryView(View):
    program: str
    title: str
    items: list[EntryView]
    next: str | None
    """Cursor of the next page; null on the last one."""


class DirectoryFile(Document):
    media_types: ClassVar = (JSON, HTML)


_PLACES: Cursor[Place] = Cursor("directory", tuple[str, str])


class DirectoryApi:
    """The handler of the route below."""

    def __init__(self, directory: Directory, programs: Mapping[str, Program], rates: AddressRates) -> None:
        self._directory = directory
        self._programs = programs
        self._rates = rates

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (
            Route(
                method="GET",
                path="/public/directory/{program}",
                handler=self.search_directory,
                summary="People with active certifications who want to be found, where the program has a directory",
                parameters=ProgramPath,
                query=DirectoryQuery,
                response=DirectoryFile,
                scopes=PUBLIC,
                errors=(NOT_FOUND, TOO_MANY_REQUESTS),
            ),
        )

    async def search_directory(self, call: Call[ProgramPath, DirectoryQuery]) -> DirectoryFile | Reply[DirectoryFile]:
        if negotiated(call.headers.get("Accept"), (JSON, HTML)) != HTML:
            program, directory, found, following = await self._found(call)
            view = DirectoryView(
                program=program.id,
                title=directory.title,
                items=[EntryView.model_validate(entry, from_attributes=True) for entry in found.entries],
                next=following,
            )
            return DirectoryFile(media_type=JSON, content=view.model_dump_json().encode())
        speak_to(call)
        try:
            program, directory, found, following = await self._found(call)
        except Problem as problem:
            return Reply(_html(_refusal(problem), status=problem.kind.status), problem.headers)
        return _html(_page(program, directory, call.query, found, following))

    async def _found(
        self, call: Call[ProgramPath, DirectoryQuery]
    ) -> tuple[Program, ProgramDirectory, Found, str | None]:
        """The program, its directory, a page of those who are found, and the cursor of the next."""
        self._rates.take(call.remote, call.headers)
        program, query = self._programs.get(call.path.program), call.query
        if program is None or program.directory is None:
            raise Problem(NOT_FOUND)
        after = _PLACES.decode(query.cursor)
        words = name_keys([query.q])[:_MOST_WORDS]
        search = Search(words, query.country.upper() or None, query.certification or None)
        if query.q and not words:  # what has no letter in it is nobody's name
            return program, program.directory, NOBODY, None
        found = await self._directory.search(program, search, after=after, limit=query.limit)
        return program, program.directory, found, _PLACES.encode(found.next) if found.next else None


def _refusal(problem: Problem) -> bytes:
    if problem.kind is TOO_MANY_REQUESTS:
        return message(
            say("Too many searches"), say("You have searched very often in a short time. Try again in a minute.")
        )
    if problem.kind is NOT_FOUND:
        return message(say("No directory"), say("There is no public directory at this address."))
    return message(
        say("Not a search"), say("What was asked for cannot be read. Begin again without the end of the address.")
    )


def _page(
    program: Program, directory: ProgramDirectory, query: DirectoryQuery, found: Found, following: str | None
) -> bytes:
    """The search as a form, and who was found."""
    asked = query.model_dump(exclude={"cursor"}, exclude_defaults=True)
    return page(
        "directory/directory.html",
        heading=directory.title,
        program=program,
        query=query,
        certifications=[(one.id, one.title) for one in program.certifications.values()],
        entries=found.entries,
        asked=bool(asked.keys() - {"limit", "lang"}),
        following="?" + urlencode(asked | {"cursor": following}) if following else None,
    )


def _html(content: bytes, *, status: int | None = None) -> DirectoryFile:
    return shown_as(DirectoryFile, content, status=status)
