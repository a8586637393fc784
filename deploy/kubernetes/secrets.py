"""Makes the platform's Secrets: `python -m deploy.kubernetes.secrets … | kubectl apply -f -`.

Every password and key is made once and kept in a folder, so that a repetition says the same. Where a vault makes
Secrets, this is the list of what they hold.
"""

import argparse
import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from deploy.broker.definitions import OPERATOR
from deploy.images.provision import SIGNING_KEYS, own_secrets, portal_secret, signing_keys
from deploy.local.field_keys import HOLDERS, add_key, kept_keys
from deploy.local.secret_store import SecretStore, write_private
from deploy.mongo.users import database_name
from deploy.processes import PORTAL
from libs.common.events import SERVICES

ADMINISTRATOR = "admin"


@dataclass(frozen=True)
class Servers:
    """Where the platform will find its servers."""

    mongo: str
    """`host:port`, or several parted by commas."""
    replica_set: str
    broker: str
    """`host:port`."""
    tls: bool

    def mongo_url(self, database: str, user: str, password: str) -> str:
        options = {"replicaSet": self.replica_set, "authSource": database, **({"tls": "true"} if self.tls else {})}
        return f"mongodb://{user}:{quote(password, safe='')}@{self.mongo}/{database}?{urlencode(options)}"

    def amqp_url(self, user: str, password: str) -> str:
        return f"{'amqps' if self.tls else 'amqp'}://{user}:{quote(password, safe='')}@{self.broker}/"


def contents(
    kept: SecretStore, keys: str, fields: Mapping[str, Mapping[str, str]], servers: Servers
) -> dict[str, dict[str, str]]:
    """What each Secret holds, by its name.

    Args:
        kept: where passwords are kept, and made at the first time.
        keys: the first signing keys of access tokens, a JWK set.
        fields: by service, the keys that encrypt its fields by their ids.
        servers: where both servers are.
    """
    secrets = {f"certrail-{service}-field-keys": dict(held) for service, held in fields.items()}
    for service in SERVICES:
        secrets[f"certrail-{service}"] = {
            "CERTRAIL_MONGO_URL": servers.mongo_url(database_name(service), service, kept.get(f"mongo/{service}")),
            "CERTRAIL_AMQP_URL": servers.amqp_url(service, kept.get(f"amqp/{service}")),
            **own_secrets(kept, service),
        }
    secrets["certrail-identity"][SIGNING_KEYS] = keys
    secrets["certrail-portal"] = {
        "CERTRAIL_MONGO_URL": servers.mongo_url(database_name(PORTAL), PORTAL, kept.get(f"mongo/{PORTAL}")),
        **portal_secret(kept),
    }
    secrets["certrail-admin"] = {
        "mongo-url": servers.mongo_url("admin", ADMINISTRATOR, kept.get("mongo/admin")),
        "amqp-url": servers.amqp_url(ADMINISTRATOR, kept.get("amqp/admin")),
        "operator-amqp-url": servers.amqp_url(OPERATOR, kept.get(f"amqp/{OPERATOR}")),
    }
    secrets["certrail-mongo-admin-password"] = {"password": kept.get("mongo/admin")}
    return secrets


def manifests(secrets: Mapping[str, Mapping[str, str]], namespace: str) -> dict[str, Any]:
    """The Secrets as one document, encoded, so that `kubectl apply` removes what is no more in one."""
    items = [
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "Opaque",
            "metadata": {"name": name, "namespace": namespace, "labels": {"app.kubernetes.io/part-of": "certrail"}},
            "data": {key: base64.b64encode(value.encode()).decode() for key, value in values.items()},
        }
        for name, values in secrets.items()
    ]
    return {"apiVersion": "v1", "kind": "List", "items": items}


def first_keys(folder: Path) -> str:
    """The signing keys kept in `folder`, made now if there are none."""
    file = folder / SIGNING_KEYS
    if not file.exists():
        write_private(file, signing_keys())
    return file.read_text()


def main() -> None:
    parser = argparse.ArgumentParser(prog="deploy.kubernetes.secrets", description="Makes the platform's Secrets.")
    parser.add_argument("--folder", type=Path, required=True, help="where passwords are kept; back it up, tell nobody")
    parser.add_argument("--namespace", required=True)
    parser.add_argument("--mongo", required=True, help="host:port, or several parted by commas")
    parser.add_argument("--replica-set", required=True)
    parser.add_argument("--broker", required=True, help="host:port")
    parser.add_argument("--tls", action="store_true", help="both servers speak TLS")
    parser.add_argument("--new-field-keys", action="store_true", help="begin with new keys of fields beside the old")
    given = parser.parse_args()
    kept = SecretStore(given.folder)
    if given.new_field_keys:
        for service in HOLDERS:
            add_key(given.folder, service)
    fields = {service: kept_keys(given.folder, service) for service in HOLDERS}
    servers = Servers(given.mongo, given.replica_set, given.broker, given.tls)
    print(json.dumps(manifests(contents(kept, first_keys(given.folder), fields, servers), given.namespace), indent=1))


if __name__ == "__main__":
    main()
