"""Every link and form of the portal leads to one of its pages, with the method that the page takes."""

import ast
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import aiohttp
import jinja2
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from jinja2 import nodes
from pydantic import SecretStr

from deploy.local.platform import PROGRAMS
from libs.common.clock import SystemClock
from libs.common.mongo.client import open_client
from libs.common.programs.loader import load_programs
from services.portal.app import build
from services.portal.cases.kinds import QUESTIONS
from services.portal.settings import PortalSettings

ROOT = Path(__file__).parents[3] / "services" / "portal"
NOWHERE = "mongodb://127.0.0.1:1/nothing"
SOME = "0"
"""Stands where a link is told what it leads to: the sample value; no address of ours has this figure in it."""
ELSEWHERE = {"/check", "/assets/"}
"""What another service shows below the same address, and where files are rather than pages."""
ASKS = {
    *("mine", "change", "own", "give", "fetch_mine", "read", "send", "upload", "fetch", "below", "startswith"),
    *("submit", "_file", "_refresh", "_if_given", "_of_result"),
}
"""Calls whose paths are those of services, or parts of addresses."""
SENDS = {"form", "act", "owned"}
"""Macros of forms that change something."""

TAG = re.compile(r"<(?P<tag>a|form)\b(?P<rest>[^>]*)>")
ATTRIBUTE = re.compile(r'(?:href|action)="([^"]*)"')
SAID = re.compile(r'href=\\"([^"\\]*)\\"')
"""A link inside a sentence."""


@dataclass(frozen=True)
class Link:
    """Where something leads; `method` is None where that is not said there."""

    where: str
    method: str | None
    to: str


def of_template(text: str, where: str) -> Iterator[Link]:
    """Links and forms as they are written, and the forms that macros make."""
    for to in SAID.findall(text):
        yield Link(where, "GET", re.sub(r"\{\w+\}", SOME, to))
    plain = re.sub(r"\{\{.*?\}\}", SOME, re.sub(r"\{%.*?%\}", "", text, flags=re.DOTALL), flags=re.DOTALL)
    for tag in TAG.finditer(plain):
        method = "POST" if tag["tag"] == "form" and 'method="post"' in tag["rest"] else "GET"
        for to in ATTRIBUTE.findall(tag["rest"]):
            yield Link(where, method, to.replace("&amp;", "&"))
    for call in jinja2.Environment(autoescape=True).parse(text).find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name in SENDS and call.args:
            yield from (Link(where, "POST", to) for to in _texts(call.args[0]))


def _texts(node: nodes.Node) -> list[str]:
    """What an expression may be."""
    if isinstance(node, nodes.Const):
        return [str(node.value)]
    if isinstance(node, nodes.CondExpr):
        return [to for each in (node.expr1, node.expr2) if each is not None for to in _texts(each)]
    if isinstance(node, nodes.Concat):
        return ["".join(_texts(each)[0] for each in node.nodes)]
    return [SOME]


def of_python(text: str, where: str) -> Iterator[Link]:
    """Texts that are addresses, without those that services are asked for."""
    tree = ast.parse(text)
    every = list(ast.walk(tree))
    calls = [(node, _name(node.func)) for node in every if isinstance(node, ast.Call)]
    asks = [node for call, name in calls if name in ASKS for node in ast.walk(call)]
    redirects = {id(node) for call, name in calls if name == "redirect" for node in ast.walk(call)}
    named = {name for node in asks if (name := _name(node))} | ASKS
    apart = {id(node) for node in asks} | {id(part) for node in every for part in _apart(node, named)}
    for node in every:
        if id(node) not in apart and re.match(rf"(?:{SOME})?/[a-z]", to := _text(node)) and "{" not in to:
            yield Link(f"{where}:{getattr(node, 'lineno', 0)}", "GET" if id(node) in redirects else None, to)
            apart |= {id(part) for part in ast.walk(node)}


def _name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _apart(node: ast.AST, named: set[str]) -> Iterator[ast.AST]:
    """Parts of a text, and what lies behind a name that a service is asked with: what it is set to or gives."""
    if isinstance(node, ast.JoinedStr):
        yield from (part for part in node.values if isinstance(part, ast.Constant))
    if isinstance(node, ast.FunctionDef) and node.name in named:
        yield from ast.walk(node)
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    if any(_name(part) in named for target in targets for part in ast.walk(target)):
        yield from ast.walk(node)


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return re.sub(f"{SOME}+", SOME, "".join(_text(part) for part in node.values))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _text(node.left) + _text(node.right)
    return SOME if isinstance(node, (ast.FormattedValue, ast.Name, ast.Attribute, ast.Call)) else ""


def links() -> list[Link]:
    found = []
    for ending, read in (("html", of_template), ("py", of_python)):
        for path in sorted(ROOT.rglob(f"*.{ending}")):
            if path.parent.name != "backend":
                found += [*read(path.read_text(), str(path.relative_to(ROOT)))]
    return [link for link in found if re.match(rf"(?:{SOME})?/\w", link.to)]


@pytest.fixture
async def app() -> AsyncIterator[web.Application]:
    client = open_client(NOWHERE, application="asked by nobody")
    settings = PortalSettings(
        mongo_url=SecretStr(NOWHERE), programs_dir=PROGRAMS, portal_secret=SecretStr("s" * 32), public_url="http://here"
    )
    async with aiohttp.ClientSession() as http:
        yield build(settings, load_programs(PROGRAMS), client, http, SystemClock())
    client.close()


async def _leads(app: web.Application, method: str, path: str) -> bool:
    """Whether a page is there; where the link is told a part of the way, whether there may be one."""
    if (await app.router.resolve(make_mocked_request(method, path))).http_exception is None:
        return True
    pattern = re.compile(".*".join(map(re.escape, path.split(SOME))))
    return SOME in path and any(
        route.method == method and route.resource is not None and pattern.fullmatch(route.resource.canonical)
        for route in app.router.routes()
    )


async def test_every_link_and_form_leads_to_a_page(app: web.Application) -> None:
    found = links()
    assert len(found) > 400
    astray = []
    for link in found:
        path = urlsplit(link.to).path
        methods = [link.method] if link.method else ["GET", "POST"]
        if path not in ELSEWHERE and not any([await _leads(app, method, path) for method in methods]):
            astray.append(link)
    assert not astray, "\n".join(map(str, astray))


def test_links_to_new_cases_name_a_kind_that_can_be_asked_for() -> None:
    asked = [urlsplit(link.to) for link in links() if link.to.startswith("/cases/new?")]
    kinds = {kind for to in asked for kind in parse_qs(to.query).get("kind", ())} - {SOME}
    assert {"name", "other"} <= kinds <= set(QUESTIONS)


@pytest.mark.parametrize(
    ("read", "text", "link"),
    [
        (of_template, '<a class="x" href="/a/{{ one }}/b?c=1&amp;d=2">', Link("x", "GET", f"/a/{SOME}/b?c=1&d=2")),
        (of_template, '<form method="post" action="{{ here }}/go">', Link("x", "POST", f"{SOME}/go")),
        (of_template, '{{ act("/a/" ~ one.id ~ "/b", token, "B") }}', Link("x", "POST", f"/a/{SOME}/b")),
        (of_template, '{{ say("<a href=\\"/a\\">A</a>") }}', Link("x", "GET", "/a")),
        (of_python, 'answer = redirect(f"/a/{one}")', Link("x:1", "GET", f"/a/{SOME}")),
        (of_python, 'link = HERE + "/a"', Link("x:1", None, f"{SOME}/a")),
    ],
)
def test_links_are_found_as_they_are_written(read: object, text: str, link: Link) -> None:
    assert callable(read)
    assert link in [*read(text, "x")]


def test_addresses_of_services_are_no_links() -> None:
    text = 'path = f"/a/{one}"\nvisit.mine("certs", path, X)\nvisit.mine("certs", "/b", X)'
    assert not [*of_python(text, "x")]
