"""Who reaches whom through the network policies: all pairs of pods, and every way out."""

from collections.abc import Iterator, Mapping
from ipaddress import ip_address, ip_network
from itertools import product
from typing import Any

import pytest

from deploy.processes import APPS
from libs.common.events import SERVICES
from tests.unit.kubernetes.charts import NAMESPACE, PLATFORMS, Manifest, objects, of_kind, pods

Labels = Mapping[str, str]

PUBLIC, PRIVATE = "203.0.113.9", "10.200.0.9"
PORTS = (80, 8080, 8443, 9080)
SERVER_PORTS = (22, 25, 53, 443, 587, 4318, 5671, 5672, 15671, 15672, 27017)
ROLES = ("api", "worker", "relay", "sweep")
APIS = {f"certrail-{service}-api" for service in SERVICES}
WORKING = {f"certrail-{service}-{role}" for service, role in product(SERVICES, ROLES)}


def matches(selector: Mapping[str, Any], labels: Labels) -> bool:
    for rule in selector.get("matchExpressions", ()):
        present = rule["key"] in labels
        wanted = {
            "Exists": present,
            "In": labels.get(rule["key"]) in rule.get("values", ()),
            "NotIn": labels.get(rule["key"]) not in rule.get("values", ()),
        }[rule["operator"]]
        if not wanted:
            return False
    return selector.get("matchLabels", {}).items() <= labels.items()


def is_peer(peer: Manifest, there: Labels | str) -> bool:
    """Whether a rule means a pod of this namespace, by its labels, or an address elsewhere."""
    if isinstance(there, str):
        block = peer.get("ipBlock")
        return block is not None and (
            ip_address(there) in ip_network(block["cidr"])
            and not any(ip_address(there) in ip_network(left_out) for left_out in block.get("except", ()))
        )
    if "namespaceSelector" in peer:
        return matches(peer["namespaceSelector"], {"kubernetes.io/metadata.name": NAMESPACE}) and matches(
            peer.get("podSelector", {}), there
        )
    return "podSelector" in peer and matches(peer["podSelector"], there)


def lets(case: str, way: str, here: Labels, there: Labels | str, port: int) -> bool:
    """Whether the policies of a pod let it talk (`egress`) or be talked to (`ingress`)."""
    peers = {"ingress": "from", "egress": "to"}[way]
    applying = [
        each["spec"]
        for each in of_kind(case, "NetworkPolicy").values()
        if matches(each["spec"]["podSelector"], here) and way.capitalize() in each["spec"]["policyTypes"]
    ]
    if not applying:
        return True
    for rule in (rule for spec in applying for rule in spec.get(way, ())):
        ports = {(each["protocol"], each["port"]) for each in rule.get("ports", ())}
        if (not ports or ("TCP", port) in ports) and (
            peers not in rule or any(is_peer(peer, there) for peer in rule[peers])
        ):
            return True
    return False


def labels(case: str) -> dict[str, Labels]:
    return {name: pod["metadata"]["labels"] for name, pod in pods(case).items()}


def ways_between(case: str) -> Iterator[tuple[str, str, int]]:
    known = labels(case)
    for (one, here), (other, there), port in product(known.items(), known.items(), PORTS):
        if lets(case, "egress", here, there, port) and lets(case, "ingress", there, here, port):
            yield one, other, port


def ways_out(case: str, there: Labels | str) -> set[tuple[str, int]]:
    known = labels(case)
    return {
        (name, port) for name, port in product(known, SERVER_PORTS) if lets(case, "egress", known[name], there, port)
    }


@pytest.fixture(params=PLATFORMS)
def case(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_pods_talk_as_the_platform_does_and_in_no_other_way(case: str) -> None:
    gateway, portal, identity = "certrail-gateway", "certrail-portal", "certrail-identity-api"
    wanted = {(gateway, portal, 8080)}
    wanted |= {(gateway, api, 8080) for api in APIS}
    wanted |= {(portal, api, 8080) for api in APIS}
    # The public keys of access tokens; a replica of identity may ask another, and needs not.
    wanted |= {(api, identity, 8080) for api in APIS - {identity}}
    assert set(ways_between(case)) == wanted


def test_only_what_serves_outsiders_is_open_to_them() -> None:
    for case, port in (("platform", 8080), ("platform-everything", 8443)):
        stranger = {"app": "somebody"}
        known = labels(case)
        reached = {(name, at) for name, at in product(known, PORTS) if lets(case, "ingress", known[name], stranger, at)}
        assert reached == ({("certrail-gateway", port)} if case == "platform" else set())


def monitoring(case: str) -> set[str]:
    """Who is open to the namespace `monitoring`, on the port of figures."""
    found = set()
    for each in of_kind(case, "NetworkPolicy").values():
        for rule in each["spec"].get("ingress", ()):
            if {"protocol": "TCP", "port": 9080} in rule.get("ports", ()):
                selected = {"kubernetes.io/metadata.name": "monitoring"}
                assert all(matches(peer["namespaceSelector"], selected) for peer in rule["from"])
                found |= {name for name, own in labels(case).items() if matches(each["spec"]["podSelector"], own)}
    return found


def test_figures_are_open_to_monitoring_alone(case: str) -> None:
    assert monitoring(case) == WORKING | {"certrail-portal"}


def server(kind: str) -> Labels:
    """Labels as the operators give them to the pods of what the other chart asks for."""
    (name,) = of_kind("servers", kind)
    return {"app": f"{name}-svc"} if kind == "MongoDBCommunity" else {"app.kubernetes.io/name": name}


def test_the_database_is_reached_by_who_keeps_something_there() -> None:
    keeping = WORKING | {"certrail-portal", "certrail-set-up", *(f"certrail-migrate-{app}" for app in APPS)}
    assert ways_out("platform", server("MongoDBCommunity")) == {(name, 27017) for name in keeping}
    for name in keeping:
        assert lets("servers", "ingress", server("MongoDBCommunity"), labels("platform")[name], 27017)


def test_the_broker_is_reached_by_services_and_its_management_by_the_set_up_alone() -> None:
    wanted = {(name, 5672) for name in WORKING} | {("certrail-set-up", 15672)}
    assert ways_out("platform", server("RabbitmqCluster")) == wanted
    for name, port in wanted:
        assert lets("servers", "ingress", server("RabbitmqCluster"), labels("platform")[name], port)


def test_servers_elsewhere_are_reached_at_their_addresses_alone() -> None:
    case = "platform-everything"
    assert {port for _, port in ways_out(case, "10.1.2.7")} == {27017}
    assert ways_out(case, "10.1.3.7") == {(name, 5671) for name in WORKING} | {("certrail-set-up", 15671)}
    assert ways_out(case, PRIVATE) == set()


def test_the_internet_is_reached_by_who_has_business_there(case: str) -> None:
    web, sftp, mail = 443, 22, 587
    assert ways_out(case, PUBLIC) == {
        ("certrail-identity-api", web),  # identity providers
        ("certrail-certs-worker", web),  # badge providers
        ("certrail-notify-worker", web),  # web hooks
        ("certrail-notify-worker", mail),
        ("certrail-exams-worker", sftp),
        ("certrail-fulfillment-worker", sftp),
    }


def test_metadata_of_the_cloud_are_out_of_reach(case: str) -> None:
    assert ways_out(case, "169.254.169.254") == set()


def test_names_can_be_asked_for_by_everybody(case: str) -> None:
    peer = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}
    (names,) = [
        each["spec"] for each in of_kind(case, "NetworkPolicy").values() if each["metadata"]["name"] == "certrail-names"
    ]
    assert all(matches(names["podSelector"], own) for own in labels(case).values())
    assert names["egress"] == [
        {"to": [peer], "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]}
    ]


def test_what_no_policy_allows_is_refused_both_ways(case: str) -> None:
    (rest,) = [each for each in objects(case) if each["metadata"]["name"] == "certrail-nothing-else"]
    assert all(matches(rest["spec"]["podSelector"], own) for own in labels(case).values())
    assert rest["spec"].keys() == {"podSelector", "policyTypes"}
    assert rest["spec"]["policyTypes"] == ["Ingress", "Egress"]


def test_servers_are_closed_to_strangers() -> None:
    stranger = {"app": "somebody"}
    for kind in ("MongoDBCommunity", "RabbitmqCluster"):
        open_to = {port for port in SERVER_PORTS if lets("servers-everything", "ingress", server(kind), PUBLIC, port)}
        assert open_to == ({5671} if kind == "RabbitmqCluster" else set())  # vendors, from the addresses given
        # Until their namespaces are named the operators may be anywhere.
        ports = {port for port in SERVER_PORTS if lets("servers", "ingress", server(kind), stranger, port)}
        assert ports == ({15672} if kind == "RabbitmqCluster" else {27017})
