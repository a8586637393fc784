"""A service whose database was restored says again what it had said: under the first ids, and nothing happens twice."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import orjson
import pytest

from deploy.backup.catching_up import _Notes
from libs.common.clock import FixedClock
from libs.common.events import CloudEvent, EventData, exams, identity, notify, service_event
from libs.common.events.envelope import parse_batch, parse_single
from libs.common.mongo.said_before import COLLECTION, INDEXES, SaidBefore, meaning
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.programs import Program
from services.exams.consumers import VendorMessages as ExamsVendorMessages
from services.exams.store import ExamsStore
from services.identity.consumers import VendorMessages
from services.identity.registration_store import RegistrationStore
from services.identity.store import IdentityStore
from services.notify.sent_before import SentBefore
from services.notify.store import NotifyStore, State
from tests.e2e.samples import registration
from tests.service.conftest import OpenBase
from tests.service.rig import Base, Kept
from tests.service.samples import received_from_vendor


def said(base: Base) -> list[CloudEvent[Any]]:
    """The events that were handed to the relay."""
    assert isinstance(base.relay, Kept)
    found: list[CloudEvent[Any]] = []
    for message in base.relay.messages:
        model = service_event(message.type)
        if model is not None:
            found += parse_batch(model, message.body) if message.count > 1 else [parse_single(model, message.body)]
    base.relay.messages.clear()
    return found


def after_restore(base: Base) -> UnitOfWork:
    before = SaidBefore(base.database)
    return UnitOfWork(
        base.client,
        base.database,
        service=base.service,
        owner=base.owner,
        clock=base.clock,
        relay=base.relay,
        said_before=before,
    )
