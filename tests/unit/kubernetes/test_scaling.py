"""What workers and APIs are scaled by."""

import re

from libs.common.bus import topology
from libs.common.bus.consumer import CONSUMED
from libs.common.bus.queue_watch import WAITING
from libs.common.events import SERVICES
from tests.unit.kubernetes.charts import of_kind, pods

CASE = "platform-everything"


def test_a_worker_is_scaled_by_each_of_its_queues() -> None:
    scaled = of_kind(CASE, "ScaledObject")
    assert scaled.keys() == {f"certrail-{service}-worker" for service in SERVICES}
    for service in SERVICES:
        spec = scaled[f"certrail-{service}-worker"]["spec"]
        assert spec["scaleTargetRef"]["name"] == f"certrail-{service}-worker"
        queues = [each["metadata"]["queueName"] for each in spec["triggers"] if each["type"] == "rabbitmq"]
        asked = [
            re.findall(r'queue="([^"]+)"', each["metadata"]["query"])
            for each in spec["triggers"]
            if each["type"] == "prometheus"
        ]
        assert tuple(queues) == topology.consumed_queues(service)
        assert asked == [[queue, queue] for queue in queues]
        assert 0 < spec["minReplicaCount"] < spec["maxReplicaCount"]


def test_metrics_that_are_scaled_by_exist() -> None:
    queries = [
        trigger["metadata"]["query"]
        for each in of_kind(CASE, "ScaledObject").values()
        for trigger in each["spec"]["triggers"]
        if trigger["type"] == "prometheus"
    ]
    named = {name for query in queries for name in re.findall(r"\b(?:certrail|rabbitmq)_\w+", query)}
    (consumed,), (waiting,) = CONSUMED.collect(), WAITING.collect()
    assert named == {f"{consumed.name}_total", waiting.name}
    assert {"queue"} == set(CONSUMED._labelnames) == set(WAITING._labelnames)


def test_the_broker_is_asked_with_an_account_of_the_service_and_over_tls_where_it_speaks_it() -> None:
    known, scaled = of_kind(CASE, "TriggerAuthentication"), of_kind(CASE, "ScaledObject")
    for service in SERVICES:
        name = f"certrail-{service}-worker"
        for trigger in scaled[name]["spec"]["triggers"]:
            assert trigger["authenticationRef"]["name"] == (
                name if trigger["type"] == "rabbitmq" else "prometheus-login"
            )
        spec = known[name]["spec"]
        given = {each["parameter"]: each for each in spec["secretTargetRef"] + spec["configMapTargetRef"]}
        assert given.keys() == {"host", "ca", "tls"}
        assert (given["host"]["name"], given["host"]["key"]) == (f"certrail-{service}", "CERTRAIL_AMQP_URL")
        assert of_kind(CASE, "ConfigMap")[given["tls"]["name"]]["data"] == {given["tls"]["key"]: "enable"}


def test_who_scales_a_deployment_alone_says_how_many() -> None:
    for case in ("platform", "platform-everything"):
        scaled = {
            each["spec"]["scaleTargetRef"]["name"]
            for kind in ("ScaledObject", "HorizontalPodAutoscaler")
            for each in of_kind(case, kind).values()
        }
        said = {name for name, each in of_kind(case, "Deployment").items() if "replicas" in each["spec"]}
        assert said | scaled == of_kind(case, "Deployment").keys()
        assert not said & scaled


def test_apis_are_scaled_by_the_cpu_that_they_ask_for() -> None:
    for name, each in of_kind(CASE, "HorizontalPodAutoscaler").items():
        (container,) = pods(CASE)[name]["spec"]["containers"]
        assert container["resources"]["requests"]["cpu"]
        assert each["spec"]["minReplicas"] < each["spec"]["maxReplicas"]
    assert of_kind(CASE, "HorizontalPodAutoscaler").keys() == {
        "certrail-portal",
        "certrail-gateway",
        *(f"certrail-{service}-api" for service in SERVICES),
    }
