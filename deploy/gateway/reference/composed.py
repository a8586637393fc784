"""Every service composed as it runs, with no server behind it: what it offers and what it takes in can be read."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from libs.common.clock import SystemClock
from libs.common.mongo.client import open_client, open_database
from libs.common.mongo.unit_of_work import UnitOfWork
from libs.common.programs import load_programs
from libs.common.service import Parts, Platform, Service
from services.certs.app import SERVICE as CERTS
from services.exams.app import SERVICE as EXAMS
from services.fulfillment.app import SERVICE as FULFILLMENT
from services.identity.app import SERVICE as IDENTITY
from services.notify.app import SERVICE as NOTIFY

ALL: tuple[Service, ...] = (IDENTITY, EXAMS, CERTS, FULFILLMENT, NOTIFY)
PROGRAMS = Path(__file__).parents[2] / "programs"
_OWNER = "documents"


class _Silent:
    def hand_over(self, _messages: Any) -> None:
        raise RuntimeError("nothing is published here")


@contextmanager
def composed() -> Iterator[dict[str, Parts]]:
    """The parts of every service by name. Their handlers have nothing to work on."""
    # A client connects when it is first used, which it never is.
    client = open_client("mongodb://127.0.0.1:1/nothing", application=_OWNER)
    try:
        yield {service.name: _parts(service, client) for service in ALL}
    finally:
        client.close()


def _parts(service: Service, client: Any) -> Parts:
    database, clock = open_database(client), SystemClock()
    unit = UnitOfWork(client, database, service=service.name, owner=_OWNER, clock=clock, relay=_Silent())
    values: dict[str, Any] = {"mongo_url": SecretStr(""), "amqp_url": SecretStr(""), "programs_dir": PROGRAMS}
    values["erasure_key"] = SecretStr("e" * 32)
    if service is IDENTITY:  # its keys are read when the first is needed, which none is
        values |= {"signing_keys_file": Path("nothing"), "signing_keys_secret": SecretStr("k" * 32)}
    if service is CERTS:  # the same
        values["certs_keys_secret"] = SecretStr("k" * 32)
    platform = Platform(database, unit, load_programs(PROGRAMS), clock, _OWNER)
    parts: Parts = service.build(platform, service.settings(**values))
    return parts
