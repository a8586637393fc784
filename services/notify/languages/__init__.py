"""The languages of mails; one has an entry in `LANGUAGES` and a folder under `templates`."""

from collections.abc import Mapping

from services.notify.languages.arabic import ARABIC
from services.notify.languages.english import ENGLISH
from services.notify.languages.language import Language
from services.notify.languages.spanish import SPANISH

DEFAULT = ENGLISH.code
"""In which every mail is written; another language may have fewer, and this stands in for the others."""

LANGUAGES: Mapping[str, Language] = {language.code: language for language in (ENGLISH, SPANISH, ARABIC)}


def choose(wanted: str | None) -> str:
    """The language to write in for a BCP 47 tag: its primary subtag if it is one of ours."""
    primary = (wanted or DEFAULT).partition("-")[0].lower()
    return primary if primary in LANGUAGES else DEFAULT
