"""The environment of every pod against the models that will read it."""

import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic_settings import BaseSettings

from deploy.gateway.nginx import Limits
from deploy.kubernetes.secrets import Servers, contents
from deploy.kubernetes.setup import SetUpSettings
from deploy.local.field_keys import HOLDERS, kept_keys
from deploy.local.secret_store import SecretStore
from deploy.processes import APPS
from libs.common.bus import topology
from libs.common.settings import PREFIX, ProcessSettings
from services.certs.settings import CertsSettings
from services.exams.settings import ExamsSettings
from services.fulfillment.settings import FulfillmentSettings
from services.identity.settings import IdentitySettings
from services.notify.settings import NotifySettings
from services.portal.settings import PortalSettings
from tests.unit.kubernetes.charts import PLATFORM, PLATFORMS, environment, pods, services_of

MODELS: dict[str, type[ProcessSettings]] = {
    "identity": IdentitySettings,
    "exams": ExamsSettings,
    "certs": CertsSettings,
    "fulfillment": FulfillmentSettings,
    "notify": NotifySettings,
    "portal": PortalSettings,
}
FACTS: dict[str, Any] = yaml.safe_load((PLATFORM / "files" / "services.yaml").read_text())
IN_THE_IMAGE = {"CERTRAIL_SERVICE", "CERTRAIL_HOST", "CERTRAIL_PROGRAMS_DIR", "CERTRAIL_VENDORS_DIR"}
SERVERS = Servers("mongo:27017", "rs0", "broker:5671", tls=True)


def variable(field: str) -> str:
    return f"{PREFIX}{field.upper()}"


def secret_fields(model: type[BaseSettings]) -> dict[str, bool]:
    """Variables that hold secrets, and whether each is required."""
    return {
        variable(name): field.is_required()
        for name, field in model.model_fields.items()
        if "SecretStr" in str(field.annotation)
    }


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    folder = tmp_path_factory.mktemp("secrets")
    fields = {service: kept_keys(folder, service) for service in HOLDERS}
    return contents(SecretStore(folder), "{}", fields, SERVERS)


def read(
    model: type[BaseSettings], given: dict[str, Any], secrets: dict[str, dict[str, str]], folder: Path
) -> BaseSettings:
    """The model from a pod's environment, with the secrets filled in and every mounted file in a folder of ours."""
    filled = {}
    for name, value in given.items():
        if isinstance(value, dict):
            reference = value["secretKeyRef"]
            held = secrets.get(reference["name"], {}).get(reference["key"])
            assert held is not None or reference.get("optional"), f"{reference['name']} lacks {reference['key']}"
            if held is not None:
                filled[name] = held
        elif name.endswith("_FILE"):
            (folder / name).write_text("")
            filled[name] = str(folder / name)
        elif name.endswith("_DIR"):
            (folder / name).mkdir(exist_ok=True)
            filled[name] = str(folder / name)
        else:
            filled[name] = value
    with pytest.MonkeyPatch.context() as patched:
        for name in [name for name in os.environ if name.startswith(PREFIX)]:
            patched.delenv(name)
        for name, value in filled.items():
            patched.setenv(name, value)
        return model()


@pytest.mark.parametrize("case", PLATFORMS)
def test_every_process_starts_with_what_it_is_given(
    case: str, secrets: dict[str, dict[str, str]], tmp_path: Path
) -> None:
    for service, pod in services_of(case).values():
        given = {"CERTRAIL_PROGRAMS_DIR": "/app/deploy/programs", **environment(pod)}  # as the image sets it
        if "CERTRAIL_SMTP_USER" in given:
            given["CERTRAIL_SMTP_PASSWORD"] = "the account's password"
        read(MODELS[service], given, secrets, tmp_path)


@pytest.mark.parametrize("case", PLATFORMS)
def test_nothing_is_set_that_nobody_reads(case: str) -> None:
    for service, pod in services_of(case).values():
        unknown = environment(pod).keys() - {variable(name) for name in MODELS[service].model_fields}
        assert unknown - IN_THE_IMAGE - {"CERTRAIL_OTLP_ENDPOINT"} == set(), service


@pytest.mark.parametrize("case", PLATFORMS)
def test_the_set_up_starts_with_what_it_is_given(case: str, secrets: dict[str, dict[str, str]], tmp_path: Path) -> None:
    given = environment(pods(case)["certrail-set-up"])
    assert given.keys() <= {variable(name) for name in SetUpSettings.model_fields}
    operators = {"certrail-rabbitmq-default-user": {"connection_string": "amqps://default:x@broker/"}}
    read(SetUpSettings, given, {**secrets, **operators}, tmp_path)


def test_images_set_what_the_chart_leaves_out() -> None:
    dockerfile = (PLATFORM.parents[1] / "images" / "Dockerfile").read_text()
    assert {f"CERTRAIL_{name}" for name in re.findall(r"CERTRAIL_([A-Z_]+)=", dockerfile)} == IN_THE_IMAGE


def test_facts_know_each_service_and_each_of_its_secrets() -> None:
    assert FACTS.keys() == set(APPS)
    for app, facts in FACTS.items():
        known = secret_fields(MODELS[app])
        assert set(facts["secrets"]["required"]) == {name for name, required in known.items() if required}
        assert set(facts["secrets"].get("optional", ())) == {name for name, required in known.items() if not required}


def test_facts_know_the_queues_of_each_service() -> None:
    assert {app: tuple(facts["queues"]) for app, facts in FACTS.items() if app != "portal"} == {
        service: topology.consumed_queues(service) for service in FACTS if service != "portal"
    }


def test_no_secret_can_be_given_as_a_plain_setting() -> None:
    schema = yaml.safe_load((PLATFORM / "values.schema.json").read_text())
    refused = schema["definitions"]["settings"]["propertyNames"]["not"]["enum"]
    assert set(refused) == {name for model in MODELS.values() for name in secret_fields(model)}


def test_secrets_made_by_command_are_all_that_the_chart_asks_for(secrets: dict[str, dict[str, str]]) -> None:
    asked: dict[str, set[str]] = {}
    for pod in pods("platform").values():
        for value in environment(pod).values():
            if isinstance(value, dict) and not value["secretKeyRef"].get("optional"):
                asked.setdefault(value["secretKeyRef"]["name"], set()).add(value["secretKeyRef"]["key"])
        for volume in pod["spec"]["volumes"]:
            sources = [volume["secret"]] if "secret" in volume else volume.get("projected", {}).get("sources", ())
            for source in sources:
                secret = source.get("secret", source)
                names = {item["key"] for item in secret.get("items", ())}
                asked.setdefault(secret.get("name") or secret["secretName"], set()).update(names)
    assert {name: keys - secrets[name].keys() for name, keys in asked.items()} == {name: set() for name in asked}


@pytest.mark.parametrize("case", PLATFORMS)
def test_field_keys_are_mounted_where_fields_are_encrypted_and_nowhere_else(case: str) -> None:
    """As a whole folder: Kubernetes brings a new key into it without a restart."""
    for service, pod in services_of(case).values():
        secret = f"certrail-{service}-field-keys"
        mounted = {each["secret"]["secretName"]: each for each in pod["spec"]["volumes"] if "secret" in each}
        assert {name for name in mounted if name.endswith("-field-keys")} == ({secret} if service in HOLDERS else set())
        if service in HOLDERS:
            (container,) = pod["spec"]["containers"]
            (place,) = [each for each in container["volumeMounts"] if each["name"] == mounted[secret]["name"]]
            assert environment(pod)["CERTRAIL_FIELD_KEYS_DIR"] == place["mountPath"]
            assert not {"items", "optional"} & mounted[secret]["secret"].keys()
            assert "subPath" not in place


def test_what_the_set_up_takes_stands_in_the_guide() -> None:
    guide = (PLATFORM.parents[2] / "docs" / "kubernetes.md").read_text()
    for name, field in SetUpSettings.model_fields.items():
        (row,) = [line for line in guide.splitlines() if line.startswith("|") and f"`{variable(name)}`" in line]
        assert ("required" in row) == field.is_required()


def test_the_gateway_counts_as_the_image_does_unless_told_otherwise() -> None:
    given = environment(pods("platform")["certrail-gateway"])
    assert {name: given[name] for name in given if name.startswith("LIMIT_")} == Limits().values()
    assert given["UNLIMITED"] == ""
    told = environment(pods("platform-everything")["certrail-gateway"])
    assert {name: told[name] for name in Limits().values()} == Limits(sign_in="120r/m", address="500r/s").values()
    assert told["UNLIMITED"] == "192.0.2.0/24 2001:db8::/32"
