"""The small markup in which mails are written once, and how it becomes plain and rich Jinja templates.

The head is three lines, each of which goes on in lines that begin with a space:

- `Subject: …`, which is the mail's heading as well;
- `Preview: …`, what mailboxes show beside the subject: what the mail means for its reader;
- `Why: …`, a whole sentence for the foot: why they get it.

Blocks of the body are parted by empty lines:

- a paragraph: any lines;
- facts: lines `- Label: value`; control lines among them hold back or repeat single ones;
- the one thing to do next: `[label](address)`, alone;
- another way, shown as a plain link: `> [label](address)`, alone;
- `{% … %}` alone on a line holds back, shows or repeats what is between.

The markup is read when templates are loaded and values are filled in later, so that nothing in a value is markup. In
HTML every value stands in `<bdi>`, and in the text of a right-to-left language between Unicode's isolates: a name or a
code in another script would otherwise change the order of what is around it (UAX #9).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

from jinja2 import Environment, TemplateSyntaxError

from services.notify.languages.language import OWN_WORDS

HEAD = ("Subject", "Preview", "Why")
_CONTROL = re.compile(r"\{%[^%]*%\}")
_WAY = re.compile(r"(> )?\[([^\]]+)\]\((.+)\)")
_OWN_WORDS = re.compile(rf"\|\s*({'|'.join(sorted(OWN_WORDS))})\s*-?\}}\}}$")
_ADDRESS = re.compile(r"\{\{-?\s*(link|[a-z_]+_url)\s*-?\}\}")
_NUMBER = re.compile(r"\{\{-?\s*number\s*-?\}\}")
_FACT = "- "
_FIRST_STRONG, _END = "\u2068", "\u2069"  # FSI and PDI of UAX #9

_lexer = Environment(autoescape=False)  # noqa: S701 it only cuts sources into parts


class MarkupError(ValueError):
    """A mail's source does not follow the markup."""


@dataclass(frozen=True, slots=True)
class Sources:
    """One mail as Jinja sources."""

    subject: str
    preview: str
    why: str
    """As it stands, for the foot."""
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class _Part:
    kind: Literal["literal", "value", "control"]
    text: str


def read(source: str, *, right_to_left: bool = False) -> Sources:
    """Turn a mail's source into templates. Raises `MarkupError`."""
    head, body = _head(source)
    plain, rich = read_body(body, right_to_left=right_to_left)
    subject, preview, why = (head[name] for name in HEAD)
    isolated = _isolated if right_to_left else _as_is
    return Sources(isolated(subject), isolated(preview), why, plain, rich)


def read_body(body: str, *, right_to_left: bool = False) -> tuple[str, str]:
    """The plain and the rich template of blocks. Raises `MarkupError`."""
    blocks = list(_blocks(body))
    return "".join(_text(block, right_to_left) for block in blocks), "".join(_rich(blocks))


def addresses(source: str) -> list[str]:
    """Where the buttons and links of a mail lead, as they stand in its source. Raises `MarkupError`."""
    ways = (_WAY.fullmatch(line.strip()) for line in _head(source)[1].splitlines())
    return [way[3] for way in ways if way]


def _head(source: str) -> tuple[dict[str, str], str]:
    lines = source.splitlines()
    head: dict[str, str] = {}
    for name in HEAD:
        if not lines or not lines[0].startswith(f"{name}: "):
            raise MarkupError(f"line {len(head) + 1} of the head must begin with '{name}: '")
        said = [lines.pop(0).removeprefix(f"{name}: ")]
        while lines and lines[0].startswith(" "):
            said.append(lines.pop(0))
        head[name] = " ".join(line.strip() for line in said)
        if not head[name]:
            raise MarkupError(f"the head must say something after '{name}:'")
    if lines and lines[0].strip():
        raise MarkupError("an empty line must stand between the head and the body")
    return head, "\n".join(lines)


def _blocks(body: str) -> Iterator[list[str]]:
    """Runs of lines between empty ones; a line of control is a block of its own unless it stands among facts."""
    run: list[str] = []
    for line in [*body.splitlines(), ""]:
        if line.strip():
            run.append(line.strip())
        elif run:
            yield from [run] if _are_facts(run) else _parted(run)
            run = []


def _are_facts(run: Sequence[str]) -> bool:
    said = [line for line in run if not _is_control(line)]
    opened = sum(line.startswith(("{% if ", "{% for ")) for line in run if _is_control(line))
    ended = sum(line.startswith("{% end") for line in run if _is_control(line))
    return bool(said) and opened == ended and all(line.startswith(_FACT) for line in said)


def _parted(run: Sequence[str]) -> Iterator[list[str]]:
    block: list[str] = []
    for line in run:
        if _is_control(line):
            if block:
                yield block
            block = []
            yield [line]
        else:
            block.append(line)
    if block:
        yield block


def _is_control(line: str) -> bool:
    return _CONTROL.fullmatch(line) is not None


def _text(block: Sequence[str], right_to_left: bool) -> str:
    if len(block) == 1 and _is_control(block[0]):
        return block[0]
    way = _WAY.fullmatch(block[0]) if len(block) == 1 else None
    isolated = _isolated if right_to_left else _as_is
    if way:
        return f"{isolated(way[2])}:\n{_as_is(way[3])}\n\n"
    return "".join(line if _is_control(line) else f"{isolated(line)}\n" for line in block) + "\n"


def _rich(blocks: Sequence[Sequence[str]]) -> Iterator[str]:
    """Blocks as HTML. What follows the button is said in a lower voice, on whichever branch the button stands."""
    after = _After()
    for block in blocks:
        way = _WAY.fullmatch(block[0]) if len(block) == 1 else None
        if len(block) == 1 and _is_control(block[0]):
            after.turn(block[0])
            yield block[0]
        elif way:
            yield _way(way[2], way[3], plain=bool(way[1]))
            after.button = after.button or not way[1]
        elif any(line.startswith(_FACT) for line in block) and _are_facts(block):
            rows = "".join(line if _is_control(line) else _row(line) for line in block)
            yield f'<table class="facts" width="100%" cellpadding="0" cellspacing="0">\n{rows}</table>\n'
        else:
            yield _paragraph(" ".join(block), after=after.button)


class _After:
    """Whether a button stands before, as conditions branch and come together again."""

    def __init__(self) -> None:
        self.button = False
        self._branches: list[tuple[bool, bool]] = []
        """Of each condition that is open: whether one stood before it, and whether one stands after any branch."""

    def turn(self, control: str) -> None:
        if control.startswith(("{% if ", "{% for ")):
            self._branches.append((self.button, self.button))
        elif self._branches:  # without any it is no template, which Jinja says
            before, somewhere = self._branches.pop()
            if control.startswith("{% end"):
                self.button = somewhere or self.button
            else:
                self._branches.append((before, somewhere or self.button))
                self.button = before


def _way(label: str, address: str, *, plain: bool) -> str:
    kind = "" if plain else ' class="do"'
    target = "".join(escape(part.text) if part.kind == "literal" else part.text for part in _parts(address))
    return f'<p><a{kind} href="{target}">{_html(label)}</a></p>\n'


def _row(line: str) -> str:
    label, colon, value = _halves(line.removeprefix(_FACT))
    if not colon:
        return f'<tr><td colspan="2">{_html(label)}</td></tr>\n'
    return f'<tr><th scope="row" align="{{{{ start }}}}">{_html(label)}</th><td>{_html(value)}</td></tr>\n'


def _halves(line: str) -> tuple[str, str, str]:
    """A fact's label and value, parted at the first colon that is no part of an expression."""
    at = 0
    for part in _parts(line):
        if part.kind == "literal" and (found := part.text.find(": ")) >= 0:
            return line[: at + found], ":", line[at + found + 2 :]
        at += len(part.text)
    return line, "", ""


def _paragraph(line: str, *, after: bool) -> str:
    kind = ' class="next"' if after else ""
    # A value that is a whole paragraph may be in another language than the mail, and reads its own way.
    own = ' dir="auto"' if [part.kind for part in _parts(line)] == ["value"] else ""
    return f"<p{kind}{own}>{_html(line)}</p>\n"


def _html(line: str) -> str:
    """The literal parts safe in HTML; what Jinja fills in it escapes itself."""
    return "".join(map(_html_part, _parts(line)))


def _html_part(part: _Part) -> str:
    if part.kind == "literal":
        return escape(part.text, quote=False)
    if part.kind == "value" and not _OWN_WORDS.search(part.text):
        # A mail's number has a hyphen: broken there, its halves would change places where lines run to the left.
        kind = ' class="whole"' if _NUMBER.fullmatch(part.text) else ""
        return f"<bdi{kind}>{part.text}</bdi>"
    return part.text


def _as_is(line: str) -> str:
    return "".join(part.text for part in _parts(line))


def _isolated(line: str) -> str:
    return "".join(f"{_FIRST_STRONG}{part.text}{_END}" if _may_turn(part) else part.text for part in _parts(line))


def _may_turn(part: _Part) -> bool:
    """Whether it may be in another script. Addresses stay bare: mailboxes would take the isolate for a part of them."""
    return part.kind == "value" and not (_ADDRESS.fullmatch(part.text) or _OWN_WORDS.search(part.text))


def _parts(line: str) -> Iterator[_Part]:
    """What Jinja takes for text, for values and for control. Raises `MarkupError` for what templates may not have."""
    inside = ""
    kind: Literal["value", "control"] = "value"
    try:
        for _, sign, text in _lexer.lex(line):
            if sign == "data":
                yield _Part("literal", text)
            elif sign in {"variable_begin", "block_begin"}:
                inside, kind = text, "value" if sign == "variable_begin" else "control"
            elif sign in {"variable_end", "block_end"}:
                yield _Part(kind, inside + text)
                inside = ""
            elif inside:
                inside += text
            else:
                raise MarkupError("comments and raw text cannot be used")
    except TemplateSyntaxError as error:
        raise MarkupError(str(error.message)) from None
    if inside:
        raise MarkupError(f"'{inside}' does not end")
