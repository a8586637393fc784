"""Events evolve by addition: says what a changed JSON Schema would break for those who read or write the old one."""

from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]

_PROSE = frozenset(
    {"title", "description", "examples", "deprecated", "$defs", "x-personal-data", "x-secret", "default"}
)


def breaking_changes(old: Schema, new: Schema) -> list[str]:
    """Every place where `new` is not `old` plus optional fields. Empty where the change is safe.

    An event type is read by services of several versions at once, and vendors write what they have tested, so a
    field may neither vanish, become required or optional, nor change what it admits.
    """
    return list(_compare(_resolve(old, old), _resolve(new, new), ""))


def _resolve(node: Any, root: Schema) -> Any:
    if isinstance(node, list):
        return [_resolve(part, root) for part in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        target: Any = root
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        return _resolve({**target, **{key: value for key, value in node.items() if key != "$ref"}}, root)
    return {key: _resolve(value, root) for key, value in node.items() if key not in _PROSE or key == "properties"}


def _compare(old: Any, new: Any, path: str) -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        if "properties" in old:
            yield from _compare_fields(old, new, path)
        for key in sorted((old.keys() | new.keys()) - {"properties", "required"}):
            yield from _compare(old.get(key), new.get(key), f"{path}/{key}")
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from _compare(before, after, f"{path}/{index}")
    elif old != new:
        yield f"{path or '/'}: was {old!r}, would be {new!r}"


def _compare_fields(old: Schema, new: Schema, path: str) -> Iterator[str]:
    fields, later = old["properties"], new.get("properties", {})
    needed, needed_later = set(old.get("required", ())), set(new.get("required", ()))
    for name in fields.keys() - later.keys():
        yield f"{path}/{name}: removed"
    for name in sorted(needed_later - needed):
        yield f"{path}/{name}: would become required"
    for name in sorted((needed - needed_later) & later.keys()):
        yield f"{path}/{name}: would become optional"
    for name in sorted(fields.keys() & later.keys()):
        yield from _compare(fields[name], later[name], f"{path}/{name}")
