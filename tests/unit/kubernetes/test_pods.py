"""What holds for every pod: how it is confined, stopped, probed, spread and found."""

import re
from itertools import product

import pytest

from deploy.processes import APPS
from libs.common.events import SERVICES
from libs.common.service import Role
from tests.unit.kubernetes.charts import PLATFORM, PLATFORMS, environment, objects, of_kind, pods, services_of, walk

OURS, NGINX = 10_001, 101
ROLES = [role.value for role in Role if role is not Role.ALL]


@pytest.fixture(params=PLATFORMS)
def case(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_each_service_has_each_role_on_its_own(case: str) -> None:
    wanted = {f"certrail-{service}-{role}" for service, role in product(SERVICES, ROLES)}
    assert of_kind(case, "Deployment").keys() == wanted | {"certrail-portal", "certrail-gateway"}
    for name, (service, pod) in services_of(case).items():
        if "-migrate-" not in name and service != "portal":
            (container,) = pod["spec"]["containers"]
            assert container["args"] == ["--role", name.rsplit("-", 1)[-1]]


def test_the_portal_gets_no_arguments_neither_from_the_chart_nor_from_its_image(case: str) -> None:
    (container,) = pods(case)["certrail-portal"]["spec"]["containers"]
    assert not {"args", "command"} & container.keys()
    dockerfile = (PLATFORM.parents[1] / "images" / "Dockerfile").read_text()
    (service,) = re.findall(r"^FROM packages AS service\n(.*?)^FROM", dockerfile, re.MULTILINE | re.DOTALL)
    assert "ENTRYPOINT" in service
    assert not re.search("^CMD", service, re.MULTILINE)


def test_nothing_runs_as_root_or_can_become_it(case: str) -> None:
    for name, pod in pods(case).items():
        own = pod["spec"]["securityContext"]
        assert own["runAsNonRoot"] is True, name
        assert own["runAsUser"] == own["runAsGroup"] == own["fsGroup"] == (NGINX if "gateway" in name else OURS), name
        assert own["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in pod["spec"]["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }


def test_no_pod_can_talk_to_kubernetes_or_touches_its_host(case: str) -> None:
    for pod in pods(case).values():
        assert pod["spec"]["automountServiceAccountToken"] is False
        assert not {"hostNetwork", "hostPID", "hostIPC"} & pod["spec"].keys()
        assert not [volume for volume in pod["spec"]["volumes"] if "hostPath" in volume]


def test_every_pod_says_what_it_needs_and_may_take_no_more_memory(case: str) -> None:
    for pod in pods(case).values():
        for container in pod["spec"]["containers"]:
            assert container["resources"]["requests"].keys() == {"cpu", "memory"}
            assert "memory" in container["resources"]["limits"]


def test_every_mount_has_its_volume_and_only_claims_and_memory_are_written_to(case: str) -> None:
    for name, pod in pods(case).items():
        volumes = {volume["name"]: volume for volume in pod["spec"]["volumes"]}
        (container,) = pod["spec"]["containers"]
        mounts = {mount["name"]: mount for mount in container["volumeMounts"]}
        assert mounts.keys() == volumes.keys(), name
        written = {each for each, mount in mounts.items() if not mount.get("readOnly")}
        assert written == {each for each in volumes if {"emptyDir", "persistentVolumeClaim"} & volumes[each].keys()}
        assert len({mount["mountPath"] for mount in mounts.values()}) == len(mounts)


def test_secrets_are_named_and_never_held(case: str) -> None:
    assert not of_kind(case, "Secret")
    texts = [each for manifest in objects(case) for each in walk(manifest) if isinstance(each, str)]
    assert not [text for text in texts if re.search(r"://[^/ ]*:[^/ ]*@", text)]


def test_a_secret_goes_to_its_own_service_and_to_nobody_else(case: str) -> None:
    holders: dict[str, set[str]] = {app: set() for app in APPS}
    for name, pod in pods(case).items():
        named = {each["name"] for each in walk(pod) if isinstance(each, dict) and {"name", "key"} == each.keys()}
        for value in environment(pod).values():
            if isinstance(value, dict):
                named.add(value["secretKeyRef"]["name"])
        for app in APPS:
            if f"certrail-{app}" in named:
                holders[app].add(name)
    for app, names in holders.items():
        assert names
        assert {re.sub("^certrail-(migrate-)?", "", name).split("-")[0] for name in names} == {app}


def test_a_stop_leaves_time_to_drain(case: str) -> None:
    for name, (_, pod) in services_of(case).items():
        if "-migrate-" in name:
            continue
        (container,) = pod["spec"]["containers"]
        assert "lifecycle" not in container, "the process itself goes on answering"
        leave, drain = (float(environment(pod)[f"CERTRAIL_{name}_SECONDS"]) for name in ("LEAVE", "DRAIN"))
        assert leave >= 5
        # As the service stops: what is in hand, the relay for a quarter of that, then the connections.
        assert pod["spec"]["terminationGracePeriodSeconds"] >= leave + drain * 1.25 + 10


def test_probes_ask_the_internal_port_where_it_listens(case: str) -> None:
    for name, (_, pod) in services_of(case).items():
        if "-migrate-" in name:
            continue
        (container,) = pod["spec"]["containers"]
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        assert ports["internal"] == 9080
        assert ("http" in ports) == (pod["metadata"]["labels"]["certrail.io/role"] == "api")
        paths = {probe: container[f"{probe}Probe"]["httpGet"] for probe in ("startup", "liveness", "readiness")}
        assert paths == {
            "startup": {"path": "/healthz", "port": "internal"},
            "liveness": {"path": "/healthz", "port": "internal"},
            "readiness": {"path": "/readyz", "port": "internal"},
        }


def test_selectors_find_their_own_pods_and_no_others(case: str) -> None:
    labels = {name: pod["metadata"]["labels"] for name, pod in pods(case).items()}

    def found(selector: dict[str, str]) -> set[str]:
        return {name for name, own in labels.items() if selector.items() <= own.items()}

    for kind in ("Deployment", "PodDisruptionBudget"):
        for name, each in of_kind(case, kind).items():
            assert found(each["spec"]["selector"]["matchLabels"]) == {name}
    for name, each in of_kind(case, "Service").items():
        assert found(each["spec"]["selector"]) == {name}
        (container,) = pods(case)[name]["spec"]["containers"]
        assert {port["targetPort"] for port in each["spec"]["ports"]} <= {port["name"] for port in container["ports"]}
    for name, pod in pods(case).items():
        for rule in pod["spec"].get("topologySpreadConstraints", ()):
            assert found(rule["labelSelector"]["matchLabels"]) == {name}


def test_every_deployment_may_be_moved_pod_by_pod(case: str) -> None:
    budgets = of_kind(case, "PodDisruptionBudget")
    assert budgets.keys() == of_kind(case, "Deployment").keys()
    assert all(each["spec"]["maxUnavailable"] == 1 for each in budgets.values())


def test_services_are_found_under_the_names_that_others_are_told(case: str) -> None:
    known = {
        f"{name}:{port['port']}" for name, each in of_kind(case, "Service").items() for port in each["spec"]["ports"]
    }
    told = set()
    asking = [*(pod for _, pod in services_of(case).values()), pods(case)["certrail-gateway"]]
    for pod in asking:
        for name, value in environment(pod).items():
            if name.endswith("_UPSTREAM"):
                told.add(value)
            elif isinstance(value, str) and value.startswith("http://certrail-"):
                told.add(value.removeprefix("http://").split("/")[0])
    assert {f"certrail-{app}-api:8080" for app in SERVICES} | {"certrail-portal:8080"} == told
    assert told <= known


def test_figures_are_read_from_every_process_and_bear_its_service_and_role() -> None:
    case = "platform-everything"
    (monitor,) = of_kind(case, "PodMonitor").values()
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    for rule in endpoint["relabelings"]:
        # As Prometheus writes the names of labels.
        (source,) = rule["sourceLabels"]
        label = source.removeprefix("__meta_kubernetes_pod_label_")
        assert label == f"certrail.io/{rule['targetLabel']}".replace(".", "_").replace("/", "_")
    assert {rule["targetLabel"] for rule in endpoint["relabelings"]} == {"service", "role"}
    for name, (service, pod) in services_of(case).items():
        if "-migrate-" not in name:
            assert monitor["spec"]["selector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
            assert pod["metadata"]["labels"]["certrail.io/service"] == service
            assert endpoint["port"] in {port["name"] for port in pod["spec"]["containers"][0]["ports"]}


def test_migrations_run_between_the_set_up_and_the_new_pods(case: str) -> None:
    jobs = of_kind(case, "Job")
    assert jobs.keys() == {"certrail-set-up", *(f"certrail-migrate-{app}" for app in APPS)}
    weights = {}
    for name, job in jobs.items():
        notes = job["metadata"]["annotations"]
        assert notes["helm.sh/hook"] == "pre-install,pre-upgrade"
        weights[name] = int(notes["helm.sh/hook-weight"])
    assert all(weight > weights["certrail-set-up"] for name, weight in weights.items() if "migrate" in name)
