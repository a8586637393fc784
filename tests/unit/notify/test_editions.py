"""What a mail's source may hold, and what comes of a source that holds anything."""

import re
from collections.abc import Mapping
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.common.programs import Program
from services.notify.domain.mails import STAFF, TOKEN, Template
from services.notify.editions.checking import Checker
from services.notify.editions.preview import FactError, facts_for, themed
from services.notify.editions.rules import names_of
from services.notify.forms import builtin, compiled
from services.notify.languages import LANGUAGES
from services.notify.rendering import Renderer
from services.notify.samples import SAMPLES

ENGLISH = LANGUAGES["en"]
HEAD = "Subject: s\nPreview: p\nWhy: w\n\n"
LINKED = HEAD + "[Open]({{ link }})\n\n"
WRITTEN = [
    (language, template) for language in LANGUAGES for template in Template if builtin(LANGUAGES[language], template)
]


@pytest.fixture(scope="module")
def checker(programs: Mapping[str, Program]) -> Checker:
    return Checker(Renderer(programs, "https://certs.example"))


def codes(checker: Checker, source: str, template: Template = Template.EXAM_PASSED) -> set[str]:
    return {fault.code for fault in checker.check(source, "cisco", template, ENGLISH)}


@pytest.mark.parametrize(("language", "template"), WRITTEN)
def test_our_own_mails_keep_the_rules_of_staff(checker: Checker, language: str, template: Template) -> None:
    source = builtin(LANGUAGES[language], template)
    assert source is not None
    for program in ("cisco", "juniper"):
        assert checker.check(source, program, template, LANGUAGES[language]) == []


def test_every_mail_is_written_in_english_and_has_samples() -> None:
    assert {template for language, template in WRITTEN if language == "en"} == set(Template) == set(SAMPLES)


@pytest.mark.parametrize(
    "body",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ exam.__class__ }}",
        "{{ exam.upper() }}",
        "{{ range(10) }}",
        "{{ exam * 1000000000 }}",
        "{{ 9 ** 9 ** 9 }}",
        "{{ exam ~ exam }}",
        "{{ exam | center(1000000000) }}",
        "{{ exam | safe }}",
        "{{ exam | default(program) }}",
        "{% set x = 1 %}",
        "{% macro m() %}{% endmacro %}",
        "{% include 'x' %}",
        "{% for letter in exam %}x{% endfor %}",
        "{% if exam is sameas name %}x{% endif %}",
        "{{ lipsum }}",
        "{{ self }}",
        "{{ token }}",
        "{{ link }}",
        "{{ taken_on[0] }}",
        "{% raw %}{{ <script> }}{% endraw %}",
        "{# {{ #}<script>{# }} #}",
        "{% autoescape false %}{{ name }}{% endautoescape %}",
        "{{ " + "(" * 200 + "1" + ")" * 200 + " }}",
        "{{ " + " and ".join(["1"] * 3_000) + " }}",
        "{% if 1 %}" * 50 + "x" + "{% endif %}" * 50,
        "{% if 1 %}" * 120 + "x" + "{% endif %}" * 120,
        "{{ taken_on | grade }}",
        "x" * 20_001,
        "[Go](javascript:alert)",
        "[Go](http://certs.example/)",
        "[Go](https://evil.example/?{{ name }})",
        "[Go]({{ public_url }}.evil.example)",
        "[Go]({{ public_url }}@evil.example)",
        "[Go](//evil.example)",
        "[Go]({{ name }})",
        "[One]({{ public_url }}/a)\n\n[Two]({{ public_url }}/b)",
    ],
)
def test_source_that_could_do_more_than_say_something_is_refused(checker: Checker, body: str) -> None:
    assert codes(checker, HEAD + body + "\n")


@pytest.mark.parametrize(
    "body",
    [
        "Hello {{ name }}, {{ exam }} on {{ taken_on | day }}: {{ 'pass' | grade }}.",
        "{% if provider is defined and provider is not none %}\n{{ provider }}\n{% endif %}",
        "[Go](https://program.example/policy#renewal)",
        "[Go]({{ public_url }}/exams)\n\n> [Ask]({{ support_url }})",
        "{{ 'a' if exam == 'b' else 'c' }} {{ host }} {{ number }}",
        "<b>{{ name }}</b> & more",
    ],
)
def test_source_that_says_something_is_taken(checker: Checker, body: str) -> None:
    assert not codes(checker, HEAD + body + "\n")


@pytest.mark.parametrize("template", [Template.VOUCHER_ASSIGNED, Template.VENDOR_PROFILE_PROBLEM])
def test_lists_may_be_looped_over_once(checker: Checker, template: Template) -> None:
    name = "exams" if template is Template.VOUCHER_ASSIGNED else "reasons"
    loop = f"{{% for one in {name} %}}\n{{{{ one }}}}\n{{% endfor %}}\n"
    assert not codes(checker, HEAD + loop, template)
    assert not codes(checker, HEAD + f"{{{{ {name} | join(', ') }}}} {{{{ {name} | length }}}}", template)
    nested = loop.replace("{{ one }}", f"{{% for two in {name} %}}\n{{{{ two }}}}\n{{% endfor %}}")
    assert codes(checker, HEAD + nested, template) == {"not_allowed"}


def test_link_that_opens_an_account_is_a_button_and_nothing_else(checker: Checker) -> None:
    assert not codes(checker, LINKED, Template.ACTIVATION)
    for body in ("", "{{ link }}", "> [Open]({{ link }})"):
        assert codes(checker, HEAD + body, Template.ACTIVATION), body
    for more in ("{{ link }}", "Look at https://evil.example/?{{ link }}", "{{ link | default('') }}", "{{ token }}"):
        assert codes(checker, LINKED + more, Template.ACTIVATION), more
    assert "link" not in names_of(Template.EXAM_PASSED)
    assert all(TOKEN not in names_of(template) for template in Template)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[tuple[str, tuple[str, ...]]] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add((tag, tuple(sorted(name for name, _ in attrs))))


_OURS = {
    ("p", ()),
    ("p", ("class",)),
    ("p", ("dir",)),
    ("p", ("class", "dir")),
    ("a", ("class", "href")),
    ("a", ("href",)),
    ("bdi", ()),
    ("table", ("cellpadding", "cellspacing", "class", "width")),
    ("tr", ()),
    ("th", ("align", "scope")),
    ("td", ()),
    ("td", ("colspan",)),
}
_PIECES = [
    *(
        "{{ name }}",
        "{{ exam | day }}",
        "{{",
        "}}",
        "{%",
        "%}",
        "{#",
        "#}",
        "{% if name %}",
        "{% endif %}",
        "{% raw %}",
    ),
    *(
        "{% endraw %}",
        "<script>",
        "</p>",
        "<",
        '"',
        "'",
        "'<b>'",
        "[",
        "](",
        ")",
        "- ",
        ": ",
        "> ",
        "\n",
        "\n\n",
        "x",
        "&",
    ),
    *("{{ '<i>' }}", "{{ public_url }}", "https://e.example/", "-", "{{- ", " -}}"),
]


@settings(max_examples=100)
@given(pieces=st.lists(st.sampled_from(_PIECES), max_size=12), name=st.text(max_size=8))
def test_no_source_and_no_name_makes_an_element_that_is_not_ours(
    checker: Checker, pieces: list[str], name: str
) -> None:
    source = HEAD + "".join(pieces)
    if checker.check(source, "cisco", Template.EXAM_PASSED, ENGLISH):
        return
    facts = SAMPLES[Template.EXAM_PASSED][0] | {"exam": f"<i>{name}</i>\"'"}
    try:
        html = checker.sample(compiled(source, ENGLISH), "cisco", Template.EXAM_PASSED, facts).html
    except ValueError:  # the name is no day
        return
    body = html.partition("</h1>")[2].partition("</main>")[0]
    tags = _Tags()
    tags.feed(body)
    assert tags.found <= _OURS


def test_own_facts_are_of_the_kind_that_the_mail_has() -> None:
    template = Template.CERTIFICATION_AWARDED
    assert facts_for(template, 0, {"expires_on": None, "kit": False, "title": "x"})["title"] == "x"
    assert facts_for(Template.ACTIVATION, 0, {"expires_at": "2026-01-01T00:00:00+02:00"})["expires_at"].hour == 22
    for wrong in ({"kit": 1}, {"title": None}, {"token": "x"}, {"earned_on": "today"}, {"nothing": 1}):
        with pytest.raises(FactError):
            facts_for(template, 0, wrong)


def test_preview_shows_day_and_night(programs: Mapping[str, Program], checker: Checker) -> None:
    source = builtin(ENGLISH, Template.EXAM_PASSED)
    assert source is not None
    html = checker.sample(
        compiled(source, ENGLISH), "cisco", Template.EXAM_PASSED, SAMPLES[Template.EXAM_PASSED][0]
    ).html
    assert themed(html, "device") == html
    assert "@media all{" in themed(html, "dark")
    assert "@media not all{" in themed(html, "light")
    assert "prefers-color-scheme" not in themed(html, "dark") + themed(html, "light")


@pytest.mark.parametrize("language", LANGUAGES)
def test_mails_are_laid_out_for_the_direction_of_their_language(checker: Checker, language: str) -> None:
    """Whoever has not written a mail in a language yet gets it in English as a whole; this one is written here."""
    source = HEAD + "Hello {{ name }}.\n\n- Exam: {{ exam }}\n- When: {{ taken_on | day }}\n"
    written = checker.sample(
        compiled(source, LANGUAGES[language]), "cisco", Template.EXAM_PASSED, SAMPLES[Template.EXAM_PASSED][0]
    )
    direction, start = ("rtl", "right") if language == "ar" else ("ltr", "left")
    assert f'<html lang="{language}" dir="{direction}">' in written.html
    assert f'lang="{language}" dir="{direction}">\n<main>' in written.html, "some mailboxes drop what stands on html"
    assert f'<th scope="row" align="{start}">Exam</th><td><bdi>CCNA (200-301)</bdi></td>' in written.html
    assert ("- Exam: \u2068CCNA (200-301)\u2069\n" in written.text) is (language == "ar")
    assert re.search(r"(?<![\u2068\w/.])https://certs\.example/settings\n", written.text)
    assert Template.EXAM_PASSED not in STAFF
