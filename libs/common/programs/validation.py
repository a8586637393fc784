"""Pydantic's findings in the words of this language, at the lines where they are written."""

from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from libs.common.programs.errors import Path
from libs.common.programs.source import Source
from libs.common.programs.written import Shape

_Shape = TypeVar("_Shape", bound=Shape)


def validated(shape: type[_Shape], raw: Any, path: Path, source: Source) -> _Shape | None:
    """`raw` in its shape; None where a fault was reported."""
    try:
        return shape.model_validate(raw)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            place = (*path, *(part for part in detail["loc"] if part != "[key]"))
            source.report(place, _message(detail))
        return None


def _message(detail: ErrorDetails) -> str:
    kind = detail["type"]
    if kind == "missing":
        return "is missing"
    if kind == "extra_forbidden":
        return "unknown key"
    if kind in {"model_type", "dict_type"}:
        return "must be a mapping of keys to values"
    if kind == "value_error":
        return str(detail["ctx"]["error"])
    text = detail["msg"]
    return text[0].lower() + text[1:]
