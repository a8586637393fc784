"""The HTTP API of mail templates: look at them, write versions, see them as mails, let one of them count."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, StringConstraints

from libs.common.events.types import Identifier, Remark
from libs.common.http.documents import Document as HttpDocument
from libs.common.http.models import Body, Nothing, Parameters, View
from libs.common.http.paging import Cursor, Page, PageQuery
from libs.common.http.problems import CONFLICT, INVALID, NOT_FOUND, FieldError, Problem, invalid
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import MESSAGES_MANAGE
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.programs import Program
from services.notify.domain.mails import Template
from services.notify.editions.checking import Checker
from services.notify.editions.preview import POLICY, FactError, Theme, facts_for, themed
from services.notify.editions.rules import LONGEST_SOURCE, Fault, names_of
from services.notify.editions.store import Edition, EditionStore, Key
from services.notify.forms import builtin, compiled
from services.notify.languages import LANGUAGES
from services.notify.rendering import Written
from services.notify.samples import SAMPLES

HTML, TEXT = "text/html; charset=utf-8", "text/plain; charset=utf-8"

LanguageCode = Literal["en", "es", "ar"]
Version = Annotated[int, Field(ge=1, le=1_000_000)]
Source = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_SOURCE)]

_VERSIONS = Cursor("mail-template-versions", int)


class ProgramPath(Parameters):
    program: Identifier


class TemplatePath(ProgramPath):
    template: Template
    language: LanguageCode


class VersionPath(TemplatePath):
    version: Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,5}$")]


class Look(Parameters):
    form: Annotated[Literal["html", "text"], Field(description="As a page, or as its text")] = "html"
    theme: Annotated[Theme, Field(description="By day, by night, or as the device has it")] = "device"


class LookQuery(Look):
    version: Annotated[Version | None, Field(description="Instead of the words that count")] = None
    built_in: Annotated[bool, Field(description="Instead of both, the words that come with the service")] = False
    sample: Annotated[int, Field(ge=0, le=99, description="Which of the kind's made-up facts")] = 0


class NewVersion(Body):
    source: Source
    note: Remark
    """What is new about it, for those who look at the versions later."""


class Choice(Body):
    version: Version | None
    """The version that is to count; null for the words that come with the service."""
    instead_of: Version | None
    """What counted when that was decided; another choice meanwhile is a conflict."""


class Draft(Body):
    source: Source
    sample: Annotated[int, Field(ge=0, le=99)] = 0
    facts: Annotated[dict[str, Any], Field(max_length=50)] = Field(default={})
    """In place of those of the sample; days as YYYY-MM-DD, moments as in RFC 3339."""


class VersionView(View):
    version: int
    note: str
    written_by: str
    written_at: datetime


class VersionSourceView(VersionView):
    source: str


class SwitchView(View):
    version: int | None
    """Null: back to the words that come with the service."""
    at: datetime
    by: str


class TemplateSummary(View):
    template: Template
    language: LanguageCode
    built_in: bool
    """Whether the service comes with words in this language; without any, its readers get English."""
    version: int | None
    """The version that counts; null for the words that come with the service."""
    versions: int
    """How many staff have written."""


class TemplateView(TemplateSummary):
    direction: Literal["ltr", "rtl"]
    names: list[str]
    """What it may name."""
    samples: int
    """How many made-up sets of facts there are."""
    source: str | None
    """What counts now; null where English stands in."""
    built_in_source: str | None
    switches: list[SwitchView]
    """Latest first."""


class MailPage(HttpDocument):
    """A mail, as its reader sees it."""

    media_types: ClassVar = (HTML, TEXT)


class TemplatesApi:
    """Handlers of the routes below."""

    def __init__(
        self, store: EditionStore, checker: Checker, unit_of_work: UnitOfWork, programs: Mapping[str, Program]
    ) -> None:
        self._store = store
        self._checker = checker
        self._unit_of_work = unit_of_work
        self._programs = programs

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        templates = "/programs/{program}/mail-templates"
        one = templates + "/{template}/{language}"
        return (
            Route(
                method="GET",
                path=templates,
                handler=self.list_templates,
                summary="Every mail in every language, and whose words count",
                parameters=ProgramPath,
                response=Page[TemplateSummary],
                scopes=MESSAGES_MANAGE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path=one,
                handler=self.show_template,
                summary="A mail's words in a language, what they may name, and when they were switched",
                parameters=TemplatePath,
                response=TemplateView,
                scopes=MESSAGES_MANAGE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path=one + "/versions",
                handler=self.list_template_versions,
                summary="The versions that staff have written, latest first",
                parameters=TemplatePath,
                query=PageQuery,
                response=Page[VersionView],
                scopes=MESSAGES_MANAGE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path=one + "/versions/{version}",
                handler=self.show_template_version,
                summary="A version with its words",
                parameters=VersionPath,
                response=VersionSourceView,
                scopes=MESSAGES_MANAGE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="POST",
                path=one + "/versions",
                handler=self.write_template_version,
                summary="Write a version; it is tried on made-up facts first, and counts once it is chosen",
                parameters=TemplatePath,
                body=NewVersion,
                response=VersionSourceView,
                status=201,
                scopes=MESSAGES_MANAGE,
                errors=(NOT_FOUND, INVALID),
                idempotent=True,
            ),
            Route(
                method="PUT",
                path=one + "/choice",
                handler=self.choose_template_version,
                summary="Let a version count, or the words that come with the service",
                parameters=TemplatePath,
                body=Choice,
                response=TemplateView,
                scopes=MESSAGES_MANAGE,
                errors=(NOT_FOUND, INVALID, CONFLICT),
            ),
            Route(
                method="GET",
                path=one + "/preview",
                handler=self.preview_template,
                summary="The mail with made-up facts",
                parameters=TemplatePath,
                query=LookQuery,
                response=MailPage,
                scopes=MESSAGES_MANAGE,
                errors=(NOT_FOUND, INVALID),
            ),
            Route(
                method="POST",
                path=one + "/preview",
                handler=self.preview_draft,
                summary="The mail in words that are not kept, with made-up facts or others",
                parameters=TemplatePath,
                query=Look,
                body=Draft,
                response=MailPage,
                scopes=MESSAGES_MANAGE,
                errors=(NOT_FOUND, INVALID),
                asks=True,
            ),
        )

    async def list_templates(self, call: Call[ProgramPath]) -> Page[TemplateSummary]:
        self._managed(call)
        choices = await self._store.choices(call.path.program)
        keys = (Key(call.path.program, template, language) for template in Template for language in LANGUAGES)
        return Page[TemplateSummary](
            items=[TemplateSummary.model_validate(_summary(key, choices.get(key, {}))) for key in keys]
        )

    async def show_template(self, call: Call[TemplatePath]) -> TemplateView:
        return await self._shown(self._key(call))

    async def list_template_versions(self, call: Call[TemplatePath, PageQuery]) -> Page[VersionView]:
        key, query = self._key(call), call.query
        rows = await self._store.versions(key, before=_VERSIONS.decode(query.cursor), limit=query.limit + 1)
        return _VERSIONS.page(
            Page[VersionView],
            rows,
            query.limit,
            key=lambda row: int(row["version"]),
            show=VersionView.model_validate,
        )

    async def show_template_version(self, call: Call[VersionPath]) -> VersionSourceView:
        row = await self._found(self._key(call), int(call.path.version))
        return VersionSourceView.model_validate(row)

    async def write_template_version(self, call: Call[TemplatePath, Nothing, NewVersion]) -> VersionSourceView:
        key, body = self._key(call), call.body
        self._check(key, body.source)

        async def work(transaction: Transaction) -> Document:
            return await self._store.add(
                transaction,
                key,
                source=body.source,
                note=body.note,
                by=call.principal.subject,
                operation=call.operation_id,
            )

        return VersionSourceView.model_validate(await self._unit_of_work.run(work))

    async def choose_template_version(self, call: Call[TemplatePath, Nothing, Choice]) -> TemplateView:
        key, wanted, before = self._key(call), call.body.version, call.body.instead_of
        if wanted is not None:
            # Checked again: what a mail may say can have changed since it was written.
            self._check(key, (await self._found(key, wanted))["source"])

        async def work(transaction: Transaction) -> Document | None:
            return await self._store.switch(
                transaction, key, version=wanted, instead_of=before, by=call.principal.subject
            )

        if await self._unit_of_work.run(work) is None:
            raise Problem(CONFLICT, "another version counts meanwhile")
        return await self._shown(key)

    async def preview_template(self, call: Call[TemplatePath, LookQuery]) -> MailPage:
        key, query = self._key(call), call.query
        version = None if query.built_in else query.version
        if version is None and not query.built_in:
            version = ((await self._store.choice(key)) or {}).get("version")
        source = builtin(LANGUAGES[key.language], key.template)
        if version is not None:
            source = (await self._found(key, version))["source"]
        if source is None:
            raise Problem(NOT_FOUND)
        return self._page(key, source, query, query.sample, {})

    async def preview_draft(self, call: Call[TemplatePath, Look, Draft]) -> MailPage:
        key, body = self._key(call), call.body
        self._check(key, body.source)
        return self._page(key, body.source, call.query, body.sample, body.facts)

    def _page(self, key: Key, source: str, look: Look, sample: int, own: Mapping[str, Any]) -> MailPage:
        written = self._written(key, source, sample, own)
        if look.form == "text":
            return MailPage(media_type=TEXT, content=f"{written.subject}\n\n{written.text}".encode())
        return MailPage(media_type=HTML, content=themed(written.html, look.theme).encode(), policy=POLICY)

    def _written(self, key: Key, source: str, sample: int, own: Mapping[str, Any]) -> Written:
        try:
            facts = facts_for(key.template, sample, own)
        except FactError as error:
            raise invalid("sample" if error.name is None else f"body.facts.{error.name}", "fact", str(error)) from None
        try:
            return self._checker.sample(compiled(source, LANGUAGES[key.language]), key.program, key.template, facts)
        except Exception as error:  # noqa: BLE001 a template can fail in every way that an expression can
            raise invalid("body.facts", "fact", f"with these facts the template fails: {error}"[:300]) from None

    def _check(self, key: Key, source: str) -> None:
        faults = self._checker.check(source, key.program, key.template, LANGUAGES[key.language])
        if faults:
            raise Problem(INVALID, errors=_errors(faults))

    async def _shown(self, key: Key) -> TemplateView:
        choice = await self._store.choice(key) or {}
        summary = _summary(key, choice)
        own = await self._found(key, summary["version"]) if summary["version"] is not None else None
        ours = builtin(LANGUAGES[key.language], key.template)
        return TemplateView.model_validate(
            {
                **summary,
                "direction": LANGUAGES[key.language].direction,
                "names": sorted(names_of(key.template)),
                "samples": len(SAMPLES[key.template]),
                "source": own["source"] if own else ours,
                "built_in_source": ours,
                "switches": list(reversed(choice.get("switches", []))),
            }
        )

    async def _found(self, key: Key, version: int) -> Document:
        row = await self._store.version(None, Edition(key, version))
        if row is None:
            raise Problem(NOT_FOUND)
        return row

    def _managed(self, call: Call[Any, Any, Any]) -> None:
        call.principal.require_program(call.path.program)
        if call.path.program not in self._programs:
            raise Problem(NOT_FOUND)

    def _key(self, call: Call[Any, Any, Any]) -> Key:
        self._managed(call)
        return Key(call.path.program, call.path.template, call.path.language)


def _summary(key: Key, choice: Document) -> Document:
    return {
        "template": key.template,
        "language": key.language,
        "built_in": builtin(LANGUAGES[key.language], key.template) is not None,
        "version": choice.get("version"),
        "versions": choice.get("last", 0),
    }


def _errors(faults: Sequence[Fault]) -> list[FieldError]:
    return [
        FieldError(
            path="body.source" if fault.line is None else f"body.source.{fault.line}",
            code=fault.code,
            message=fault.message if fault.line is None else f"line {fault.line}: {fault.message}",
        )
        for fault in faults
    ]
