"""The catalogues of sentences against the code that says them."""

import ast
import gettext
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel import Locale
from babel.messages.catalog import Message
from babel.messages.pofile import read_po

from deploy.messages import calls, collected, updated

SERVICES = Path(__file__).parents[2] / "services"
CATALOGUES = sorted(SERVICES.glob("*/languages/*.po"))
NUMBERS = range(1100)
"""No language that we have tells larger ones apart but for whole millions."""


def name_of(path: Path) -> str:
    return f"{path.parents[1].name}-{path.stem}"


def sentences_of(path: Path) -> Iterator[Message]:
    with path.open("rb") as file:
        yield from (message for message in read_po(file, locale=path.stem) if message.id)


def forms(text: str | tuple[str, ...] | list[str]) -> list[str]:
    return [text] if isinstance(text, str) else list(text)


def places(text: str) -> set[str]:
    return set(re.findall(r"{(\w+)}", text))


@pytest.mark.parametrize("path", CATALOGUES, ids=name_of)
def test_every_sentence_has_its_translation_with_the_same_places_for_values(path: Path) -> None:
    wrong = []
    for message in sentences_of(path):
        known = set().union(*map(places, forms(message.id)))
        # The number may stand in words: "one of them".
        needed = known - {"count"} if isinstance(message.id, tuple) else known
        said = forms(message.string)
        fits = all(each and needed <= places(each) <= known for each in said)
        if message.fuzzy or not fits:
            wrong.append(message.id)
    assert not wrong


@pytest.mark.parametrize("path", CATALOGUES, ids=name_of)
def test_forms_of_plurals_are_those_of_unicode_in_its_order(path: Path) -> None:
    with path.open("rb") as file:
        header = str(read_po(file, locale=path.stem).plural_expr)
    which = gettext.c2py(header)
    form_of = Locale.parse(path.stem).plural_form
    used = [name for name in ("zero", "one", "two", "few", "many", "other") if name in {form_of(n) for n in NUMBERS}]
    assert [used[which(n)] for n in NUMBERS] == [form_of(n) for n in NUMBERS]


@pytest.mark.parametrize("path", CATALOGUES, ids=name_of)
def test_catalogues_have_what_the_code_says(path: Path) -> None:
    assert path.read_text() == updated(path, collected(path.parents[1])), "run make messages"


@pytest.mark.parametrize("service", sorted({path.parents[1] for path in CATALOGUES}), ids=lambda path: str(path.name))
def test_no_sentence_is_made_up_where_it_is_said(service: Path) -> None:
    made_up = [
        f"{path.name}:{call.lineno}"
        for path in service.rglob("*.py")
        for call, sentences in calls(ast.parse(path.read_text()))
        if any(isinstance(each, (ast.JoinedStr, ast.BinOp)) for each in sentences)
    ]
    assert not made_up, "the collector cannot see what only a run puts together"
