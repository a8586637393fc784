"""The HTTP API of checking files: for programs, and as a page for people."""

from collections.abc import Mapping
from typing import Any

from libs.common.clock import Clock
from libs.common.http.problems import TOO_MANY_REQUESTS, Problem, invalid
from libs.common.http.routes import PUBLIC, Call, Reply, Route
from libs.common.pages.visitors import PageQuery, speak_to
from libs.common.programs import Program
from services.certs.languages import say
from services.certs.pages import messages
from services.certs.pages.frame import Page, page, refused, shown
from services.certs.public.rates import AddressRates
from services.certs.verifying.answers import FileVerificationView, file_verification_view
from services.certs.verifying.checking import Checker
from services.certs.verifying.uploads import FileUpload, FormUpload, file_in_form

COST = 6
"""Of one check, in public requests: two processes work on it."""

_TEMPLATES = "verifying/templates/"


class VerifyingApi:
    """The handlers of the routes below."""

    def __init__(self, checker: Checker, programs: Mapping[str, Program], rates: AddressRates, clock: Clock) -> None:
        self._checker = checker
        self._programs = programs
        self._rates = rates
        self._clock = clock

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (
            Route(
                method="GET",
                path="/public/verify",
                handler=self.show_verify_page,
                summary="The page where a file is checked",
                query=PageQuery,
                response=Page,
                scopes=PUBLIC,
                errors=(TOO_MANY_REQUESTS,),
                tags=("public",),
            ),
            Route(
                method="POST",
                path="/public/verify",
                handler=self.verify_file,
                summary="Check a credential: JSON, a token, PNG, SVG or PDF",
                body=FileUpload,
                response=FileVerificationView,
                scopes=PUBLIC,
                asks=True,
                errors=(TOO_MANY_REQUESTS,),
                tags=("public",),
            ),
            Route(
                method="POST",
                path="/public/verify/page",
                handler=self.verify_form,
                summary="Check a credential, and answer with a page",
                query=PageQuery,
                body=FormUpload,
                response=Page,
                scopes=PUBLIC,
                asks=True,
                errors=(TOO_MANY_REQUESTS,),
                tags=("public",),
            ),
        )

    async def show_verify_page(self, call: Call[Any, PageQuery]) -> Page | Reply[Page]:
        try:
            self._rates.take(call.remote, call.headers)
        except Problem as problem:
            return refused(problem, call, messages.too_many, Page)
        speak_to(call)
        return shown(page(f"{_TEMPLATES}form.html", heading=say("Check a file"), program=None))

    async def verify_file(self, call: Call[Any, Any, FileUpload]) -> FileVerificationView:
        """Says whether a file is one of ours, unchanged, and still in force.

        What the file is, is found out from its content. `verdict` is the worst of the `findings`; a file that cannot be
        read, or is not ours, is an answer like any other. Nothing of a file is kept, and nothing is repeated that we
        have not signed.
        """
        if not call.body.content:
            raise invalid("body", "empty", "Send the file that is to be checked")
        return await self._verified(call, call.body.content)

    async def verify_form(self, call: Call[Any, PageQuery, FormUpload]) -> Page | Reply[Page]:
        speak_to(call, repeatable=False)
        try:
            file = file_in_form(call.body.content, call.headers.get("Content-Type", ""))
            answer = await self._verified(call, file)
        except Problem as problem:
            words = messages.too_many if problem.kind is TOO_MANY_REQUESTS else messages.no_file
            return refused(problem, call, words, Page, repeatable=False)
        program = self._programs.get(answer.program) if answer.program else None
        return shown(page(f"{_TEMPLATES}answer.html", heading=answer.heading, program=program, answer=answer))

    async def _verified(self, call: Call[Any, Any, Any], content: bytes) -> FileVerificationView:
        self._rates.take(call.remote, call.headers, cost=COST)
        return file_verification_view(await self._checker.check(content), self._clock.now())
