"""What a query of Prometheus asks for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import promql_parser

from tests.contract.metrics import Metric

OF_TARGETS = frozenset({"service", "instance", "job"})
"""Labels that monitoring puts on everything it reads."""
ITS_OWN = frozenset({"up"})
"""Series that monitoring makes itself."""


@dataclass(frozen=True)
class Asked:
    """A series that a query names, with every label of it that the query relies on."""

    name: str
    labels: frozenset[str]


def asked(expr: str) -> list[Asked]:
    """Every series of a query. Raises `ValueError` where it is none."""
    return list(_within(promql_parser.parse(expr), frozenset()))


def _within(node: Any, kept: frozenset[str]) -> Iterator[Asked]:
    if isinstance(node, promql_parser.VectorSelector):
        matched = frozenset(matcher.name for matcher in node.matchers.matchers)
        yield Asked(str(node.name), kept | matched)
        return
    if isinstance(node, promql_parser.MatrixSelector):
        yield from _within(node.vector_selector, kept)
        return
    if isinstance(node, promql_parser.AggregateExpr) and node.modifier is not None:
        kept |= frozenset(node.modifier.labels)
    for part in ("expr", "lhs", "rhs"):
        if getattr(node, part, None) is not None:
            yield from _within(getattr(node, part), kept)
    for argument in getattr(node, "args", ()):
        yield from _within(argument, kept)


def faults(expr: str, metrics: Mapping[str, Metric]) -> list[str]:
    """What a query asks for that no code of ours offers."""
    offered = {series: metric for metric in metrics.values() for series in metric.series}
    found = []
    for one in asked(expr):
        if one.name in ITS_OWN:
            unknown = one.labels - OF_TARGETS
        elif one.name not in offered:
            found.append(f"there is no {one.name}")
            continue
        else:
            buckets = {"le"} if one.name.endswith("_bucket") else set()
            unknown = one.labels - OF_TARGETS - buckets - set(offered[one.name].labels)
        found += [f"{one.name} has no label {label}" for label in sorted(unknown)]
    return found
