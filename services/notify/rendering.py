"""Writes a candidate's mail from its template, its facts and the program's branding."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol
from urllib.parse import urlsplit

import structlog
from prometheus_client import Counter

from libs.common.programs import Program
from libs.common.programs.brand import dark, light
from services.notify import languages, mime
from services.notify.dkim import DkimSigner
from services.notify.domain.addresses import wire_address
from services.notify.domain.mails import MARKETING, STAFF, TOKEN, Template
from services.notify.domain.recipients import Recipient
from services.notify.forms import Forms, builtin_forms, filled
from services.notify.letters import Envelope, Letter, Wording, mail_number
from services.notify.reminders.calendar import FILENAME, MEDIA_TYPE, calendar_file
from services.notify.unsubscribing.links import Mailing, UnsubscribeLinks


@dataclass(frozen=True, slots=True)
class Words:
    """A mail as its reader sees it."""

    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Written:
    """A mail in both forms."""

    language: str
    subject: str
    text: str
    html: str


_PAGES = {Template.EMAIL_CONFIRMATION: "confirm-email"}
"""Where links lead that do not open an account."""

_LATIN_LINES, _OTHER_LINES = "1.5", "1.7"
"""Height of a line; Arabic needs more room."""


FAILED = Counter(
    "certrail_mail_templates_failed_total",
    "Mails written in our own words because the template of staff failed",
    ["program", "template"],
)

log = structlog.get_logger(__name__)


class Editions(Protocol):
    """What staff have put in place of our words."""

    def forms(self, program: str, template: Template, wording: Wording) -> Forms | None:
        """None where our words are meant, or theirs are not at hand."""


class Renderer:
    """Every mail of every program in every language there is.

    Args:
        programs: whose branding the mails carry.
        public_url: where candidates reach the portal.
        signer: signs what is written.
        links: end news; without them none can be written.
        editions: what staff have put in place of our words.
        return_path: where bounces go; each mail has its id in its own form of it. None for the program's sender.
    """

    def __init__(
        self,
        programs: Mapping[str, Program],
        public_url: str,
        *,
        signer: DkimSigner | None = None,
        links: UnsubscribeLinks | None = None,
        editions: Editions | None = None,
        return_path: str | None = None,
    ) -> None:
        self._programs = programs
        self._signer = signer or DkimSigner()
        self._links = links
        self._public_url = public_url.rstrip("/")
        self._editions = editions
        self._return_path = return_path

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
        wording = letter.wording or Wording(languages.choose(letter.recipient.language))
        context = {**letter.context, "unsubscribe_url": self._unsubscribe_url(letter)}
        written = self._written(wording, letter.template, letter.recipient, letter.id, context)
        branding = self._programs[letter.program].branding
        headers = (
            ("Date", mime.date(letter.created_at)),
            ("From", mime.own_mailbox(branding.sender_name, branding.sender_email)),
            ("To", mime.mailbox(letter.recipient.name, recipient.text)),
            ("Message-ID", self.message_id(letter.id, letter.program)),
            ("Subject", mime.unstructured(written.subject)),
            ("Content-Language", written.language),
            # RFC 3834: absence notices and the like must not answer.
            ("Auto-Submitted", "auto-generated"),
            *self._ways_out(letter),
        )
        content = mime.alternative(
            headers,
            text=written.text,
            html=written.html,
            boundary=letter.id,
            attachments=self._attachments(letter, written.language),
        )
        signed = self._signer.signed(content, sender=branding.sender_email, at=letter.created_at)
        return Envelope(self._return_to(letter.id, branding.sender_email), recipient, signed)

    def _return_to(self, letter_id: str, otherwise: str) -> str:
        if self._return_path is None:
            return otherwise
        local, _, domain = self._return_path.rpartition("@")
        return f"{local}+{letter_id}@{domain}"

    def _ways_out(self, letter: Letter) -> tuple[tuple[str, str], ...]:
        """RFC 8058: by these, mail programs offer to end news, and do so without asking again."""
        url = self._unsubscribe_url(letter)
        if url is None:
            return ()
        return ("List-Unsubscribe", f"<{url}>"), ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")

    def _unsubscribe_url(self, letter: Letter) -> str | None:
        if letter.template not in MARKETING:
            return None
        if self._links is None:
            raise LookupError("news must have a way out")
        return self._links.url(Mailing(letter.program, letter.recipient.candidate_id, letter.id))

    def _attachments(self, letter: Letter, language: str) -> Sequence[mime.Attachment]:
        if letter.template is not Template.CERTIFICATION_EXPIRING:
            return ()
        content = calendar_file(
            self._programs[letter.program],
            letter.recipient.candidate_id,
            letter.context["rows"],
            language,
            written_at=letter.created_at,
            url=f"{self._public_url}/certifications",
        )
        return (mime.Attachment(MEDIA_TYPE, FILENAME, content),)

    def subject(
        self,
        template: Template,
        program: str,
        letter_id: str,
        context: Mapping[str, Any],
        wording: Wording | None = None,
    ) -> str:
        """The subject alone; subjects name no person."""
        nobody = Recipient("", program, "", "", "", None, 0)
        return self._written(wording or Wording(languages.DEFAULT), template, nobody, letter_id, context).subject

    def words(
        self,
        template: Template,
        letter_id: str,
        context: Mapping[str, Any],
        recipient: Recipient,
        wording: Wording | None = None,
    ) -> Words:
        """What a mail says, without the link that opens an account."""
        safe = {name: value for name, value in context.items() if name != TOKEN}
        chosen = wording or Wording(languages.choose(recipient.language))
        written = self._written(chosen, template, recipient, letter_id, safe)
        return Words(written.subject, written.text)

    def _written(
        self, wording: Wording, template: Template, recipient: Recipient, letter_id: str, context: Mapping[str, Any]
    ) -> Written:
        """A mail in the words chosen for it; in ours where those of staff fail, for it must reach its reader."""
        own = self._editions.forms(recipient.program, template, wording) if self._editions else None
        if own is not None:
            try:
                return self.write(own, template, recipient, letter_id, context)
            except Exception as error:  # noqa: BLE001 a template can fail in every way that an expression can
                FAILED.labels(recipient.program, template.value).inc()
                # The error's own text may hold what the mail says.
                log.error("template_failed", template=template.value, state=wording.edition, cause=type(error).__name__)  # noqa: TRY400 a traceback may hold it as well
        return self.write(_ours(wording.language, template), template, recipient, letter_id, context)

    def write(
        self, chosen: Forms, template: Template, recipient: Recipient, letter_id: str, context: Mapping[str, Any]
    ) -> Written:
        """A mail in both forms.

        Raises:
            jinja2.UndefinedError: a fact is missing that it states.
        """
        values = self._values(chosen, template, recipient, letter_id, context)
        values["subject"] = subject = filled(chosen.subject, values)
        values["preview"] = filled(chosen.preview, values)
        return Written(chosen.language.code, subject, filled(chosen.text, values), filled(chosen.html, values))

    def _values(
        self, chosen: Forms, template: Template, recipient: Recipient, letter_id: str, context: Mapping[str, Any]
    ) -> dict[str, Any]:
        language = chosen.language
        values = {
            **self._constants_of(self._programs[recipient.program]),
            "language": language.code,
            "direction": language.direction,
            "start": "right" if language.right_to_left else "left",
            "line_height": _OTHER_LINES if language.right_to_left else _LATIN_LINES,
            "link": language.link_withheld,
            "unsubscribe_url": None,
            **context,
            "staff": template in STAFF,
            "name": recipient.name,
            "candidate_id": recipient.candidate_id,
            "number": mail_number(letter_id),
        }
        if TOKEN in context:
            page = "staff/activate" if template in STAFF else _PAGES.get(template, "activate")
            values["link"] = f"{self._public_url}/{page}?token={context[TOKEN]}"
        return values

    def _constants_of(self, program: Program) -> dict[str, Any]:
        branding, ways = program.branding, program.sign_in
        return {
            **_colours(branding.colour),
            "program": program.name,
            # Where it alone lets people in.
            "provider": ways.openid.name if ways.openid and not ways.local_passwords else None,
            "mark_url": f"{self._public_url}/api/certs/v1/public/issuers/{program.id}/mark.png",
            "support_url": branding.support_url,
            "public_url": self._public_url,
            "host": urlsplit(self._public_url).netloc,
        }


def _ours(language: str, template: Template) -> Forms:
    """The mail in this language, or in English where nobody has written it in that."""
    found = builtin_forms(language, template) or builtin_forms(languages.DEFAULT, template)
    if found is None:
        raise LookupError(f"nobody has written {template}")
    return found


@lru_cache(maxsize=64)
def _colours(colour: str) -> Mapping[str, str]:
    bright, night = light(colour), dark(colour)
    return {"brand": bright.brand, "brand_dark": night.brand, "on_brand_dark": night.on_brand}
