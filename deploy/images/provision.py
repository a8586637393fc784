"""Makes every secret of a composed platform once, and gives each container a volume with its own and no other's.

`python -m deploy.images.provision FOLDER`, where FOLDER holds the mounted volumes: `operator` keeps all secrets,
`mongo`, `rabbitmq` and one for each service receive what these need. Safe to repeat: what exists stays.
"""

import argparse
import json
import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from joserfc.jwk import OKPKey

from deploy.images.addresses import ADMINISTRATOR, BROKER, MONGO
from deploy.local import field_keys
from deploy.local.mongod import mongo_url
from deploy.local.rabbitmq import amqp_url
from deploy.local.secret_store import SecretStore, write_private
from deploy.mongo.users import database_name
from deploy.processes import PORTAL
from libs.common.bus import topology
from libs.common.events import SERVICES
from libs.common.ids import new_id

OURS = 10_001
"""The user that our images run as."""
SERVERS = 999
"""The user that the images of MongoDB and of RabbitMQ run as."""

MOUNTED = Path("/run/certrail")
"""Where a service finds its volume."""
SIGNING_KEYS = "signing-keys.json"
VENDOR_SECRETS = "vendors"
FIELD_KEYS = "field-keys"


def provision(volumes: Path, *, new_field_keys: bool = False) -> None:
    """Fill the volumes below `volumes`; with `new_field_keys` each service encrypts with a new key from now on."""
    secrets = SecretStore(volumes / "operator")
    _provide(volumes / "mongo", SERVERS, mongo_files(secrets))
    _provide(volumes / "rabbitmq", SERVERS, {"90-certrail.conf": broker_settings(secrets)})
    if not (volumes / "identity" / SIGNING_KEYS).exists():
        _provide(volumes / "identity", OURS, {SIGNING_KEYS: signing_keys()})
    for service in SERVICES:
        _provide(volumes / service, OURS, {"environment": assignments(service_secrets(secrets, service))})
    _provide(volumes / PORTAL, OURS, {"environment": assignments(portal_secrets(secrets))})
    # What the sample vendors' definitions name; those of others are put beside it.
    sign_on = {"vue-sign-on": f"composed {secrets.get('exams/vue-sign-on')}\n"}
    _provide(volumes / "exams" / VENDOR_SECRETS, OURS, sign_on)
    _provide(volumes / "fulfillment" / VENDOR_SECRETS, OURS, {})
    for service in field_keys.HOLDERS:
        if new_field_keys:
            field_keys.add_key(volumes / "operator", service)
        kept = field_keys.kept_keys(volumes / "operator", service)
        # What is there is left alone: it may be read this moment.
        given = {name: key for name, key in kept.items() if not (volumes / service / FIELD_KEYS / name).exists()}
        _provide(volumes / service / FIELD_KEYS, OURS, given)
    for path in (volumes / "operator", *(volumes / "operator").rglob("*")):
        os.chown(path, OURS, OURS)


def mongo_files(secrets: SecretStore) -> dict[str, str]:
    """The administrator's password, and the key by which members of the replica set know each other."""
    return {
        "admin-password": secrets.get("mongo/admin"),
        "replica-set.key": secrets.keyfile("mongo.key").read_text(),
    }


def broker_settings(secrets: SecretStore) -> str:
    """The broker's own settings; the administrator is made at the first start only."""
    settings = {
        "default_user": ADMINISTRATOR,
        "default_pass": secrets.get("amqp/admin"),
        "default_user_tags.administrator": "true",
        "max_message_size": topology.MAX_MESSAGE_BYTES,
        "heartbeat": 15,
        # Prometheus reads the counters at their source; a second set of statistics only costs CPU.
        "management.disable_stats": "true",
        "management_agent.disable_metrics_collector": "true",
        "log.console": "true",
        "log.console.level": "warning",
    }
    return "".join(f"{name} = {value}\n" for name, value in settings.items())


def service_secrets(secrets: SecretStore, service: str) -> dict[str, str]:
    """The settings of a service that hold passwords, and where it finds its files of them."""
    found = {
        "CERTRAIL_MONGO_URL": mongo_url(MONGO, database_name(service), service, secrets.get(f"mongo/{service}")),
        "CERTRAIL_AMQP_URL": amqp_url(BROKER, service, secrets.get(f"amqp/{service}")),
        **own_secrets(secrets, service),
    }
    if service == "identity":
        found["CERTRAIL_SIGNING_KEYS_FILE"] = str(MOUNTED / SIGNING_KEYS)
    if service in field_keys.HOLDERS:
        found["CERTRAIL_FIELD_KEYS_DIR"] = str(MOUNTED / FIELD_KEYS)
    if service in {"exams", "fulfillment"}:
        found["CERTRAIL_VENDOR_SECRETS_DIR"] = str(MOUNTED / VENDOR_SECRETS)
    return found


def own_secrets(secrets: SecretStore, service: str) -> dict[str, str]:
    """The settings of a service that nobody else knows, wherever it runs."""
    found = {"CERTRAIL_ERASURE_KEY": secrets.get(f"erasure/{service}")}
    if service == "identity":
        found["CERTRAIL_SIGNING_KEYS_SECRET"] = secrets.get("identity/signing-keys")
        found["CERTRAIL_OPERATOR_SECRET"] = secrets.get("client/operator")
    if service == "certs":
        found["CERTRAIL_CERTS_KEYS_SECRET"] = secrets.get("certs/keys")
    if service == "notify":
        found["CERTRAIL_HOOKS_SECRET"] = secrets.get("notify/hooks")
    if service == "exams":
        found["CERTRAIL_CREDENTIALS_SECRET"] = secrets.get("exams/credentials")
    return found


def portal_secrets(secrets: SecretStore) -> dict[str, str]:
    """The settings of the portal that hold passwords."""
    return {
        "CERTRAIL_MONGO_URL": mongo_url(MONGO, database_name(PORTAL), PORTAL, secrets.get(f"mongo/{PORTAL}")),
        **portal_secret(secrets),
    }


def portal_secret(secrets: SecretStore) -> dict[str, str]:
    """The portal's own secret, wherever it runs."""
    return {"CERTRAIL_PORTAL_SECRET": secrets.get("portal/secret")}


def assignments(values: Mapping[str, str]) -> str:
    """Variables as a shell reads them."""
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items())


def signing_keys() -> str:
    """A new key that signs access tokens, as a JWK set."""
    key = OKPKey.generate_key("Ed25519", {"kid": new_id(), "alg": "Ed25519"}, private=True)
    return json.dumps({"keys": [key.as_dict(private=True)]})


def _provide(volume: Path, owner: int, files: Mapping[str, str]) -> None:
    volume.mkdir(exist_ok=True)
    for name, content in files.items():
        write_private(volume / name, content)
        os.chown(volume / name, owner, owner)
    os.chown(volume, owner, owner)
    volume.chmod(0o700)


def main() -> None:
    parser = argparse.ArgumentParser(prog="deploy.images.provision", description="Makes a composed platform's secrets.")
    parser.add_argument("volumes", type=Path, help="the folder of the mounted volumes")
    parser.add_argument("--new-field-keys", action="store_true", help="begin with new keys of fields beside the old")
    given = parser.parse_args()
    provision(given.volumes, new_field_keys=given.new_field_keys)


if __name__ == "__main__":
    main()
