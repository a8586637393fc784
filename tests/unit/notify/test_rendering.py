"""What the mails say, in both forms and for every program."""

import re
from collections.abc import Mapping
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as modern
from html import escape
from typing import Any

import pytest

from libs.common.programs import OpenIdProvider, Program, SignIn
from libs.common.programs.brand import light
from services.notify import languages, rendering
from services.notify.domain.mails import STAFF, Template
from services.notify.forms import builtin_forms
from services.notify.languages import LANGUAGES
from services.notify.letters import Letter
from services.notify.rendering import Renderer
from services.notify.samples import SAMPLES
from tests.unit.notify.conftest import Write

FACTS: dict[str, Any] = {
    name: value for samples in reversed(SAMPLES.values()) for name, value in samples[0].items()
} | {"token": "open-sesame"}
"""More than any mail states."""


def read(renderer: Renderer, letter: Letter) -> tuple[EmailMessage, str, str]:
    message = message_from_bytes(renderer.envelope(letter).content, policy=modern)
    assert isinstance(message, EmailMessage)
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert html is not None
    return message, *(part.get_content().replace("\r\n", "\n") for part in (plain, html))


@pytest.mark.parametrize("program", ["cisco", "juniper"])
@pytest.mark.parametrize("template", list(Template))
def test_every_mail_says_whose_it_is_in_both_forms(
    renderer: Renderer, write: Write, programs: Mapping[str, Program], template: Template, program: str
) -> None:
    message, text, html = read(renderer, write(template, FACTS, program))
    branding = programs[program].branding
    assert message["From"].addresses[0].addr_spec == branding.sender_email
    assert message["Message-ID"] == f"<{'0123456789abcdef' * 2}@{branding.sender_email.partition('@')[2]}>"
    for form in (text, html):
        for part in (programs[program].name, "CSCO10000001", "0123-4567"):
            assert part in form
        assert ("sign in by typing" in form) == (template not in STAFF)
        assert ("candidate ID" in form) == (template not in STAFF)
        assert "You get this because" in form
        assert branding.support_url in form
        assert "{{" not in form
        assert "{%" not in form
    assert light(branding.colour).brand in html
    assert "prefers-color-scheme:dark" in html
    size = 'width="34" height="34"'
    assert re.findall("<img[^>]*>", html) == [
        f'<img src="https://certs.example/api/certs/v1/public/issuers/{program}/mark.png" {size} alt="">'
    ]


@pytest.mark.parametrize("template", list(Template))
def test_forms_of_a_mail_say_the_same(renderer: Renderer, write: Write, template: Template) -> None:
    _, text, html = read(renderer, write(template, FACTS))
    body = html[html.index("</h1>") : html.index("</footer>")]
    spoken = set(re.findall(r"[A-Za-z0-9-]+", re.sub(r"<[^>]+>", " ", body)))
    assert spoken <= set(re.findall(r"[A-Za-z0-9-]+", text))


def test_text_of_a_congratulation(renderer: Renderer, write: Write) -> None:
    _, text, _ = read(renderer, write(Template.CERTIFICATION_AWARDED, FACTS))
    assert text.startswith(
        "Well done, Ada Lovelace. You have earned CCNA.\n"
        "\n"
        "- Certification: CCNA\n"
        "- Earned on: 1 March 2026\n"
        "- Valid until: 1 March 2029\n"
        "\n"
        "200-301 was passed on 1 March 2026.\n"
        "\n"
        "See your certification:\n"
        "https://certs.example/certifications\n"
        "\n"
        "A certification kit comes with it."
    )


def test_milestone_names_its_years(renderer: Renderer, write: Write) -> None:
    message, text, _ = read(renderer, write(Template.MILESTONE_REACHED, FACTS | {"title": "25 years"}))
    assert message["Subject"] == "25 years"
    for part in ("for 25 years.", "- Held without a gap since: 1 March 2001\n", "- Reached on: 1 March 2026\n"):
        assert part in text


def test_certification_that_never_expires_announces_no_end_and_no_kit(renderer: Renderer, write: Write) -> None:
    facts = FACTS | {"expires_on": None, "kit": False}
    _, text, html = read(renderer, write(Template.CERTIFICATION_AWARDED, facts))
    for form in (text, html):
        assert "it does not expire" in form
        assert "runs out" not in form
        assert "kit" not in form.lower()


def test_text_of_a_suspension_says_what_still_holds(renderer: Renderer, write: Write) -> None:
    because = "200-301 passed on 1 March 2026; suspended by the program on 3 May 2026: [a](b) <c>; its last day stays."
    message, text, html = read(renderer, write(Template.CERTIFICATION_SUSPENDED, FACTS | {"because": because}))
    assert message["Subject"] == "CCNA is suspended"
    assert "until it is reinstated it does not count as active" in text
    assert "- Last active day: 1 March 2029" in text
    assert because in text, "what staff wrote stands there as they wrote it"
    assert "[a](b) &lt;c&gt;" in html
    assert f'<p dir="auto"><bdi>{escape(because)}</bdi></p>' in html, "in whatever language it is"


def test_link_stands_in_the_mail_and_not_in_the_log(renderer: Renderer, write: Write) -> None:
    letter = write(Template.ACTIVATION, FACTS)
    link = "https://certs.example/activate?token=open-sesame"
    _, text, html = read(renderer, letter)
    assert link in text
    assert f'href="{link}"' in html
    assert "24 November 2026, 12:30 UTC" in text
    logged = renderer.words(letter.template, letter.id, letter.context, letter.recipient)
    assert "open-sesame" not in logged.text
    assert LANGUAGES["en"].link_withheld in logged.text


@pytest.mark.parametrize("template", [Template.ACTIVATION, Template.RECOVERY])
def test_mail_of_a_program_without_passwords_speaks_of_its_provider(
    programs: Mapping[str, Program], write: Write, template: Template
) -> None:
    provider = OpenIdProvider("Acme ID", "https://id.acme.example", "certrail", "acmeid", ("openid",), frozenset())
    for passwords in (True, False):
        sign_in = SignIn(local_passwords=passwords, openid=provider)
        renderer = Renderer({"cisco": replace(programs["cisco"], sign_in=sign_in)}, "https://certs.example/")
        message, text, html = read(renderer, write(template, FACTS))
        said = f"{message['Subject']} {text.partition('--')[0]} {html.partition('<footer>')[0]}"
        assert ("password" in said) is passwords
        assert ("sign in with Acme ID" in said.replace("Sign", "sign")) is not passwords
        assert "https://certs.example/activate?token=open-sesame" in text


def test_name_is_text_and_never_markup(renderer: Renderer, write: Write) -> None:
    name = "<b>Ada</b> {{ token }} [x](https://evil.example) & Sons"
    _, text, html = read(renderer, write(Template.EXAM_PASSED, given_name=name))
    assert name in text
    assert "&lt;b&gt;Ada&lt;/b&gt; {{ token }} [x](https://evil.example) &amp; Sons" in html


@pytest.mark.parametrize("name", ["=SUM(A1:A9)", "+1", "@cmd", "-2+3", "<img src=x onerror=alert(1)>", "{% raw %}"])
def test_name_that_would_act_elsewhere_is_text_in_a_mail(renderer: Renderer, write: Write, name: str) -> None:
    message, text, html = read(renderer, write(Template.CASE_ACCEPTED, FACTS, given_name=name))
    assert f"Hello {name} Lovelace," in text
    assert "<img src=x" not in html
    assert escape(name) in html
    assert message["To"].addresses[0].display_name == f"{name} Lovelace"


@pytest.mark.parametrize(("needed", "said"), [(True, "waits until you have answered"), (False, "There is news of")])
def test_question_is_told_from_news(renderer: Renderer, write: Write, *, needed: bool, said: str) -> None:
    message, text, _ = read(renderer, write(Template.CASE_MESSAGE, FACTS | {"needs_answer": needed}))
    assert said in f"{message['Subject']}\n{text}"
    assert ("waits until" in text) is needed
    assert "https://certs.example/cases/0a1b2c" in text


@pytest.mark.parametrize(
    ("decision", "before", "now", "said"),
    [
        ("changed", "fail", "pass", "looked at your result again, and changed it"),
        ("changed", "fail", "fail", "corrected its score"),
        ("upheld", "fail", "fail", "It stands as it was"),
        ("refused", "fail", "fail", "could not decide on your challenge"),
    ],
)
def test_decision_of_a_challenge_says_what_became_of_the_result(  # noqa: PLR0917 facts
    renderer: Renderer, write: Write, decision: str, before: str, now: str, said: str
) -> None:
    facts = FACTS | {"decision": decision, "previous_grade": before, "grade": now}
    _, text, _ = read(renderer, write(Template.CHALLENGE_DECIDED, facts))
    assert said in text
    assert f"- Result now: {now}" in text
    assert ("has been worked out again" in text) is (decision == "changed")


@pytest.mark.parametrize("template", [Template.RESULT_CHANGED, Template.RESULT_WITHDRAWN])
def test_ruling_of_staff_is_not_said_to_be_the_vendors(renderer: Renderer, write: Write, template: Template) -> None:
    for by in ("vendor", "staff"):
        _, text, _ = read(renderer, write(template, FACTS | {"said_by": by}))
        assert ("The test vendor has" in text) is (by == "vendor")


def test_case_of_a_kind_without_words_is_told_all_the_same(renderer: Renderer, write: Write) -> None:
    _, text, _ = read(renderer, write(Template.CASE_OPENED, FACTS | {"kind": "new_kind"}))
    assert "about a question of yours" in text


@pytest.mark.parametrize(
    ("grade", "previous", "expected"),
    [
        ("pending", "pass", "still looking at this attempt"),
        ("pass", "pass", "only its score was corrected"),
        ("fail", "pass", "has been worked out again"),
        ("pass", "invalidated", "Result before: withdrawn"),
    ],
)
def test_changed_result_says_what_the_change_means(
    renderer: Renderer, write: Write, grade: str, previous: str, expected: str
) -> None:
    facts = FACTS | {"grade": grade, "previous_grade": previous}
    _, text, _ = read(renderer, write(Template.RESULT_CHANGED, facts))
    assert expected in text


def test_same_letter_is_the_same_bytes(renderer: Renderer, write: Write) -> None:
    assert renderer.envelope(write()) == renderer.envelope(write())


def test_missing_fact_is_an_error_and_no_gap(renderer: Renderer, write: Write) -> None:
    with pytest.raises(Exception, match="exam"):
        renderer.envelope(write(context={"taken_on": "2026-03-01"}))


@pytest.mark.parametrize(
    ("wanted", "chosen"), [(None, "en"), ("en-GB", "en"), ("EN", "en"), ("xx", "en"), ("de-CH", "en")]
)
def test_language_without_templates_falls_back(wanted: str | None, chosen: str) -> None:
    assert languages.choose(wanted) == chosen


def test_mail_that_nobody_has_written_in_a_language_comes_in_english_as_a_whole(
    renderer: Renderer, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    english = builtin_forms("en", Template.EXAM_PASSED)
    monkeypatch.setattr(rendering, "builtin_forms", lambda language, _: english if language == "en" else None)
    message, text, html = read(renderer, write(language="ar"))
    assert message["Content-Language"] == "en"
    assert '<html lang="en" dir="ltr">' in html
    assert "You passed" in html
    assert "You can check that this mail is really from us" in text


def test_domain_in_another_script_is_written_for_every_server(renderer: Renderer, write: Write) -> None:
    envelope = renderer.envelope(write(email="ada@bücher.example"))
    assert envelope.recipient.text == "ada@xn--bcher-kva.example"
    assert not envelope.recipient.needs_utf8
    assert b"<ada@xn--bcher-kva.example>" in envelope.content
    assert renderer.envelope(write(email="ζωή@bücher.example")).recipient.needs_utf8
