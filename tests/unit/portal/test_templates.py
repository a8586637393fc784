"""Templates keep nothing that no page uses: no macro, no import, no rule of style."""

import re
from pathlib import Path

import jinja2
import pytest
from jinja2 import nodes

ROOT = Path(__file__).parents[3] / "services" / "portal"
SHARED = Path(__file__).parents[3] / "libs" / "common" / "pages"
TEMPLATES = sorted(ROOT.rglob("*.html"))


def _parsed(path: Path) -> nodes.Template:
    return jinja2.Environment(autoescape=True).parse(path.read_text())


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", TEMPLATES, ids=_name)
def test_whatever_a_template_imports_it_uses(path: Path) -> None:
    tree = _parsed(path)
    used = {name.name for name in tree.find_all(nodes.Name) if name.ctx == "load"}
    imported = {
        name if isinstance(name, str) else name[1] for one in tree.find_all(nodes.FromImport) for name in one.names
    }
    assert imported <= used


def test_every_macro_is_called() -> None:
    trees = [_parsed(path) for path in TEMPLATES]
    others = {alias: name for tree in trees for one in tree.find_all(nodes.FromImport) for name, alias in _aliases(one)}
    called = {_called(call.node) for tree in trees for call in tree.find_all(nodes.Call)}
    macros = {macro.name for tree in trees for macro in tree.find_all(nodes.Macro)}
    assert macros <= called | {others[name] for name in called if name in others}


def _aliases(one: nodes.FromImport) -> list[tuple[str, str]]:
    return [name for name in one.names if isinstance(name, tuple)]


def _called(node: nodes.Node) -> str:
    return str(node.name if isinstance(node, nodes.Name) else getattr(node, "attr", ""))


def test_every_class_with_a_style_is_given_to_something() -> None:
    sources = [*ROOT.rglob("*.html"), *ROOT.rglob("*.py"), *SHARED.rglob("*.html"), *SHARED.rglob("*.py")]
    texts = " ".join(found for path in sources for found in _quoted(path.read_text()))
    given = set(re.findall(r"[a-z][\w-]*", texts))
    for path in sorted(ROOT.rglob("*.css")):
        styled = set(re.findall(r"\.([a-z][\w-]*)", re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)))
        assert styled <= given, path


def _quoted(text: str) -> list[str]:
    """What may name a class: it stands in quotes."""
    return re.findall(r'"([^"\n]*)"', text) + re.findall(r"'([^'\n]*)'", text)
