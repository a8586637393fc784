"""A program's artwork: an SVG beside its definition, of which only plain drawing is taken.

It ends up in credentials, certificates, pages and logos that people hand on, so nothing in it may run, fetch, or grow:
no script, style sheet, text, picture, reuse, entity, or address. What other programs note in it is left out.
"""

import re
from typing import NoReturn
from xml.etree import ElementTree as ET
from xml.parsers import expat

NAMESPACE = "http://www.w3.org/2000/svg"

LARGEST = 131_072
"""Bytes of a file."""

MOST_ELEMENTS = 2_000

_DEEPEST = 32
_ELEMENTS = frozenset(
    {"svg", "g", "defs", "title", "desc", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon"}
    | {"linearGradient", "radialGradient", "stop", "clipPath"}
)
_NOTES = frozenset({"title", "desc", "metadata"})
"""Left out: whoever shows the artwork says in their own words what it is."""
_ATTRIBUTES = frozenset(
    {"id", "viewBox", "transform", "d", "x", "y", "width", "height", "rx", "ry", "cx", "cy", "r", "points"}
    | {"x1", "y1", "x2", "y2", "fx", "fy", "offset", "gradientUnits", "gradientTransform", "spreadMethod"}
    | {"fill", "fill-rule", "fill-opacity", "stroke", "stroke-width", "stroke-linecap", "stroke-linejoin"}
    | {"stroke-miterlimit", "stroke-dasharray", "stroke-dashoffset", "stroke-opacity", "opacity", "color"}
    | {"stop-color", "stop-opacity", "clip-path", "clip-rule", "clipPathUnits", "display", "visibility"}
)
_LEFT_OUT = frozenset({"version", "baseProfile", "class", "role", "focusable", "preserveAspectRatio"})
_PAINTED = frozenset({"fill", "stroke", "clip-path"})
_VALUE = re.compile(r"[A-Za-z0-9 \t\r\n#%()+,.:_-]*")
_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,99}")
_REFERENCE = re.compile(r"url\(#([A-Za-z_][A-Za-z0-9_.-]{0,99})\)")
_NUMBER = r"[+-]?[0-9]{1,7}(?:\.[0-9]{0,6})?"
_BOX = re.compile(rf"\s*{_NUMBER}(?:[\s,]+{_NUMBER}){{3}}\s*")
_PREFIX = "artwork-"
"""Before every id, so that none meets another of the document in which the artwork is placed."""


class ArtworkError(ValueError):
    """The file is not taken; the text says why."""


def read_artwork(content: bytes) -> str:
    """The drawing in a file, as an `<svg>` element with a `viewBox`, without a size.

    Raises:
        ArtworkError: it is no SVG, or holds something that is not taken.
    """
    if len(content) > LARGEST:
        _refuse(f"is larger than {LARGEST} bytes")
    root = _parsed(content)
    if root.tag != f"{{{NAMESPACE}}}svg":
        _refuse(f"is no SVG: its outermost element must be <svg xmlns={NAMESPACE!r}>")
    if not _BOX.fullmatch(root.get("viewBox", "")):
        _refuse("needs a viewBox of four numbers")
    if any(float(each) <= 0 for each in re.split(r"[\s,]+", root.attrib["viewBox"].strip())[2:]):
        _refuse("needs a viewBox with a width and a height")
    for size in ("width", "height", "x", "y"):
        root.attrib.pop(size, None)
    ids: set[str] = set()
    used: set[str] = set()
    clean = _cleaned(root, ids, used, 0)
    if missing := sorted(used - ids):
        _refuse(f"refers to {missing[0]!r}, which it does not define")
    return ET.tostring(clean, encoding="unicode")


def _refuse(why: str) -> NoReturn:
    raise ArtworkError(why) from None


def _parsed(content: bytes) -> ET.Element:
    """The tree of a file without a document type, and so without entities that could grow or fetch."""
    builder = ET.TreeBuilder()
    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    count = depth = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal count, depth
        count, depth = count + 1, depth + 1
        if count > MOST_ELEMENTS:
            _refuse(f"has more than {MOST_ELEMENTS} elements")
        if depth > _DEEPEST:
            _refuse("is nested too deeply")
        builder.start(_named(name), {_named(key): value for key, value in attributes.items()})

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(_named(name))

    def doctype(*_: object) -> None:
        _refuse("must not have a document type (<!DOCTYPE …>)")

    def instruction(*_: object) -> None:
        _refuse("must not have a processing instruction (<?…?>)")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.StartDoctypeDeclHandler, parser.ProcessingInstructionHandler = doctype, instruction
    try:
        parser.Parse(content, True)  # noqa: FBT003 isfinal is positional only
    except ArtworkError:
        raise
    except (expat.ExpatError, ValueError, LookupError) as error:
        _refuse(f"cannot be read as XML: {error}")
    return builder.close()


def _named(name: str) -> str:
    return f"{{{name}" if "}" in name else name


def _cleaned(element: ET.Element, ids: set[str], used: set[str], depth: int) -> ET.Element:
    name = _local(element.tag)
    clean = ET.Element(name, {} if depth else {"xmlns": NAMESPACE})
    for key, value in element.attrib.items():
        if key in _LEFT_OUT or (key.startswith("{") and not key.endswith(("}href", "}base"))):
            continue
        clean.set(key, _value(name, _local(key), value, ids, used))
    for child in element:
        if child.tag.startswith("{") and not child.tag.startswith(f"{{{NAMESPACE}}}"):
            continue
        kind = _local(child.tag)
        if kind in _NOTES:
            continue
        if kind not in _ELEMENTS or kind == "svg":
            _refuse(f"must not have <{kind[:40]}>: it takes {', '.join(sorted(_ELEMENTS - _NOTES - {'svg'}))}")
        clean.append(_cleaned(child, ids, used, depth + 1))
    return clean


def _value(element: str, name: str, value: str, ids: set[str], used: set[str]) -> str:
    if name not in _ATTRIBUTES:
        _refuse(f"must not have the attribute {name[:40]!r} (at <{element}>)")
    if name == "id":
        if not _ID.fullmatch(value) or value in ids:
            _refuse(f"has an id that is not of letters and digits, or twice: {value[:40]!r}")
        ids.add(value)
        return _PREFIX + value
    if name in _PAINTED and (reference := _REFERENCE.fullmatch(value.strip())):
        used.add(reference[1])
        return f"url(#{_PREFIX}{reference[1]})"
    if not _VALUE.fullmatch(value) or "url" in value.lower():
        _refuse(f"has a value that is not taken (at {name!r} of <{element}>): {value[:40]!r}")
    return value


def _local(name: str) -> str:
    return name.rpartition("}")[2]
