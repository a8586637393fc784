"""Whether a source can be used for a mail: read, compiled, and filled with every sample of its kind."""

import re
from collections.abc import Iterator
from typing import Final

from jinja2 import TemplateError

from services.notify.domain.mails import TOKEN, Template
from services.notify.domain.recipients import Recipient
from services.notify.editions.rules import Fault, faults
from services.notify.forms import Forms, compiled
from services.notify.languages.language import Language
from services.notify.rendering import Renderer, Written
from services.notify.samples import SAMPLES, Facts

NUMBER: Final = "0123456789abcdef0123456789abcdef"
LONGEST_SUBJECT: Final = 150
LONGEST_SAMPLE: Final = 60_000
"""Characters of either form with the facts of a sample; ours have some five thousand."""
_BUTTON = re.compile(r'<a class="do" href="([^"]*)"')


def reader(program: str, language: str) -> Recipient:
    """Somebody to write samples to."""
    return Recipient("CSCO10000001", program, "ada@example.com", "Ada", "Lovelace", language, 1)


class Checker:
    """Checks sources against what mails of a program are."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer

    def check(self, source: str, program: str, template: Template, language: Language) -> list[Fault]:
        """All that keeps a source from being used; nothing where it can be."""
        found = faults(source, template, language)
        if found:
            return found
        try:
            forms = compiled(source, language)
        except (TemplateError, SyntaxError, RecursionError, MemoryError) as error:
            return [Fault("syntax", f"it cannot be compiled: {type(error).__name__}")]
        return [
            fault
            for number, facts in enumerate(SAMPLES[template])
            for fault in self._of_sample(forms, program, template, number, facts)
        ]

    def _of_sample(self, forms: Forms, program: str, template: Template, number: int, facts: Facts) -> Iterator[Fault]:
        try:
            written = self.sample(forms, program, template, facts)
        except Exception as error:  # noqa: BLE001 a template can fail in every way that an expression can
            yield Fault("sample", f"with the facts of sample {number} it fails: {error}"[:300])
            return
        yield from (Fault("sample", f"with the facts of sample {number} {said}") for said in _odd(written, facts))

    def sample(self, forms: Forms, program: str, template: Template, facts: Facts) -> Written:
        """The mail with made-up facts. Raises whatever the template runs into."""
        return self._renderer.write(forms, template, reader(program, forms.language.code), NUMBER, facts)


def _odd(written: Written, facts: Facts) -> Iterator[str]:
    if not written.subject.strip():
        yield "it has no subject"
    if len(written.subject) > LONGEST_SUBJECT:
        yield f"its subject has more than {LONGEST_SUBJECT} characters"
    if max(len(written.text), len(written.html)) > LONGEST_SAMPLE:
        yield f"it has more than {LONGEST_SAMPLE} characters"
    buttons = _BUTTON.findall(written.html)
    if len(buttons) > 1:
        yield "it has more than one button"
    if TOKEN in facts and not any(str(facts[TOKEN]) in address for address in buttons):
        yield "it has no button that leads to {{ link }}"
