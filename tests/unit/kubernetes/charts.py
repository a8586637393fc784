"""The charts as Helm itself renders them, and what of the result the tests look at."""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

helm = pytest.importorskip("helm_python", reason="Helm's library has no build for this kind of machine")

CHARTS = Path(__file__).parents[3] / "deploy" / "kubernetes"
PLATFORM = CHARTS / "certrail"
SERVERS = CHARTS / "servers"
RELEASE = "certrail"
NAMESPACE = "certs"

Manifest = dict[str, Any]

_VALUES = Path(__file__).parent / "values"
VALUES: dict[str, tuple[Path, Path | None]] = {
    "platform": (PLATFORM, None),
    "platform-everything": (PLATFORM, _VALUES / "everything.yaml"),
    "servers": (SERVERS, None),
    "servers-everything": (SERVERS, _VALUES / "servers-everything.yaml"),
}
"""Charts with values to try them with, by a name for the case."""
PLATFORMS = ("platform", "platform-everything")


def values(case: str) -> dict[str, Any]:
    """What is given beside the chart's own values."""
    file = VALUES[case][1]
    return yaml.safe_load(file.read_text()) if file else {}


def render(chart: Path, given: Mapping[str, Any]) -> list[Manifest]:
    """Every object. Raises Helm's own errors."""
    with helm.Chart.load(chart) as loaded:
        loaded.validate_schema(loaded.merge_values(dict(given)))
        files = loaded.render(dict(given), name=RELEASE, namespace=NAMESPACE)
    texts = [text for name, text in files.items() if name.endswith(".yaml")]
    return [found for text in texts for found in yaml.safe_load_all(text) if found]


@cache
def objects(case: str) -> tuple[Manifest, ...]:
    return tuple(render(VALUES[case][0], values(case)))


def of_kind(case: str, kind: str) -> dict[str, Manifest]:
    """By name."""
    return {each["metadata"]["name"]: each for each in objects(case) if each["kind"] == kind}


def pods(case: str) -> dict[str, Manifest]:
    """Templates of pods, by the name of their Deployment or Job."""
    return {
        name: each["spec"]["template"] for kind in ("Deployment", "Job") for name, each in of_kind(case, kind).items()
    }


def services_of(case: str) -> dict[str, tuple[str, Manifest]]:
    """Pods that run a service or the portal, by name, each with the service; migrations too."""
    return {
        name: (pod["spec"]["containers"][0]["image"].split("/")[-1].split(":")[0], pod)
        for name, pod in pods(case).items()
        if not name.endswith(("-gateway", "-set-up"))
    }


def environment(pod: Manifest) -> dict[str, Any]:
    """Of the one container: a text, or the reference to a secret."""
    (container,) = pod["spec"]["containers"]
    found = {each["name"]: each.get("value", each.get("valueFrom")) for each in container["env"]}
    assert len(found) == len(container["env"])
    return found


def walk(value: Any) -> Iterator[Any]:
    """Everything in a manifest."""
    yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from walk(part)
