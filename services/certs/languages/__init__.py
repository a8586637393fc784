"""What certs says of certifications, in the language of whoever reads. What is stored and told to others is English."""

from collections.abc import Sequence
from functools import reduce
from pathlib import Path
from typing import Final

from libs.common.languages.speech import Speech, mark

SPEECH: Final = Speech(Path(__file__).parent)
say = SPEECH.say
say_many = SPEECH.say_many

__all__ = ["both", "mark", "one_of", "say", "say_many"]


def both(parts: Sequence[str]) -> str:
    """Parts of a sentence that hold together."""
    return reduce(lambda one, other: say("{one} and {other}", one=one, other=other), parts)


def one_of(parts: Sequence[str]) -> str:
    """Parts of a sentence of which one is enough."""
    return reduce(lambda one, other: say("{one} or {other}", one=one, other=other), parts)
