"""Writes a candidate's mail from its template, its facts and the program's branding."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined
from jinja2 import Template as JinjaTemplate

from libs.common.programs import Program
from services.notify import languages, mime
from services.notify.domain.addresses import wire_address
from services.notify.domain.mails import STAFF, TOKEN, Template
from services.notify.domain.recipients import Recipient
from services.notify.letters import Envelope, Letter, mail_number
from services.notify.markup import Sources, read

LINK_WITHHELD = "(the link stands only in the mail itself)"

_environment = partial(Environment, undefined=StrictUndefined, auto_reload=False)


@dataclass(frozen=True, slots=True)
class _Forms:
    subject: JinjaTemplate
    text: JinjaTemplate
    html: JinjaTemplate


@dataclass(frozen=True, slots=True)
class Words:
    """A mail as its reader sees it."""

    subject: str
    text: str


_PAGES = {Template.EMAIL_CONFIRMATION: "confirm-email"}
"""Where links lead that do not open an account."""


class Renderer:
    """Every mail of every program in every language there is.

    Args:
        programs: whose branding the mails carry.
        public_url: where candidates reach the portal.
        return_path: where bounces go; each mail has its id in its own form of it. None for the program's sender.
    """

    def __init__(self, programs: Mapping[str, Program], public_url: str, return_path: str | None = None) -> None:
        self._programs = programs
        self._public_url = public_url.rstrip("/")
        self._return_path = return_path
        self._forms = {
            (language, template): forms
            for language in languages.FILTERS
            for template, forms in _load_language(language).items()
        }

    def message_id(self, letter_id: str, program: str) -> str:
        """The Message-ID header: the same on every attempt, so that a repetition can be recognised."""
        domain = self._programs[program].branding.sender_email.rpartition("@")[2]
        return f"<{letter_id}@{domain}>"

    def envelope(self, letter: Letter) -> Envelope:
        """The whole mail, the same bytes for the same letter to the same recipient.

        Raises:
            ValueError: the recipient's address can belong to no mailbox.
        """
        recipient = wire_address(letter.recipient.email)
        language = languages.choose(letter.recipient.language)
        forms = self._forms[language, letter.template]
        values = self._values(letter.template, letter.program, letter.id, letter.context, letter.recipient.name)
        values["candidate_id"] = letter.recipient.candidate_id
        values["language"] = language
        values["subject"] = subject = _fill(forms.subject, values)
        branding = self._programs[letter.program].branding
        headers = (
            ("Date", mime.date(letter.created_at)),
            ("From", mime.own_mailbox(branding.sender_name, branding.sender_email)),
            ("To", mime.mailbox(letter.recipient.name, recipient.text)),
            ("Message-ID", self.message_id(letter.id, letter.program)),
            ("Subject", mime.unstructured(subject)),
            ("Content-Language", language),
            # RFC 3834: absence notices and the like must not answer.
            ("Auto-Submitted", "auto-generated"),
        )
        text, html = _fill(forms.text, values), _fill(forms.html, values)
        content = mime.alternative(headers, text=text, html=html, boundary=letter.id)
        return Envelope(self._sender(letter.id, branding.sender_email), recipient, content)

    def _sender(self, letter_id: str, otherwise: str) -> str:
        if self._return_path is None:
            return otherwise
        local, _, domain = self._return_path.rpartition("@")
        return f"{local}+{letter_id}@{domain}"

    def subject(self, template: Template, program: str, letter_id: str, context: Mapping[str, Any]) -> str:
        """The subject alone; subjects name no person."""
        forms = self._forms[languages.DEFAULT, template]
        return _fill(forms.subject, self._values(template, program, letter_id, context, ""))

    def words(self, template: Template, letter_id: str, context: Mapping[str, Any], recipient: Recipient) -> Words:
        """What a mail says, without the link that opens an account."""
        forms = self._forms[languages.choose(recipient.language), template]
        safe = {name: value for name, value in context.items() if name != TOKEN}
        values = self._values(template, recipient.program, letter_id, safe, recipient.name)
        values["candidate_id"] = recipient.candidate_id
        return Words(_fill(forms.subject, values), _fill(forms.text, values))

    def _constants_of(self, program: Program) -> dict[str, Any]:
        branding, ways = program.branding, program.sign_in
        return {
            "program": program.name,
            # Where it alone lets people in.
            "provider": ways.openid.name if ways.openid and not ways.local_passwords else None,
            "colour": branding.colour,
            "support_url": branding.support_url,
            "public_url": self._public_url,
            "link": LINK_WITHHELD,
        }

    def _values(
        self, template: Template, program: str, letter_id: str, context: Mapping[str, Any], name: str
    ) -> dict[str, Any]:
        values = {
            **self._constants_of(self._programs[program]),
            **context,
            "staff": template in STAFF,
            "name": name,
            "number": mail_number(letter_id),
        }
        if TOKEN in context:
            page = "staff/activate" if template in STAFF else _PAGES.get(template, "activate")
            values["link"] = f"{self._public_url}/{page}?token={context[TOKEN]}"
        return values


def _fill(form: JinjaTemplate, values: dict[str, Any]) -> str:
    """What `render` does, without copying Jinja's global functions beside the values; the templates call none."""
    return "".join(form.root_render_func(form.new_context(values, shared=True)))


def _load_language(language: str) -> dict[Template, _Forms]:
    folder = files("services.notify") / "templates" / language
    plain = _environment(autoescape=False)  # plain text: nothing in it is markup
    rich = _environment(autoescape=True)
    for environment in (plain, rich):
        environment.filters.update(languages.FILTERS[language])
    layout = Sources("", (folder / "layout.txt").read_text(), (folder / "layout.html").read_text())

    def load(template: Template) -> _Forms:
        source = read((folder / f"{template}.mail").read_text(), name=f"{language}/{template}")
        return _Forms(
            plain.from_string(source.subject),
            plain.from_string(_filled(layout.text, source.text)),
            rich.from_string(_filled(layout.html, source.html)),
        )

    return {template: load(template) for template in Template}


def _filled(layout: str, body: str) -> str:
    """One template instead of an inclusion at each rendering."""
    return layout.replace("{{ body }}\n", body).replace("{{ body }}", body)
