"""What holds for every container of the composed platform."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.processes import APPS, PORTAL
from libs.common.events import SERVICES
from libs.common.service import Role
from libs.common.settings import PREFIX
from services.certs.settings import CertsSettings
from services.exams.settings import ExamsSettings
from services.fulfillment.settings import FulfillmentSettings
from services.identity.settings import IdentitySettings
from services.notify.settings import NotifySettings
from services.portal.settings import PortalSettings

COMPOSE: dict[str, Any] = yaml.safe_load((Path(__file__).parents[3] / "docker-compose.yml").read_text())
CONTAINERS: dict[str, dict[str, Any]] = COMPOSE["services"]
MODELS = {
    "identity": IdentitySettings,
    "exams": ExamsSettings,
    "certs": CertsSettings,
    "fulfillment": FulfillmentSettings,
    "notify": NotifySettings,
    "portal": PortalSettings,
}
OF_THE_IMAGE = {"CERTRAIL_ENVIRONMENT_FILE"}
ROLES = [role.value for role in Role if role is not Role.ALL]
PROCESSES = {f"{service}-{role}" for service in SERVICES for role in ROLES} | {PORTAL}


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_container_is_confined_and_limited(name: str) -> None:
    container = CONTAINERS[name]
    assert container["read_only"] is True
    assert container["cap_drop"] == ["ALL"]
    assert container["security_opt"] == ["no-new-privileges:true"]
    assert container["deploy"]["resources"]["limits"]["memory"]
    assert container["logging"]["options"]["max-size"]
    # One fills other containers' volumes, as their users, and then ends; it is on no network.
    assert ("cap_add" in container) == (container.get("network_mode") == "none") == (name == "provision")


def test_each_service_has_each_role_and_a_migration_before_all_of_them() -> None:
    assert PROCESSES | {f"{app}-migrate" for app in APPS} <= CONTAINERS.keys()
    for name in PROCESSES:
        app = name.split("-", maxsplit=1)[0]
        container = CONTAINERS[name]
        assert container["depends_on"] == {f"{app}-migrate": {"condition": "service_completed_successfully"}}
        assert container.get("command") == (None if app == PORTAL else ["--role", name.rsplit("-", 1)[-1]])
        assert container["restart"] == "unless-stopped"
        assert container["healthcheck"]["test"][-1] == "/readyz"
    for app in APPS:
        migration = CONTAINERS[f"{app}-migrate"]
        assert (migration["command"], migration["restart"]) == (["--migrate"], "no")
        assert migration["depends_on"] == {"setup": {"condition": "service_completed_successfully"}}


@pytest.mark.parametrize("name", sorted(PROCESSES))
def test_nothing_is_set_that_nobody_reads(name: str) -> None:
    model = MODELS[name.split("-", maxsplit=1)[0]]
    known = {f"{PREFIX}{field.upper()}" for field in model.model_fields}
    assert CONTAINERS[name]["environment"].keys() - OF_THE_IMAGE <= known


def test_a_stop_leaves_time_to_drain() -> None:
    drain = CertsSettings.model_fields["drain_seconds"].default
    for name in PROCESSES:
        leave = float(CONTAINERS[name]["environment"]["CERTRAIL_LEAVE_SECONDS"])
        assert leave >= 5
        assert int(CONTAINERS[name]["stop_grace_period"].removesuffix("s")) >= leave + drain * 1.25 + 10


def test_only_who_has_business_outside_is_on_a_network_that_leads_there() -> None:
    assert COMPOSE["networks"]["platform"] == {"internal": True}
    outside = {name for name, each in CONTAINERS.items() if "edge" in each.get("networks", ())}
    assert outside == {"gateway", "rabbitmq", "mailcatcher"}
    assert outside == {name for name, each in CONTAINERS.items() if "ports" in each}
    assert all(port.startswith("127.0.0.1:") for each in CONTAINERS.values() for port in each.get("ports", ()))
