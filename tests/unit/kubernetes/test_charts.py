"""The charts against Helm's linter, Kubernetes' schemas, the operators' kinds and their own values."""

import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from tests.unit.kubernetes.charts import PLATFORM, SERVERS, VALUES, Manifest, helm, objects, render, values
from tests.unit.kubernetes.operator_kinds import KINDS

OLDEST, NEWEST = "1.27", "1.36"
WARNING = 2

DEFINITIONS = os.environ.get("CERTRAIL_TEST_CRDS")


@pytest.mark.parametrize("case", VALUES)
def test_helm_finds_nothing_to_warn_of(case: str) -> None:
    report = helm.lint(VALUES[case][0], values(case), strict=True, kube_version=f"v{OLDEST}.0")
    assert report["total_charts_linted"] == 1
    assert [each for each in report["messages"] if each["severity"] >= WARNING] == []


@pytest.mark.parametrize(
    ("case", "version"),
    [("platform", NEWEST), ("platform-everything", OLDEST), ("servers", OLDEST), ("servers-everything", NEWEST)],
)
def test_kubernetes_knows_every_field(case: str, version: str) -> None:
    own = [each for each in objects(case) if each["kind"] not in KINDS]
    assert own
    for each in own:
        kubernetes_validate.validate(each, version, strict=True)


@pytest.mark.parametrize("case", VALUES)
def test_operators_know_every_field(case: str) -> None:
    for each in objects(case):
        if each["kind"] in KINDS:
            KINDS[each["kind"]].model_validate(each)


def test_every_kind_of_an_operator_is_tried() -> None:
    assert {each["kind"] for case in VALUES for each in objects(case)} >= KINDS.keys()


@pytest.mark.skipif(DEFINITIONS is None, reason="CERTRAIL_TEST_CRDS names no folder of custom resource definitions")
@pytest.mark.parametrize("case", VALUES)
def test_definitions_at_hand_take_every_object(case: str) -> None:
    known = dict(_definitions(Path(DEFINITIONS or "")))
    for each in objects(case):
        if each["kind"] in KINDS:
            jsonschema.Draft202012Validator(known[each["apiVersion"], each["kind"]]).validate(each)


def _definitions(folder: Path) -> list[tuple[tuple[str, str], dict[str, Any]]]:
    found = []
    for file in sorted(folder.glob("*.yaml")):
        spec = yaml.safe_load(file.read_text())["spec"]
        for version in spec["versions"]:
            key = (f"{spec['group']}/{version['name']}", spec["names"]["kind"])
            found.append((key, _closed(version["schema"]["openAPIV3Schema"], top=True)))
    return found


def _closed(schema: Any, *, top: bool = False) -> Any:
    """A definition that refuses fields which Kubernetes would silently drop."""
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: _closed(part) for name, part in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        closed["properties"] = {name: _closed(part) for name, part in schema["properties"].items()}
        if top:
            closed["properties"]["metadata"] = {}
        if not schema.get("x-kubernetes-preserve-unknown-fields"):
            closed.setdefault("additionalProperties", False)
    if schema.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    return closed


@pytest.mark.parametrize(
    ("chart", "given", "named"),
    [
        (PLATFORM, {"replicas": 3}, "replicas"),
        (PLATFORM, {"publicUrl": "certs.example.com"}, "publicUrl"),
        (PLATFORM, {"services": {"certs": {"roles": {"wroker": {"replicas": 2}}}}}, "wroker"),
        (PLATFORM, {"services": {"billing": {"secret": "x", "roles": {}}}}, "billing"),
        (PLATFORM, {"services": {"certs": {"settings": {"LOG_LEVEL": "info"}}}}, "LOG_LEVEL"),
        (PLATFORM, {"settings": {"CERTRAIL_MONGO_URL": "mongodb://a:b@c/d"}}, "CERTRAIL_MONGO_URL"),
        (PLATFORM, {"services": {"exams": {"mounts": {"CERTRAIL_X_DIR": {"secret": "a", "claim": "b"}}}}}, "X_DIR"),
        (PLATFORM, {"broker": {"ports": [0]}}, "ports"),
        (PLATFORM, {"gateway": {"trustedProxies": ["everybody;"]}}, "trustedProxies"),
        (PLATFORM, {"gateway": {"unlimited": ["10.0.0.0"]}}, "unlimited"),
        (PLATFORM, {"gateway": {"limits": {"signIn": "11r/m"}}}, "signIn"),
        (PLATFORM, {"gateway": {"limits": {"sign_in": "60r/m"}}}, "sign_in"),
        (PLATFORM, {"broker": {"managementUrl": "http://admin:secret@broker:15672"}}, "managementUrl"),
        (SERVERS, {"broker": {"replicas": 2}}, "replicas"),
        (SERVERS, {"mongo": {"tls": {"secret": "a", "authority": ""}}}, "authority"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_values_that_cannot_be_meant_are_refused_by_name(chart: Path, given: Manifest, named: str) -> None:
    with pytest.raises(helm.HelmError, match=named):
        render(chart, given)


@pytest.mark.parametrize("chart", [PLATFORM, SERVERS], ids=lambda chart: chart.name)
def test_every_value_is_described_by_the_schema_and_has_a_default(chart: Path) -> None:
    schema = json.loads((chart / "values.schema.json").read_text())
    given = yaml.safe_load((chart / "values.yaml").read_text())
    missing = [path for path in _paths(schema, schema, given, "") if path != "global"]
    assert missing == []


def _paths(schema: Any, root: Any, given: Any, path: str) -> list[str]:
    """Properties of the schema that the values lack."""
    if "$ref" in schema:
        schema = root["definitions"][schema["$ref"].rsplit("/", 1)[-1]]
    found = []
    for name, part in schema.get("properties", {}).items():
        at = f"{path}.{name}" if path else name
        if name not in given:
            found.append(at)
        elif isinstance(given[name], dict):
            found += _paths(part, root, given[name], at)
    return [each for each in found if not each.startswith("services.") or "mounts." not in each]


def test_the_platforms_own_alerts_arrive_whole() -> None:
    """As `--set-file monitoring.rules=…` gives them, the way that the guide names."""
    file = PLATFORM.parents[1] / "monitoring" / "alerts.yaml"
    guide = (PLATFORM.parents[2] / "docs" / "kubernetes.md").read_text()
    assert f"monitoring.rules={file.relative_to(PLATFORM.parents[2])}" in guide
    made = render(PLATFORM, {"monitoring": {"rules": file.read_text()}})
    (rules,) = [each for each in made if each["kind"] == "PrometheusRule"]
    KINDS["PrometheusRule"].model_validate(rules)
    assert rules["spec"] == yaml.safe_load(file.read_text())
