"""Names and labels of metrics, by the conventions of Prometheus, and nothing in them that grows or names somebody."""

import re
from collections.abc import Mapping

from tests.contract.metrics import Metric

TAKEN = frozenset({"job", "instance", "service", "le", "quantile"})
"""Labels that monitoring itself puts on what it reads: one of ours of that name would be renamed by it."""
OF_SOMEBODY = re.compile(r"candidate|email|person|subject|user|(^|_)id$|address|token|path|url|message$")
"""Labels with as many values as there are people, requests or messages."""
NOT_BASE = re.compile(r"_(ms|milliseconds|micros|minutes|hours|days|kb|mb|percent|milli)(_|$)")
"""Units that are not the base ones: seconds, bytes, ratios."""
RESERVED = ("_total", "_count", "_sum", "_bucket", "_info", "_created")
OF_HISTOGRAMS = ("_seconds", "_bytes", "_events")
"""Units of what is measured over and over."""


def test_every_name_is_in_base_units_and_only_counters_are_totals(metrics: Mapping[str, Metric]) -> None:
    for name, metric in metrics.items():
        assert re.fullmatch(r"certrail(_[a-z]+)+", name), name
        assert not NOT_BASE.search(name), name
        if metric.kind == "counter":
            assert name.endswith("_total"), name
        else:
            assert not name.endswith(RESERVED), name
        if metric.kind == "histogram":
            assert name.endswith(OF_HISTOGRAMS), name
        if "timestamp" in name or re.search(r"_(since|expiry)(_|$)", name):
            assert name.endswith("_timestamp_seconds"), name


def test_every_label_has_few_values_and_is_left_to_us(metrics: Mapping[str, Metric]) -> None:
    for name, metric in metrics.items():
        for label in metric.labels:
            assert re.fullmatch(r"[a-z]+(_[a-z]+)*", label), (name, label)
            assert label not in TAKEN, (name, label)
            assert not OF_SOMEBODY.search(label), (name, label)


def test_every_metric_says_what_it_is(metrics: Mapping[str, Metric]) -> None:
    assert not [name for name, metric in metrics.items() if len(metric.says) < 10]
