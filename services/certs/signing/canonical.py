"""The canonical form of a JSON-LD document (RDFC-1.0), in which every part of the document has its place.

JSON-LD drops what its contexts do not define, and PyLD does so without a word: it would be unsigned, and could be
added afterwards. So whatever would be dropped is refused, as the verifiers of others do in their "safe mode".
"""

import math
import re
from collections.abc import Iterator
from typing import Any, Final

from pyld import jsonld

from services.certs.signing.contexts import BUNDLED, Contexts
from services.certs.signing.vocabulary import Json

_BASE: Final = "about:relative/"
"""Whatever is relative ends below this, where nothing else lies."""

_RELATIVE: Final = "about:"
_ADDRESS: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>\"{}|^`\\]*")
"""An absolute IRI (RFC 3987) as N-Quads can hold it; PyLD leaves out a triple with any other, also without a word."""

_AMBIGUOUS: Final = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\ud800-\udfff]")
"""Signs that libraries write differently in canonical N-Quads, or that have no UTF-8."""

_LARGEST: Final = 2**53
_DEEPEST: Final = 60
"""Levels of a document; a transcript has some twenty."""
_MOST_PROCESSED: Final = 300
"""Credentials of all kinds need some dozens; a stranger's may nest them without an end."""


class Unsafe(ValueError):
    """A document of which a part would not be signed, or be read differently by others."""


def canonical(document: Json, contexts: Contexts = BUNDLED) -> bytes:
    """Sorted N-Quads of a document. Raises `Unsafe`."""
    _check(document, contexts, 0)
    options = {**contexts.options(), "algorithm": "URDNA2015", "format": "application/n-quads", "base": _BASE}
    try:
        return str(_Processor(contexts).normalize(document, options)).encode()
    except jsonld.JsonLdError as error:
        raise Unsafe(_reason(error)) from error


class _Processor(jsonld.JsonLdProcessor):  # type: ignore[misc] # PyLD has no types
    """PyLD's processor of one document, which refuses what it would drop, and applies a context once.

    PyLD applies the context of a type anew wherever the type stands, which is two thirds of its work on a credential.
    """

    def __init__(self, contexts: Contexts) -> None:
        self._dropped: list[str | None] = []
        self._processed = contexts.processed
        super().__init__(self._dropped.append)

    def expand(self, input_: Json, options: Json) -> list[Json]:
        expanded: list[Json] = super().expand(input_, options)
        if self._dropped:
            raise Unsafe(f"not defined by the contexts: {', '.join(sorted(str(one) for one in self._dropped))}")
        for one in _addresses(expanded):
            if not isinstance(one, str) or not _ADDRESS.fullmatch(one):
                raise Unsafe(f"not an address: {one}")
            if one.startswith(_RELATIVE):
                raise Unsafe(f"relative: {one.removeprefix(_BASE)}")
        return expanded

    def _process_context(self, active_ctx: Any, local_ctx: Any, options: Json, **flags: Any) -> Any:
        if type(active_ctx) is dict:  # it is still being made or nobody's; PyLD freezes what is ready
            return super()._process_context(active_ctx, local_ctx, options, **flags)
        # Those that stand in documents are addresses; all others are parts of ours, and stay where they are.
        listed = local_ctx if isinstance(local_ctx, list) else [local_ctx]
        same = [one if isinstance(one, str) else id(one) for one in listed]
        key = (active_ctx["_uuid"], *same, *sorted((name, value) for name, value in flags.items() if name != "cycles"))
        found = self._processed.get(key)
        if found is None:
            after = super()._process_context(active_ctx, local_ctx, options, **flags)
            if len(self._processed) >= _MOST_PROCESSED:
                self._processed.clear()
            found = self._processed[key] = (after, local_ctx)  # kept with it, so that its id is nobody else's
        return found[0]


def _check(value: Any, contexts: Contexts, depth: int) -> None:
    """Refuse what cannot be seen any more once the document is expanded."""
    if depth > _DEEPEST:
        raise Unsafe("nested too deeply")
    if isinstance(value, dict):
        for name, part in value.items():
            if name == "@context":
                _check_contexts(part, contexts)
            else:
                _check_name(name)
                if name == "type":
                    _check_types(part)
                _check(part, contexts, depth + 1)
    elif isinstance(value, list):
        for part in value:
            _check(part, contexts, depth + 1)
    else:
        _check_plain(value)


def _check_plain(value: Any) -> None:
    if value is None:
        raise Unsafe("null says nothing that is signed")
    if isinstance(value, str) and _AMBIGUOUS.search(value):
        raise Unsafe("a control character")
    if isinstance(value, float) and (value.is_integer() or not math.isfinite(value)):
        # JSON of others has no 3.0: they read the integer 3, which is another literal. And it has no NaN.
        raise Unsafe(f"a number that others read differently: {value}")
    if isinstance(value, int) and abs(value) > _LARGEST:
        raise Unsafe(f"a number that others round: {value}")


def _check_name(name: str) -> None:
    """Only by the names that the contexts give do readers of plain JSON see what is signed.

    The same quads come of a property under its address, where nobody looks for it, and JSON-LD passes over keywords in
    places where they say nothing.
    """
    if ":" in name or name.startswith("@"):
        raise Unsafe(f"not a name of the contexts: {name[:200]}")


def _check_types(given: Any) -> None:
    for one in given if isinstance(given, list) else [given]:
        if not isinstance(one, str) or not one:
            raise Unsafe("a type is a name")
        _check_name(one)


def _check_contexts(given: Any, contexts: Contexts) -> None:
    """Only by its address is a context the one we know: another could let a name mean something else."""
    for one in given if isinstance(given, list) else [given]:
        if not isinstance(one, str) or one not in contexts:
            raise Unsafe(f"not a bundled context: {str(one)[:200]}")


def _addresses(value: Any) -> Iterator[Any]:
    """What must be an address in an expanded document: properties, ids and types."""
    if isinstance(value, list):
        for part in value:
            yield from _addresses(part)
    elif isinstance(value, dict):
        for name, part in value.items():
            if name in {"@id", "@type"}:
                yield from part if isinstance(part, list) else [part]
            elif name != "@value":
                if not name.startswith("@"):
                    yield name
                yield from _addresses(part)


def _reason(error: Exception) -> str:
    """PyLD's own words; a cause says more than what it led to."""
    while isinstance(error.__cause__, Exception):
        error = error.__cause__
    return str(error).partition("\n")[0]
