"""The small markup in which mails are written once, and how it becomes a plain and a rich Jinja template.

The first line is `Subject: …`. Blocks are parted by empty lines:

- a paragraph: any lines;
- facts: lines that begin with `- `;
- what to do next: `[label](address)`, alone;
- `{% … %}` alone on a line holds back or shows what is between.

The markup is read when templates are loaded and values are filled in later, so that nothing in a value is markup.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

_SUBJECT = "Subject: "
_CONTROL = re.compile(r"\{%[^%]*%\}")
_BUTTON = re.compile(r"\[([^\]]+)\]\((.+)\)")
_JINJA = re.compile(r"(\{\{.*?\}\}|\{%.*?%\})")


class MarkupError(Exception):
    """A mail's source does not follow the markup."""


@dataclass(frozen=True, slots=True)
class Sources:
    """One mail as Jinja sources."""

    subject: str
    text: str
    html: str


def read(source: str, *, name: str) -> Sources:
    """Turn a mail's source into templates. Raises `MarkupError`, which names the mail."""
    first, _, rest = source.partition("\n")
    if not first.startswith(_SUBJECT):
        raise MarkupError(f"{name}: the first line must begin with '{_SUBJECT}'")
    blocks = list(_blocks(rest))
    return Sources(
        subject=first.removeprefix(_SUBJECT).strip(),
        text="".join(map(_text, blocks)),
        html="".join(map(_html, blocks)),
    )


def _blocks(body: str) -> Iterator[list[str]]:
    """Runs of lines between empty ones; a line of control is a block of its own."""
    block: list[str] = []
    for line in [*body.splitlines(), ""]:
        control = _CONTROL.fullmatch(line.strip())
        if line.strip() and not control:
            block.append(line.strip())
            continue
        if block:
            yield block
            block = []
        if control:
            yield [line.strip()]


def _text(block: list[str]) -> str:
    if _CONTROL.fullmatch(block[0]):
        return block[0]
    button = _BUTTON.fullmatch(block[0])
    if button:
        return f"{button[1]}:\n{button[2]}\n\n"
    return "\n".join(block) + "\n\n"


def _html(block: list[str]) -> str:
    if _CONTROL.fullmatch(block[0]):
        return block[0]
    button = _BUTTON.fullmatch(block[0])
    if button:
        return f'<p><a class="do" href="{_escaped(button[2])}">{_escaped(button[1])}</a></p>\n'
    if all(line.startswith("- ") for line in block):
        items = "".join(f"<li>{_escaped(line[2:])}</li>\n" for line in block)
        return f"<ul>\n{items}</ul>\n"
    return f"<p>{_escaped(' '.join(block))}</p>\n"


def _escaped(literal: str) -> str:
    """The literal parts safe in HTML; what Jinja fills in it escapes itself."""
    parts = _JINJA.split(literal)
    return "".join(part if position % 2 else escape(part) for position, part in enumerate(parts))
