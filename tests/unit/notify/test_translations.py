"""Every mail is there in every language, and says what the English one says, in the same order."""

import re
from collections.abc import Mapping

import pytest
from jinja2 import Environment, meta

from libs.common.programs import Program
from services.notify.domain.mails import Template
from services.notify.editions.checking import Checker
from services.notify.forms import builtin, compiled
from services.notify.languages import LANGUAGES
from services.notify.markup import addresses
from services.notify.rendering import Renderer, Written
from services.notify.samples import SAMPLES, Facts

ENGLISH = LANGUAGES["en"]
OTHERS = [language for language in LANGUAGES.values() if language is not ENGLISH]
TRANSLATED = [(language.code, template) for language in OTHERS for template in Template]
_TAG = re.compile(r"</?(?!bdi|/)(\w+)([^>]*)>")
_WAY = re.compile(r'(?: class="do")? href="[^"]*"')

translated = pytest.mark.parametrize(("code", "template"), TRANSLATED)


@pytest.fixture(scope="module")
def checker(programs: Mapping[str, Program]) -> Checker:
    return Checker(Renderer(programs, "https://certs.example"))


def source(code: str, template: Template) -> str:
    found = builtin(LANGUAGES[code], template)
    assert found is not None, f"nobody has written {template} in {code}"
    return found


def names(text: str) -> set[str]:
    environment = Environment(autoescape=True)
    environment.filters.update(ENGLISH.filters)
    return meta.find_undeclared_variables(environment.parse(text))


def written(checker: Checker, code: str, template: Template, facts: Facts) -> Written:
    return checker.sample(compiled(source(code, template), LANGUAGES[code]), "cisco", template, facts)


def shape(mail: Written) -> list[str]:
    """The blocks of a mail and where its links lead, without its words."""
    body = mail.html.partition("</h1>")[2]
    return [tag[1] + "".join(_WAY.findall(tag[2])) for tag in _TAG.finditer(body)]


@translated
def test_translation_has_the_same_facts_and_links(code: str, template: Template) -> None:
    theirs, ours = source(code, template), source("en", template)
    assert names(theirs) == names(ours)
    assert addresses(theirs) == addresses(ours)


@translated
def test_translation_has_the_same_blocks_in_the_same_order(checker: Checker, code: str, template: Template) -> None:
    for facts in SAMPLES[template]:
        assert shape(written(checker, code, template, facts)) == shape(written(checker, "en", template, facts))


@pytest.mark.parametrize(
    ("template", "fact", "counts"),
    [
        (Template.CERTIFICATION_EXPIRING, "days_left", {1: "يوم واحد", 2: "يومين", 7: "أيام", 30: "يومًا", 100: "يوم"}),
        (Template.CREDITS_RECORDED, "credits", {1: "واحدة", 2: "نقطتي", 8: "نقاط", 40: "نقطة", 1.5: "نقطة"}),
        (Template.MILESTONE_REACHED, "years", {1: "سنة واحدة", 2: "سنتين", 3: "سنوات", 25: "سنة"}),
    ],
)
def test_things_are_counted_as_arabic_counts_them(
    checker: Checker, template: Template, fact: str, counts: Mapping[float, str]
) -> None:
    for count, said in counts.items():
        text = written(checker, "ar", template, SAMPLES[template][0] | {fact: count}).text
        number = f"\u2068{count}\u2069 {said}"
        assert re.search(rf"{said if count in {1, 2} else number}(?!\w)", text), (count, text)


@pytest.mark.parametrize(
    ("count", "said"),
    [(2, "شهادتين"), (3, "\u20683\u2069 شهادات"), (11, "\u206811\u2069 شهادة")],
)
def test_gathered_reminders_are_counted_as_arabic_counts_them(checker: Checker, count: int, said: str) -> None:
    mail = written(
        checker, "ar", Template.CERTIFICATION_EXPIRING, SAMPLES[Template.CERTIFICATION_EXPIRING][-1] | {"count": count}
    )
    assert said in mail.subject
    assert said in mail.text


@pytest.mark.parametrize(
    ("count", "said"),
    [(2, "أمران جديدان"), (3, "\u20683\u2069 أمور"), (11, "\u206811\u2069 أمرًا"), (100, "\u2068100\u2069 أمر ")],
)
def test_news_are_counted_as_arabic_counts_them(checker: Checker, count: int, said: str) -> None:
    assert said in written(checker, "ar", Template.DIGEST, SAMPLES[Template.DIGEST][0] | {"count": count}).subject
