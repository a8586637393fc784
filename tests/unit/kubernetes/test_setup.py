"""What the set-up reads, and the Secrets that are made by command."""

import base64
import json
from pathlib import Path

import pytest

from deploy.broker.definitions import OPERATOR, definitions
from deploy.kubernetes.secrets import Servers, contents, first_keys, manifests
from deploy.kubernetes.setup import (
    AddressError,
    account_of,
    broker_passwords,
    database_passwords,
    vendor_passwords,
)
from deploy.local.field_keys import HOLDERS, add_key, kept_keys
from deploy.local.secret_store import SecretStore
from deploy.processes import APPS
from libs.common.events import SERVICES
from services.identity.settings import read_signing_keys

SERVERS = Servers("m0:27017,m1:27017", "rs0", "broker:5671", tls=True)


@pytest.fixture
def kept(tmp_path: Path) -> SecretStore:
    return SecretStore(tmp_path / "kept")


@pytest.fixture
def accounts(kept: SecretStore, tmp_path: Path) -> Path:
    """The folder as the Job has it mounted."""
    folder = tmp_path / "accounts"
    for app in APPS:
        (folder / app).mkdir(parents=True)
        held = contents(kept, "{}", {}, SERVERS)[f"certrail-{app}"]
        (folder / app / "mongo-url").write_text(held["CERTRAIL_MONGO_URL"])
        if app in SERVICES:
            (folder / app / "amqp-url").write_text(held["CERTRAIL_AMQP_URL"])
    return folder


def test_accounts_get_the_passwords_that_their_addresses_hold(kept: SecretStore, accounts: Path) -> None:
    assert database_passwords(accounts) == {app: kept.get(f"mongo/{app}") for app in APPS}
    operator = SERVERS.amqp_url(OPERATOR, kept.get(f"amqp/{OPERATOR}"))
    found = broker_passwords(accounts, operator, {"vue": "vendor's"})
    assert found == {**{user: kept.get(f"amqp/{user}") for user in (*SERVICES, OPERATOR)}, "vue": "vendor's"}
    definitions(["vue"], found)  # nobody is left without one


def test_a_password_may_hold_any_character() -> None:
    address = SERVERS.amqp_url("certs", "p@ss/w:rd%?#")
    assert account_of(address, "certs/amqp-url", user="certs") == "p@ss/w:rd%?#"


@pytest.mark.parametrize(
    "address",
    [
        "mongodb://exams:x@h/certrail_certs",
        "mongodb://certs@h/certrail_certs",
        "mongodb://certs:x@h/certrail_exams",
        "mongodb://h/certrail_certs",
    ],
)
def test_an_address_that_is_not_the_services_own_is_refused_without_quoting_it(address: str) -> None:
    with pytest.raises(AddressError, match=r"^certs/mongo-url: ") as refused:
        account_of(address, "certs/mongo-url", user="certs", database="certrail_certs")
    assert "mongodb://" not in str(refused.value)


def test_a_missing_address_is_named(accounts: Path) -> None:
    (accounts / "notify" / "mongo-url").unlink()
    with pytest.raises(AddressError, match="notify/mongo-url"):
        database_passwords(accounts)


def test_vendors_are_the_files_of_a_mounted_secret_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "..data").mkdir()
    (tmp_path / "..2026").write_text("what Kubernetes keeps there")
    (tmp_path / "vue").write_text("a password\n")
    assert vendor_passwords(tmp_path) == {"vue": "a password"}
    assert vendor_passwords(None) == {}


def test_secrets_are_the_same_the_second_time_and_different_for_each_service(kept: SecretStore, tmp_path: Path) -> None:
    keys = first_keys(tmp_path)
    fields = {service: kept_keys(tmp_path, service) for service in HOLDERS}
    first = contents(kept, keys, fields, SERVERS)
    again = {service: kept_keys(tmp_path, service) for service in HOLDERS}
    assert contents(kept, first_keys(tmp_path), again, SERVERS) == first
    assert len(read_signing_keys(tmp_path / "signing-keys.json")) == 1
    for service in SERVICES:
        others = " ".join(" ".join(held.values()) for name, held in first.items() if name != f"certrail-{service}")
        assert kept.get(f"mongo/{service}") not in others
        assert kept.get(f"erasure/{service}") not in others
    document = json.loads(json.dumps(manifests(first, "certs")))
    assert {item["metadata"]["name"] for item in document["items"]} == first.keys()
    assert {item["metadata"]["namespace"] for item in document["items"]} == {"certs"}
    for item in document["items"]:
        decoded = {key: base64.b64decode(value).decode() for key, value in item["data"].items()}
        assert decoded == first[item["metadata"]["name"]]


def test_a_new_field_key_stands_beside_the_old_one_and_sorts_behind_it(kept: SecretStore, tmp_path: Path) -> None:
    (old,) = kept_keys(tmp_path, "certs")
    new = add_key(tmp_path, "certs")
    held = contents(kept, "{}", {"certs": kept_keys(tmp_path, "certs")}, SERVERS)["certrail-certs-field-keys"]
    assert list(held) == [old, new] == sorted(held)
    (tmp_path / "field-keys" / "certs" / old).unlink()
    assert list(kept_keys(tmp_path, "certs")) == [new]
