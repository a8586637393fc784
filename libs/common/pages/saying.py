"""Sentences in templates: they may hold tags, and their values are escaped."""

from typing import Any

from markupsafe import Markup

from libs.common.languages.speech import Speech, isolated


class Saying:
    """What templates call `say` and `say_many`."""

    def __init__(self, speech: Speech) -> None:
        self._speech = speech

    def say(self, sentence: str, /, **values: Any) -> Markup:
        said = Markup(self._speech.text(sentence))  # noqa: S704 our own catalogue
        return said.format(**isolated(values)) if values else said

    def say_many(self, one: str, many: str, count: int, /, **values: Any) -> Markup:
        said = Markup(self._speech.text_many(one, many, count))  # noqa: S704 our own catalogue
        return said.format(count=count, **isolated(values))
