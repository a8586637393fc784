"""What the composed platform's one-shot writes into each container's volume."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from pydantic import SecretStr

from deploy.images.provision import assignments, broker_settings, provision, service_secrets, signing_keys
from deploy.local import field_keys
from deploy.local.secret_store import SecretStore
from libs.common.bus import topology
from libs.common.events import SERVICES
from libs.common.field_keys import FieldKeys
from services.identity.settings import read_signing_keys


@pytest.fixture
def secrets(tmp_path: Path) -> SecretStore:
    return SecretStore(tmp_path)


def _passwords(secrets: SecretStore, service: str) -> set[str]:
    return {secrets.get(f"mongo/{service}"), secrets.get(f"amqp/{service}")}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_gets_its_own_passwords_and_no_other(secrets: SecretStore, service: str) -> None:
    given = " ".join(service_secrets(secrets, service).values())
    assert all(password in given for password in _passwords(secrets, service))
    others = {secrets.get("mongo/admin"), secrets.get("amqp/admin"), secrets.get("amqp/operator")}
    others |= {password for other in SERVICES if other != service for password in _passwords(secrets, other)}
    assert not [password for password in others if password in given]


def test_only_identity_gets_keys_and_the_operators_secret(secrets: SecretStore) -> None:
    holders = {
        name: [service for service in SERVICES if name in service_secrets(secrets, service)]
        for name in ("CERTRAIL_SIGNING_KEYS_FILE", "CERTRAIL_SIGNING_KEYS_SECRET", "CERTRAIL_OPERATOR_SECRET")
    }
    assert holders == {name: ["identity"] for name in holders}


def test_a_second_run_gives_the_same_secrets(secrets: SecretStore, tmp_path: Path) -> None:
    first = {service: service_secrets(secrets, service) for service in SERVICES}
    assert {service: service_secrets(SecretStore(tmp_path), service) for service in SERVICES} == first


def test_a_shell_reads_assignments_as_they_were_written(tmp_path: Path) -> None:
    values = {"FIRST": "mongodb://a:b@c/d?e=f&g=h", "SECOND": "it's $HOME `id` \"\\ two  words"}
    file = tmp_path / "environment"
    file.write_text(assignments(values))
    script = f"set -a; . {file}; exec env -0"
    output = subprocess.run(["sh", "-c", script], env={"PATH": "/usr/bin:/bin"}, capture_output=True, check=True).stdout
    read = dict(entry.split("=", 1) for entry in output.decode().split("\0") if "=" in entry)
    assert {name: read[name] for name in values} == values


def test_the_broker_takes_no_larger_message_than_the_local_one(secrets: SecretStore) -> None:
    lines = broker_settings(secrets).splitlines()
    assert f"max_message_size = {topology.MAX_MESSAGE_BYTES}" in lines
    assert f"default_pass = {secrets.get('amqp/admin')}" in lines


def test_identity_reads_the_signing_keys(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_text(signing_keys())
    assert len(read_signing_keys(file)) == len(json.loads(file.read_text())["keys"]) == 1


def test_who_encrypts_fields_does_so_with_a_key_from_the_first_start_and_with_the_newest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "chown", lambda path, owner, group: None)  # only root gives files away
    folders = {service: tmp_path / service / "field-keys" for service in SERVICES}
    provision(tmp_path)
    first = {service: [path.name for path in folders[service].iterdir()] for service in field_keys.HOLDERS}
    keys = {service: FieldKeys(SecretStr("e" * 32), folders[service]) for service in field_keys.HOLDERS}
    sealed = {service: keys[service].seal("cases.evidence", b"secret") for service in field_keys.HOLDERS}
    assert {service: [held["key"]] for service, held in sealed.items()} == first
    provision(tmp_path)
    assert {service: [path.name for path in folders[service].iterdir()] for service in field_keys.HOLDERS} == first
    provision(tmp_path, new_field_keys=True)
    for service in field_keys.HOLDERS:
        assert keys[service].current() > first[service][0]
        assert keys[service].open("cases.evidence", sealed[service]) == b"secret"
    assert [service for service in SERVICES if folders[service].exists()] == [*field_keys.HOLDERS]


def test_a_service_is_told_where_its_field_keys_are(secrets: SecretStore) -> None:
    told = {service: service_secrets(secrets, service).get("CERTRAIL_FIELD_KEYS_DIR") for service in SERVICES}
    assert told == {
        service: "/run/certrail/field-keys" if service in field_keys.HOLDERS else None for service in SERVICES
    }
