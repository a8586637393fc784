"""The targets of a local platform, as Prometheus reads them: `make run` always takes the same ports."""

from pathlib import Path
from typing import Any, Final

import yaml

from deploy.local.settings import LOOPBACK, LocalPorts
from deploy.processes import APPS

FILE: Final = Path(__file__).parent / "prometheus.yaml"
ALERTS: Final = Path(__file__).parent / "alerts.yaml"

_HEAD = """\
# Prometheus beside `make run`: prometheus --config.file=deploy/monitoring/prometheus.yaml
# Elsewhere, give every process of ours as a target with the label `service`; dashboards and alerts go by it.
"""


def scraped() -> str:
    """The configuration, as its file holds it."""
    return _HEAD + yaml.safe_dump(_content(LocalPorts()), sort_keys=False, width=120)


def _content(ports: LocalPorts) -> dict[str, Any]:
    services = [{"targets": [f"{LOOPBACK}:{ports.internal(name)}"], "labels": {"service": name}} for name in APPS]
    broker = [{"targets": [f"{LOOPBACK}:{ports.broker_metrics}"], "labels": {"server": "rabbitmq"}}]
    return {
        "global": {"scrape_interval": "15s", "evaluation_interval": "15s"},
        "rule_files": [ALERTS.name],
        "scrape_configs": [
            {"job_name": "certrail", "static_configs": services},
            {"job_name": "rabbitmq", "static_configs": broker},
        ],
    }
