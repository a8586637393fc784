"""Mails as compiled templates: from a source in one language to what only needs values.

Every template runs in Jinja's immutable sandbox, ours and those that staff write alike. What of Jinja a template of
staff may use is narrower still; see `editions.rules`.
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import StrictUndefined
from jinja2 import Template as JinjaTemplate
from jinja2.sandbox import ImmutableSandboxedEnvironment

from services.notify.domain.mails import Template
from services.notify.languages import LANGUAGES
from services.notify.languages.language import Language
from services.notify.markup import read, read_body

LONGEST = 500_000
"""Characters of one form of a mail; ours have some five thousand."""

_FOLDER = files("services.notify") / "templates"


@dataclass(frozen=True, slots=True)
class Forms:
    """A mail that waits for its values."""

    language: Language
    subject: JinjaTemplate
    preview: JinjaTemplate
    text: JinjaTemplate
    html: JinjaTemplate


def builtin(language: Language, template: Template) -> str | None:
    """The source that comes with the service; None where nobody has written one in this language."""
    file = _FOLDER / language.code / f"{template}.mail"
    return file.read_text() if file.is_file() else None


def compiled(source: str, language: Language) -> Forms:
    """A mail's source with the layout around it, ready to be filled.

    Raises:
        MarkupError: it does not follow the markup.
        jinja2.TemplateSyntaxError: it is no Jinja template.
    """
    plain, rich = environments(language)
    said = read(source, right_to_left=language.right_to_left)
    foot_text, foot_html = read_body(
        _footer(language).replace("{{ why }}", said.why), right_to_left=language.right_to_left
    )
    return Forms(
        language=language,
        subject=plain.from_string(said.subject),
        preview=plain.from_string(said.preview),
        text=plain.from_string(_filled(_layout("layout.txt"), said.text, foot_text.rstrip("\n"))),
        html=rich.from_string(_filled(_layout("layout.html"), said.html, foot_html)),
    )


@cache
def builtin_forms(language: str, template: Template) -> Forms | None:
    """A mail that comes with the service, compiled at its first use: few processes ever need all of them."""
    source = builtin(LANGUAGES[language], template)
    return None if source is None else compiled(source, LANGUAGES[language])


def filled(form: JinjaTemplate, values: dict[str, Any]) -> str:
    """What `render` does, without copying Jinja's global functions beside the values; no template calls any.

    Raises:
        jinja2.UndefinedError: a value is missing.
        OverflowError: it gets longer than any mail of ours.
    """
    length, parts = 0, []
    for part in form.root_render_func(form.new_context(values, shared=True)):
        parts.append(part)
        length += len(part)
        if length > LONGEST:
            raise OverflowError("the mail gets too long")
    return "".join(parts)


@cache
def environments(language: Language) -> tuple[ImmutableSandboxedEnvironment, ImmutableSandboxedEnvironment]:
    """For plain text, in which nothing is markup, and for HTML."""
    plain, rich = (
        ImmutableSandboxedEnvironment(autoescape=autoescape, undefined=StrictUndefined, auto_reload=False)
        for autoescape in (False, True)
    )
    for environment in (plain, rich):
        environment.filters.update(language.filters)
    return plain, rich


@cache
def _layout(name: str) -> str:
    return (_FOLDER / name).read_text()


@cache
def _footer(language: Language) -> str:
    return (_FOLDER / language.code / "footer.mail").read_text()


def _filled(layout: str, body: str, footer: str) -> str:
    """One template instead of inclusions at each rendering."""
    return layout.replace("{{ body }}\n", body).replace("{{ body }}", body).replace("{{ footer }}", footer)
