"""Collects the sentences of the code into the catalogues for translators: `make messages`.

Sentences are found where the code says them (`say`, `say_many`, `mark`). A catalogue keeps the translations it has;
a sentence that was reworded keeps its old translation as a proposal (`fuzzy`), which is not spoken until somebody has
looked at it.
"""

import argparse
import ast
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from libs.common.languages import ENGLISH, LANGUAGES

_ROOT: Final = Path(__file__).parents[1]
SAYING: Final = {"say": 1, "say_many": 2, "mark": 1}
"""What says sentences, and how many of its first arguments they are."""
_KEYWORDS: Final = {"say": None, "say_many": (1, 2)}
_METHODS: Final = [("**.html", "jinja2")]
_OPTIONS: Final = {"**.html": {"trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}}


def collected(service: Path) -> Catalog:
    """All sentences of a service."""
    catalog = Catalog(charset="utf-8")
    for path in sorted(service.rglob("*.py")):
        for sentence in _said(ast.parse(path.read_text())):
            catalog.add(sentence, locations=[(str(path.relative_to(service)), 0)])
    found = extract_from_dir(service, _METHODS, _OPTIONS, _KEYWORDS, ("Translators:",))
    for name, _, message, comments, context in found:
        catalog.add(message, auto_comments=comments, context=context, locations=[(name, 0)])
    return catalog


def calls(tree: ast.AST) -> Iterator[tuple[ast.Call, list[ast.expr]]]:
    """Where a module says something, in its order, and the arguments that are sentences."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SAYING:
            yield node, node.args[: SAYING[node.func.id]]


def _said(tree: ast.AST) -> Iterator[str | tuple[str, ...]]:
    for _, arguments in calls(tree):
        texts = tuple(one.value for one in arguments if isinstance(one, ast.Constant) and isinstance(one.value, str))
        # What is no literal here was marked where it is one.
        if texts and len(texts) == len(arguments):
            yield texts if len(texts) > 1 else texts[0]


def updated(path: Path, sentences: Catalog) -> str:
    """A catalogue with all sentences, in the order of the files they are said in."""
    if path.exists():
        with path.open("rb") as file:
            catalog = read_po(file, locale=path.stem)
    else:
        catalog = Catalog(locale=path.stem, charset="utf-8")
    catalog.update(sentences, update_header_comment=False)
    catalog.obsolete.clear()
    out = io.BytesIO()
    write_po(out, catalog, width=120, omit_header=False, include_lineno=False, sort_by_file=True)
    kept = [line for line in out.getvalue().decode().splitlines() if not line.startswith(_IDLE)]
    return "\n".join(kept) + "\n"


_IDLE: Final = tuple(
    f'"{name}:'
    for name in (
        *("POT-Creation-Date", "PO-Revision-Date", "Generated-By"),
        *("Project-Id-Version", "Report-Msgid-Bugs-To", "Last-Translator", "Language-Team"),
    )
)
"""Lines of the header that change with every run, or say nothing."""


def main() -> None:
    """The command line: `python -m deploy.messages [--check]`."""
    parser = argparse.ArgumentParser(prog="deploy.messages", description="Collect sentences for translators.")
    parser.add_argument("--check", action="store_true", help="change nothing, and fail where a catalogue is behind")
    check = parser.parse_args().check
    behind = []
    for service in sorted((_ROOT / "services").iterdir()):
        folder = service / "languages"
        if not any(folder.glob("*.po")):
            continue
        sentences = collected(service)
        for code in LANGUAGES.keys() - {ENGLISH.code}:
            path = folder / f"{code}.po"
            text = updated(path, sentences)
            if not path.exists() or path.read_text() != text:
                behind.append(path.relative_to(_ROOT))
                if not check:
                    path.write_text(text)
    for path in behind:
        print(f"{path}: {'is behind the code; run make messages' if check else 'written'}")
    sys.exit(1 if check and behind else 0)


if __name__ == "__main__":
    main()
