"""What the portal says, in the language of whoever reads."""

from pathlib import Path
from typing import Final

from libs.common.languages.speech import Speech, mark

SPEECH: Final = Speech(Path(__file__).parent)
say = SPEECH.say
say_many = SPEECH.say_many

__all__ = ["SPEECH", "mark", "say", "say_many"]
