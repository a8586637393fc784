"""Every service composed as it runs, without servers: what it offers and what it takes in."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import OKPKey
from pydantic import SecretStr

from libs.common.clock import SystemClock
from libs.common.events import SERVICES
from libs.common.mongo.client import open_client, open_database
from libs.common.mongo.unit_of_work import UnitOfWork
from libs.common.programs import load_programs
from libs.common.service import Parts, Platform, Service
from services.certs.app import SERVICE as CERTS
from services.exams.app import SERVICE as EXAMS
from services.fulfillment.app import SERVICE as FULFILLMENT
from services.identity.app import SERVICE as IDENTITY
from services.notify.app import SERVICE as NOTIFY

PROGRAMS = Path(__file__).parents[2] / "deploy" / "programs"
ALL: dict[str, Service] = {one.name: one for one in (IDENTITY, EXAMS, CERTS, FULFILLMENT, NOTIFY)}


class _Silent:
    def hand_over(self, messages: Any) -> None:
        raise AssertionError("nothing is published here")


@pytest.fixture(scope="session")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Parts]]:
    """The parts of every service, by name."""
    assert set(ALL) == set(SERVICES)
    keys = tmp_path_factory.mktemp("keys") / "keys.json"
    key = OKPKey.generate_key("Ed25519", parameters={"kid": "k1"})
    keys.write_text(json.dumps({"keys": [key.as_dict(private=True)]}))
    # A client connects when it is first used, which it never is.
    client = open_client("mongodb://127.0.0.1:1/nothing", application="contracts")
    database, clock = open_database(client), SystemClock()
    built = {}
    for name, service in ALL.items():
        unit = UnitOfWork(client, database, service=name, owner="contracts", clock=clock, relay=_Silent())
        platform = Platform(database, unit, load_programs(PROGRAMS), clock, "contracts")
        values: dict[str, Any] = {"mongo_url": SecretStr(""), "amqp_url": SecretStr(""), "programs_dir": PROGRAMS}
        values["erasure_key"] = SecretStr("e" * 32)
        if name == "identity":
            values["signing_keys_file"] = keys
        built[name] = service.build(platform, service.settings(**values))
    yield built
    client.close()
