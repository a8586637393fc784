"""The published event language: every event any part of Certrail, or a partner, may put on the bus."""

from libs.common.events import certs, exams, fulfillment, identity, notify, vendors
from libs.common.events.envelope import BATCH, SINGLE, CloudEvent
from libs.common.events.registry import SERVICES, VENDOR, EventData, all_events, service_event, vendor_event

__all__ = [
    "BATCH",
    "SERVICES",
    "SINGLE",
    "VENDOR",
    "CloudEvent",
    "EventData",
    "all_events",
    "certs",
    "exams",
    "fulfillment",
    "identity",
    "notify",
    "service_event",
    "vendor_event",
    "vendors",
]
