"""The guides, written in Markdown, as pages."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

_HEADING_TOP = "h1"
_OUTSIDE = re.compile(r"[a-z]+:|#|/")


@dataclass(frozen=True, slots=True)
class Guide:
    """One page.

    Attributes:
        path: below the folder of guides, without its ending.
        title: its first heading.
        html: its body.
    """

    path: str
    title: str
    html: str


def read_guides(folder: Path) -> list[Guide]:
    """Every Markdown file of a folder and those below it."""
    return [_guide(path, folder) for path in sorted(folder.rglob("*.md")) if "node_modules" not in path.parts]


def _guide(path: Path, folder: Path) -> Guide:
    parser = _parser()
    tokens = parser.parse(path.read_text(encoding="utf-8"))
    title = next(_titles(tokens), path.stem)
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        if token.type == "heading_open" and following is not None:
            token.attrSet("id", slug(following.content))
        _prepare(token)
    html = parser.renderer.render(tokens, parser.options, {})
    return Guide(path.relative_to(folder).with_suffix("").as_posix(), title, html)


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    parser.add_render_rule("table_open", _table_open)
    parser.add_render_rule("table_close", _table_close)
    return parser


# A wide table scrolls by itself, reachable by keyboard, and leaves the page as it is.
def _table_open(
    _renderer: RendererHTML, _tokens: Sequence[Token], _index: int, _options: OptionsDict, _env: EnvType
) -> str:
    return '<div class="wide" tabindex="0"><table>\n'


def _table_close(
    _renderer: RendererHTML, _tokens: Sequence[Token], _index: int, _options: OptionsDict, _env: EnvType
) -> str:
    return "</table></div>\n"


def slug(heading: str) -> str:
    """The anchor of a heading, made as code hosts make it: small letters, digits and hyphens."""
    return re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-")


def _titles(tokens: Sequence[Token]) -> Iterator[str]:
    for token, following in pairwise(tokens):
        if token.type == "heading_open" and token.tag == _HEADING_TOP:
            yield following.content


def _prepare(token: Token) -> None:
    """Let links to other guides lead to their pages."""
    for child in token.children or ():
        href = child.attrGet("href")
        if child.type == "link_open" and isinstance(href, str):
            child.attrSet("href", _page_of(href))


def _page_of(href: str) -> str:
    if _OUTSIDE.match(href):
        return href
    path, mark, anchor = href.partition("#")
    return f"{path.removesuffix('.md')}.html{mark}{anchor}" if path.endswith(".md") else href
