"""Readers of other languages."""

from collections.abc import Iterator
from contextlib import contextmanager

from libs.common.languages import READER, Language


@contextmanager
def read_in(language: Language) -> Iterator[None]:
    """What is said inside is said in this language."""
    token = READER.set(language)
    try:
        yield
    finally:
        READER.reset(token)
