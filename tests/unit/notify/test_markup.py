"""The markup of mails."""

import re

import pytest

from services.notify.markup import MarkupError, read, read_body

SOURCE = """Subject: On {{ day }}
Preview: One & all
  of {{ one }}
Why: You get this because.

First line
and second & {{ name }}.

- One: {{ one }}
{% if two %}
- Two {{ "a: b" }}: {{ two | day }}
{% endif %}
- Three

{{ because }}

{% if more %}
[Look & see]({{ url }}/x)

Then this.
{% else %}
Or that.
{% endif %}

> [Ask]({{ help_url }})
"""


def test_source_becomes_a_plain_and_a_rich_template() -> None:
    sources = read(SOURCE)
    assert (sources.subject, sources.preview) == ("On {{ day }}", "One & all of {{ one }}")
    assert sources.why == "You get this because."
    assert sources.text == (
        "First line\nand second & {{ name }}.\n\n"
        '- One: {{ one }}\n{% if two %}- Two {{ "a: b" }}: {{ two | day }}\n{% endif %}- Three\n\n'
        "{{ because }}\n\n"
        "{% if more %}Look & see:\n{{ url }}/x\n\nThen this.\n\n{% else %}Or that.\n\n{% endif %}"
        "Ask:\n{{ help_url }}\n\n"
    )
    label = '<th scope="row" align="{{ start }}">'
    assert sources.html == (
        "<p>First line and second &amp; <bdi>{{ name }}</bdi>.</p>\n"
        '<table class="facts" width="100%" cellpadding="0" cellspacing="0">\n'
        f"<tr>{label}One</th><td><bdi>{{{{ one }}}}</bdi></td></tr>\n"
        f'{{% if two %}}<tr>{label}Two <bdi>{{{{ "a: b" }}}}</bdi></th><td>{{{{ two | day }}}}</td></tr>\n{{% endif %}}'
        '<tr><td colspan="2">Three</td></tr>\n</table>\n'
        '<p dir="auto"><bdi>{{ because }}</bdi></p>\n'
        '{% if more %}<p><a class="do" href="{{ url }}/x">Look &amp; see</a></p>\n'
        '<p class="next">Then this.</p>\n{% else %}<p>Or that.</p>\n{% endif %}'
        '<p><a href="{{ help_url }}">Ask</a></p>\n'
    )


def test_values_stand_apart_in_the_text_of_a_right_to_left_language() -> None:
    sources = read(SOURCE, right_to_left=True)
    assert sources.subject == "On \u2068{{ day }}\u2069"
    assert "- One: \u2068{{ one }}\u2069\n{% if two %}" in sources.text
    assert "Ask:\n{{ help_url }}\n" in sources.text, "a link ends where its address ends"
    assert read_body("{{ support_url }} {{ link }}", right_to_left=True)[0] == "{{ support_url }} {{ link }}\n\n"


def test_what_follows_the_button_is_said_lower_whatever_branch_it_stands_on() -> None:
    button = "[Go]({{ link }})\n"
    _, rich = read_body(f"{{% if a %}}\n{button}\none\n{{% else %}}\ntwo\n\n{button}{{% endif %}}\n\nthree\n")
    assert re.findall(r"<p( class=.next.)?>(one|two|three)", rich) == [
        (' class="next"', "one"),
        ("", "two"),
        (' class="next"', "three"),
    ]
    _, rich = read_body(f"{button}\n{{% if a %}}\none\n{{% else %}}\ntwo\n{{% endif %}}")
    assert rich.count('class="next"') == 2


def test_condition_that_goes_on_after_facts_is_not_closed_with_them() -> None:
    plain, rich = read_body("- One: 1\n{% if two %}\n\nMore.\n{% endif %}")
    assert plain == "- One: 1\n\n{% if two %}More.\n\n{% endif %}"
    assert rich.index("</table>") < rich.index("{% if two %}")


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("Hello", "line 1 of the head must begin with 'Subject: '"),
        ("Subject: a\nWhy: b\n", "line 2 of the head must begin with 'Preview: '"),
        ("Subject: a\nPreview: b\nWhy: \n\nc", "must say something after 'Why:'"),
        ("Subject: a\nPreview: b\nWhy: c\nd", "an empty line must stand between"),
        ("Subject: a\nPreview: b\nWhy: c\n\n{# {{ #}<b>{# }} #}", "comments and raw text cannot be used"),
        ("Subject: a\nPreview: b\nWhy: c\n\n{% raw %}{{ <b> }}{% endraw %}", "comments and raw text cannot be used"),
        ('Subject: a\nPreview: b\nWhy: c\n\n{{ "\n\n<b>" }}', "unexpected char"),
        ("Subject: a\nPreview: b\nWhy: c\n\n{{ a", "'{{ a' does not end"),
    ],
)
def test_source_that_does_not_follow_the_markup_is_refused(source: str, fault: str) -> None:
    with pytest.raises(MarkupError, match=fault.replace("{", r"\{")):
        read(source)
