"""What notify says on pages, in the language of whoever reads. Mails have languages of their own (`languages`)."""

from pathlib import Path
from typing import Final

from libs.common.languages.speech import Speech

SPEECH: Final = Speech(Path(__file__).parent / "languages")
say = SPEECH.say
