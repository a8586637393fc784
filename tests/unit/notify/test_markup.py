"""The markup of mails."""

import pytest

from services.notify.markup import MarkupError, read

SOURCE = """Subject: On {{ day }}

First line
and second & last.

- One: {{ one }}
- Two

{% if more %}
[Look & see]({{ url }}/x)
{% endif %}
"""


def test_source_becomes_a_plain_and_a_rich_template() -> None:
    sources = read(SOURCE, name="sample")
    assert sources.subject == "On {{ day }}"
    assert sources.text == (
        "First line\nand second & last.\n\n- One: {{ one }}\n- Two\n\n"
        "{% if more %}Look & see:\n{{ url }}/x\n\n{% endif %}"
    )
    assert sources.html == (
        "<p>First line and second &amp; last.</p>\n"
        "<ul>\n<li>One: {{ one }}</li>\n<li>Two</li>\n</ul>\n"
        '{% if more %}<p><a class="do" href="{{ url }}/x">Look &amp; see</a></p>\n{% endif %}'
    )


def test_source_without_a_subject_is_refused_by_name() -> None:
    with pytest.raises(MarkupError, match="en/sample"):
        read("Hello", name="en/sample")
