"""Sentences in the reader's language: which one it is, its plurals, its days, and that values cannot break out."""

from datetime import date
from pathlib import Path

import pytest
from babel.dates import format_date
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from libs.common.languages import ARABIC, ENGLISH, LANGUAGES, READER, SPANISH, language_of, wanted_language
from libs.common.languages.days import spoken
from libs.common.languages.speech import Speech
from libs.common.pages.saying import Saying
from tests.languages import read_in

_CATALOGUE = """
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

msgid "Renew <strong>{title}</strong>"
msgstr "Renueva <strong>{title}</strong>"

msgid "{count} exam of {name}"
msgid_plural "{count} exams of {name}"
msgstr[0] "{count} examen de {name}"
msgstr[1] "{count} exámenes de {name}"
"""


@pytest.fixture
def speech(tmp_path: Path) -> Speech:
    (tmp_path / "es.po").write_text(_CATALOGUE)
    return Speech(tmp_path)


@pytest.mark.parametrize(
    ("accept", "code"),
    [
        ("", "en"),
        ("es", "es"),
        ("es-MX,es;q=0.9,en;q=0.8", "es"),
        ("de, ar;q=0.3, es;q=0.4", "es"),
        ("en;q=0.5, ar-EG", "ar"),
        ("es;q=0, ar;q=0.1", "ar"),
        ("tlh", "en"),
        ("es;q=much", "en"),
        ("*", "en"),
    ],
)
def test_the_best_of_ours_is_chosen(accept: str, code: str) -> None:
    assert wanted_language(accept).code == code


@given(st.text(max_size=200))
def test_whatever_a_browser_asks_for_there_is_a_language(accept: str) -> None:
    assert wanted_language(accept) in LANGUAGES.values()
    assert language_of(accept) in (None, *LANGUAGES.values())


def test_a_sentence_is_said_in_the_readers_language_and_in_english_where_there_is_none(speech: Speech) -> None:
    assert speech.say("Renew <strong>{title}</strong>", title="CCNA") == "Renew <strong>CCNA</strong>"
    with read_in(SPANISH):
        assert speech.say("Renew <strong>{title}</strong>", title="CCNA") == "Renueva <strong>CCNA</strong>"
        assert [speech.say_many("{count} exam of {name}", "{count} exams of {name}", n, name="X") for n in (1, 2)] == [
            "1 examen de X",
            "2 exámenes de X",
        ]
        assert speech.say("Not in the catalogue") == "Not in the catalogue"
    with read_in(ARABIC):
        assert speech.say_many("{count} exam of {name}", "{count} exams of {name}", 2, name=3) == "2 exams of 3"


def test_in_templates_a_sentence_keeps_its_tags_and_escapes_its_values(speech: Speech) -> None:
    with read_in(SPANISH):
        said = Saying(speech).say("Renew <strong>{title}</strong>", title="<b>")
        many = Saying(speech).say_many("{count} exam of {name}", "{count} exams of {name}", 1, name="<b>")
    assert (said, many) == ("Renueva <strong>&lt;b&gt;</strong>", "1 examen de &lt;b&gt;")


@given(st.dates(date(1000, 1, 1)), st.sampled_from(sorted(LANGUAGES)))
def test_days_are_those_of_unicode(day: date, code: str) -> None:
    with read_in(LANGUAGES[code]):
        assert spoken(day) == format_date(day, "long", locale=LANGUAGES[code].locale)
    assert READER.get() is ENGLISH


def test_from_right_to_left_values_stand_by_themselves(speech: Speech) -> None:
    with read_in(ARABIC):
        assert (
            speech.say("{exam} passed", exam="200-301")
            == "\N{FIRST STRONG ISOLATE}200-301\N{POP DIRECTIONAL ISOLATE} passed"
        )
        assert speech.say_many("{count} exam of {name}", "{count} exams of {name}", 2, name="X").startswith(
            "2 exams of \N{FIRST STRONG ISOLATE}X"
        )
        assert Saying(speech).say("By {day}", day=Markup("<time>1</time>")) == (
            "By \N{FIRST STRONG ISOLATE}<time>1</time>\N{POP DIRECTIONAL ISOLATE}"
        )
        assert "&lt;" in Saying(speech).say("By {name}", name="<b>")
