"""JSON Schemas as lists of fields for people: one entry a field, nested ones under their dotted names."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

Json: TypeAlias = Mapping[str, Any]

_NULL = {"type": "null"}
_WORDS = {"date": "date", "date-time": "moment with offset from UTC", "uri": "URI"}
_RANGES = (
    ("minLength", "maxLength", "{} characters"),
    ("minItems", "maxItems", "{} entries"),
    ("minimum", "maximum", "{}"),
)


@dataclass(frozen=True, slots=True)
class Field:
    """One line of a table of fields.

    Attributes:
        name: dotted; `[]` stands for each entry of a list.
        kind: what it holds, in words.
        limits: what else must hold, in words.
        pattern: the regular expression it must match, if any.
        personal: whether it holds personal data.
    """

    name: str
    kind: str
    required: bool
    limits: tuple[str, ...] = ()
    pattern: str | None = None
    description: str = ""
    personal: bool = False


class Schemas:
    """Reads schemas that refer to shared ones.

    Args:
        root: the document that `$ref` points into.
    """

    def __init__(self, root: Json) -> None:
        self._root = root

    def fields(self, schema: Json, prefix: str = "", within: tuple[str, ...] = ()) -> Iterator[Field]:
        """Every field of an object, depth first."""
        resolved, name = self._resolved(schema)
        if name in within:
            return
        inside = (*within, name) if name else within
        required = set(resolved.get("required", ()))
        for key, raw in resolved.get("properties", {}).items():
            yield from self._field(f"{prefix}{key}", raw, inside, required=key in required)

    def single(self, name: str, schema: Json, *, required: bool) -> Field:
        """The line of one value, without what is nested in it."""
        given, nullable = _without_null(schema)
        resolved, _ = self._resolved(given)
        kind = self._kind(resolved) + (" or null" if nullable else "")
        return Field(
            name=name,
            kind=kind,
            required=required,
            limits=tuple(_limits(resolved)),
            pattern=resolved.get("pattern"),
            description=str(schema.get("description") or given.get("description") or ""),
            personal=bool({**resolved, **given, **schema}.get("x-personal-data")),
        )

    def options(self, schema: Json) -> list[Json]:
        """The alternatives of an object; none where there is one form only."""
        return list(self._resolved(schema)[0].get("oneOf", ()))

    def title(self, schema: Json) -> str:
        """The name of a shared schema, or its own title."""
        resolved, name = self._resolved(schema)
        return name or str(resolved.get("title", ""))

    def description(self, schema: Json) -> str:
        return str(self._resolved(schema)[0].get("description", ""))

    def _field(self, name: str, raw: Json, within: tuple[str, ...], *, required: bool) -> Iterator[Field]:
        yield self.single(name, raw, required=required)
        given, _ = _without_null(raw)
        resolved, _ = self._resolved(given)
        if resolved.get("type") == "array":
            yield from self.fields(resolved.get("items", {}), f"{name}[].", within)
        elif "properties" in resolved:
            yield from self.fields(given, f"{name}.", within)

    def _kind(self, schema: Json) -> str:
        if "const" in schema:
            return f"“{schema['const']}”"
        if "enum" in schema:
            return "one of " + ", ".join(f"“{value}”" for value in schema["enum"])
        kind = str(schema.get("type", "anything"))
        if kind == "array":
            entry, _ = self._resolved(schema.get("items", {}))
            return f"list of {self._kind(entry)}s" if entry.get("type") in ("object", "string") else "list"
        if kind == "string":
            return _WORDS.get(str(schema.get("format", "")), "string")
        return {"integer": "whole number", "boolean": "true or false"}.get(kind, kind)

    def _resolved(self, schema: Json) -> tuple[Json, str]:
        """The schema behind its references, and the name of the last one."""
        name = ""
        while "$ref" in schema:
            target: Any = self._root
            for step in schema["$ref"].removeprefix("#/").split("/"):
                target = target[step]
            name = schema["$ref"].rpartition("/")[2]
            schema = {**target, **{key: value for key, value in schema.items() if key != "$ref"}}
        return schema, name


def _without_null(schema: Json) -> tuple[Json, bool]:
    """The schema of what is there if anything is, and whether null may be."""
    options = [option for option in schema.get("anyOf", ()) if option != _NULL]
    if len(options) != 1:
        return schema, False
    return {**{key: value for key, value in schema.items() if key != "anyOf"}, **options[0]}, True


def _limits(schema: Json) -> Iterator[str]:
    for lowest, highest, words in _RANGES:
        low, high = schema.get(lowest), schema.get(highest)
        if low is not None and high is not None:
            yield words.format(f"{low:,} to {high:,}")
        elif high is not None:
            yield words.format(f"at most {high:,}")
        elif low is not None:
            yield words.format(f"at least {low:,}")
    if schema.get("default") not in (None, [], "") and "const" not in schema:
        yield f"{schema['default']} unless given"
