"""What exams says to readers, in their language. What is stored and told to others is English."""

from pathlib import Path
from typing import Final

from libs.common.languages.speech import Speech, mark

SPEECH: Final = Speech(Path(__file__).parent)
say = SPEECH.say
say_many = SPEECH.say_many

__all__ = ["mark", "say", "say_many"]
