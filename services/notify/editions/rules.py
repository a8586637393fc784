"""What a mail's source may hold when it is not ours: a small part of Jinja, the kind's own facts, and safe addresses.

Jinja's sandbox keeps templates away from Python. It does not keep them short, quick or honest, so what is not needed to
say something is not there at all: no calls, no arithmetic, no definitions, no loop within a loop, a dozen filters. What
a template may loop over is a list of its facts, so neither its time nor its length can get out of hand.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from jinja2 import TemplateSyntaxError, nodes

from services.notify.domain.mails import TOKEN, Template
from services.notify.forms import environments
from services.notify.languages.language import Language
from services.notify.markup import MarkupError, addresses, read
from services.notify.samples import SAMPLES

LONGEST_SOURCE: Final = 20_000
"""Characters."""

COMMON: Final = frozenset(
    {
        "name",
        "candidate_id",
        "number",
        "program",
        "provider",
        "host",
        "public_url",
        "support_url",
    }
)
"""The names that every mail has."""

LINK: Final = "link"
"""The address that opens an account, in the mails that carry one."""

FILTERS: Final = frozenset({"day", "moment", "grade", "case", "plural", "default", "join", "length"})
TESTS: Final = frozenset({"defined", "none"})

_ALLOWED: Final = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Const,
    nodes.If,
    nodes.For,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.CondExpr,
    nodes.Filter,
    nodes.Test,
    nodes.Getattr,
    nodes.Getitem,
    nodes.Tuple,
    nodes.List,
)

_OURS: Final = re.compile(
    r"\{\{ ?(support_url|link) ?\}\}|\{\{ ?public_url ?\}\}(/([A-Za-z0-9_/-]|\{\{ ?[a-z_]+ ?\}\})*)?"
)
_THEIRS: Final = re.compile(r"https://[A-Za-z0-9.-]+(:\d{1,5})?(/[^\s{}<>\"']*)?")
_LINK_ADDRESS: Final = re.compile(r"\{\{ ?link ?\}\}")
_ADDRESSES: Final = (
    "an address is {{ public_url }}/… or {{ support_url }} or {{ link }}, or begins with https:// and has no values"
)

_TOO_DEEP: Final = "it stands too deep within itself"

DEEPEST: Final = 40
"""Levels of a template's tree; ours have eight."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that keeps a source from being used."""

    code: str
    message: str
    line: int | None = None


def names_of(template: Template) -> frozenset[str]:
    """What templates of this kind may name, beside what they loop over."""
    facts = {name for sample in SAMPLES[template] for name in sample}
    return COMMON | (facts - {TOKEN}) | ({LINK} if TOKEN in facts else set())


def faults(source: str, template: Template, language: Language) -> list[Fault]:
    """All that keeps a source from being compiled; it has not been filled with facts then."""
    if len(source) > LONGEST_SOURCE:
        return [Fault("too_long", f"a mail has at most {LONGEST_SOURCE} characters")]
    try:
        read(source)
        tree = environments(language)[0].parse(source)
    except MarkupError as error:
        return [Fault("markup", str(error))]
    except TemplateSyntaxError as error:
        return [Fault("syntax", str(error.message), error.lineno)]
    except RecursionError:
        return [Fault("syntax", _TOO_DEEP)]
    found = list(_walked(tree))
    if any(depth > DEEPEST for _, depth in found):
        return [Fault("syntax", _TOO_DEEP)]
    parts = [node for node, _ in found]
    said = sorted(_of_nodes(parts, template), key=lambda fault: fault.line or 0)
    return [*said, *_of_addresses(source, parts, template)]


def _walked(tree: nodes.Template) -> Iterator[tuple[nodes.Node, int]]:
    """Every part with its depth, down to one level too many; a deep one would break who walks it by calling itself."""
    waiting: list[tuple[nodes.Node, int]] = [(tree, 0)]
    while waiting:
        node, depth = waiting.pop()
        yield node, depth
        if depth <= DEEPEST:
            waiting += [(child, depth + 1) for child in node.iter_child_nodes()]


def _of_nodes(parts: Sequence[nodes.Node], template: Template) -> Iterator[Fault]:
    names, lists = names_of(template), _lists_of(template)
    looped = {one.target.name for one in parts if isinstance(one, nodes.For) and isinstance(one.target, nodes.Name)}
    for node in parts:
        found = _fault_of(node, names | looped, lists, looped)
        if found is not None:
            yield Fault(*found, node.lineno)


def _fault_of(  # noqa: PLR0911 one answer for each kind of node
    node: nodes.Node, names: frozenset[str], lists: frozenset[str], looped: set[str]
) -> tuple[str, str] | None:
    if not isinstance(node, _ALLOWED):
        return "not_allowed", f"{type(node).__name__.lower()} cannot be used in mails"
    if isinstance(node, nodes.Name) and node.ctx == "load" and node.name not in names:
        return "unknown_name", f"this mail has no '{node.name}'"
    if isinstance(node, nodes.Name) and node.ctx == "store" and node.name in COMMON | {LINK}:
        return "not_allowed", f"'{node.name}' has a meaning already"
    if isinstance(node, nodes.Filter) and (node.name not in FILTERS or not _are_constant(node)):
        return (
            "not_allowed",
            f"the filter '{node.name}' cannot be used like this; there are {', '.join(sorted(FILTERS))}",
        )
    if isinstance(node, nodes.Test) and (node.name not in TESTS or node.args or node.kwargs):
        return "not_allowed", f"the test '{node.name}' cannot be used; there are {', '.join(sorted(TESTS))}"
    if isinstance(node, nodes.Getitem) and not _is_one_of(node, lists):
        return "not_allowed", "only one of a list can be taken out, as in 'rows[0]'"
    if isinstance(node, nodes.Getattr) and not (_is_named(node.node, looped) or _is_one_of(node.node, lists)):
        return "not_allowed", "only what is looped over, or one of a list, has parts"
    if isinstance(node, nodes.For):
        return _fault_of_loop(node, lists)
    return None


def _fault_of_loop(node: nodes.For, lists: frozenset[str]) -> tuple[str, str] | None:
    if not _is_named(node.iter, lists):
        return "not_allowed", "a loop goes over a list that the mail has"
    if not isinstance(node.target, nodes.Name) or node.recursive or node.test is not None:
        return "not_allowed", "a loop is 'for one in list', without conditions"
    if any(True for _ in node.find_all(nodes.For)):
        return "not_allowed", "a loop cannot stand within a loop"
    return None


def _is_named(node: nodes.Node, names: Collection[str]) -> bool:
    return isinstance(node, nodes.Name) and node.name in names


def _is_one_of(node: nodes.Node, lists: Collection[str]) -> bool:
    if not isinstance(node, nodes.Getitem) or not _is_named(node.node, lists):
        return False
    return isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, int)


def _are_constant(node: nodes.Filter) -> bool:
    given = [*node.args, *(pair.value for pair in node.kwargs)]
    return node.dyn_args is None and node.dyn_kwargs is None and all(isinstance(one, nodes.Const) for one in given)


def _lists_of(template: Template) -> frozenset[str]:
    return frozenset(name for sample in SAMPLES[template] for name, value in sample.items() if isinstance(value, list))


def _of_addresses(source: str, parts: Sequence[nodes.Node], template: Template) -> Iterator[Fault]:
    """Where links may lead: to us, to the link of the mail itself, or to an address that stands there in full.

    An address elsewhere with a value in it would carry the value there, and be it the link that opens the account.
    """
    found = addresses(source)
    if not all(_OURS.fullmatch(address) or _THEIRS.fullmatch(address) for address in found):
        yield Fault("address", _ADDRESSES)
    if LINK not in names_of(template):
        return
    buttons = sum(_LINK_ADDRESS.fullmatch(address) is not None for address in found)
    if sum(isinstance(one, nodes.Name) and one.name == LINK for one in parts) > buttons:
        yield Fault("link", "{{ link }} stands nowhere but as the whole address of a button")
