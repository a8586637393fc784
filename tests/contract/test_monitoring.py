"""Dashboards and alerts: every query can be read, and asks for what the services offer."""

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from deploy.local.settings import PROJECT
from deploy.monitoring import targets
from deploy.monitoring.dashboards import DASHBOARDS
from deploy.monitoring.panels import FOLDER, Dashboard, written
from deploy.processes import APPS
from tests.contract.metrics import Metric
from tests.contract.queries import asked, faults

RULES: dict[str, dict[str, Any]] = {
    rule["alert"]: rule for group in yaml.safe_load(targets.ALERTS.read_text())["groups"] for rule in group["rules"]
}
FOR_A_CLOSER_LOOK = frozenset(
    {
        *(
            "certrail_bus_connections_total",
            "certrail_publisher_connected",
            "certrail_background_database_faults_total",
        ),
        *("certrail_outbox_published_total", "certrail_outbox_parked_total", "certrail_events_parked_total"),
        *("certrail_feed_looks_total", "certrail_vendor_files_total", "certrail_fields_to_reseal"),
        *("certrail_credentials_signed_total", "certrail_badges_unread_total"),
    }
)
"""Metrics that no dashboard shows: another one says the same in fewer lines."""


def test_committed_dashboards_and_targets_are_those_that_are_defined() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "deploy.monitoring", "--check"], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_there_is_a_dashboard_for_the_main_job_every_service_vendors_and_mail() -> None:
    assert {dashboard.slug for dashboard in DASHBOARDS} == {"main-job", "vendors", "mail", *APPS}
    assert {path.stem for path in FOLDER.glob("*.json")} == {dashboard.slug for dashboard in DASHBOARDS}


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda dashboard: dashboard.slug)
def test_every_query_of_a_dashboard_asks_for_what_there_is(dashboard: Dashboard, metrics: Mapping[str, Metric]) -> None:
    content = json.loads(dashboard.file.read_text())
    shown = [panel for panel in content["panels"] if panel["type"] != "row"]
    assert len(shown) == len(list(dashboard.panels)) > 0
    assert len({panel["id"] for panel in content["panels"]}) == len(content["panels"])
    for panel in shown:
        for target in panel["targets"]:
            assert faults(target["expr"], metrics) == [], (panel["title"], target["expr"])
            for label in re.findall(r"{{(\w+)}}", target["legendFormat"]):
                assert any(label in one.labels for one in asked(target["expr"])), (panel["title"], label)


def test_panels_do_not_cover_each_other() -> None:
    for dashboard in DASHBOARDS:
        taken: set[tuple[int, int]] = set()
        for panel in json.loads(written(dashboard))["panels"]:
            place = panel["gridPos"]
            cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
            assert not cells & taken, (dashboard.slug, panel["title"])
            assert place["x"] + place["w"] <= 24
            taken |= cells


def test_every_metric_is_shown_or_watched_somewhere(metrics: Mapping[str, Metric]) -> None:
    exprs = [query.expr for dashboard in DASHBOARDS for panel in dashboard.panels for query in panel.queries]
    exprs += [rule["expr"] for rule in RULES.values()]
    used = {one.name for expr in exprs for one in asked(expr)}
    assert {name for name, metric in metrics.items() if not used & set(metric.series)} == FOR_A_CLOSER_LOOK


@pytest.mark.parametrize("alert", RULES)
def test_every_alert_asks_for_what_there_is(alert: str, metrics: Mapping[str, Metric]) -> None:
    rule = RULES[alert]
    assert faults(rule["expr"], metrics) == []
    assert rule["labels"]["severity"] in {"critical", "warning"}
    for label in re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]):
        named = [one.labels for one in asked(rule["expr"])]
        assert any(label in labels for labels in named) or "up{" in rule["expr"], label


def test_metrics_that_the_guide_marks_are_watched(metrics: Mapping[str, Metric]) -> None:
    guide = (PROJECT / "docs" / "operators.md").read_text()
    marked = re.findall(r"^\| `(certrail_[a-z_]+)` ●", guide, re.MULTILINE)
    watched = {one.name for rule in RULES.values() for one in asked(rule["expr"])}
    assert set(marked) == {name for name in metrics if set(metrics[name].series) & watched}


@pytest.mark.parametrize("expr", ["sum by (le (x)", "rate(certrail_mails_total[5m]", "histogram_quantile(0.9)"])
def test_a_query_that_cannot_be_read_is_noticed(expr: str) -> None:
    with pytest.raises(ValueError):
        asked(expr)


@pytest.mark.parametrize(
    ("expr", "fault"),
    [
        ("sum(certrail_mails_sent_total)", "there is no certrail_mails_sent_total"),
        ("sum by (vendor) (certrail_queue_messages)", "certrail_queue_messages has no label vendor"),
        ('rate(certrail_mails_total{kind="x"}[5m])', "certrail_mails_total has no label kind"),
        ("certrail_mail_seconds", "there is no certrail_mail_seconds"),
    ],
)
def test_a_query_for_what_nobody_offers_is_noticed(expr: str, fault: str, metrics: Mapping[str, Metric]) -> None:
    assert faults(expr, metrics) == [fault]
