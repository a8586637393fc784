"""The names of the bus: exchanges, queues, who binds what and who may do what.

Nothing is declared by a running service: `deploy/broker` creates everything here in one step, with an
administrator's rights, and the services' own users may configure nothing.
"""

import re
from dataclasses import dataclass
from datetime import timedelta

from libs.common.events import SERVICES, EventData, certs, exams, fulfillment, identity, notify, vendors

EVENTS = "certrail.events"
VENDORS = "certrail.vendors"
REJECTIONS = "certrail.rejections"
UNROUTED = "certrail.unrouted"
"""Fanout behind `certrail.vendors`: a vendor's message of no known kind still reaches somebody who answers it."""
ORDERS = "certrail.orders"
"""Topic; the routing key is the fulfilment house. Orders hold addresses, so they are no events for all to read."""
LOG = "certrail.log"

INGRESS = "exams"
"""The service that answers vendors: it alone refuses messages, so that one fault makes one rejection."""

RETRY_DELAYS = (timedelta(seconds=1), timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=10))
"""The retry ladder. A message that fails after the last step is parked."""

ORDERING = "fulfillment"
"""The one service that sends orders to fulfilment houses."""

MAX_MESSAGE_BYTES = 1_048_576
"""What the broker takes at most. Our own messages stay below a quarter of it."""

MAX_DELIVERIES = 100
"""Deliveries of one message before the broker parks it; only a crash while it is in hand counts as one."""

LOG_RETENTION = timedelta(days=14)

VENDOR_NAME = re.compile(r"[a-z][a-z0-9]{1,30}")
"""No dots and nothing a regular expression reads as more than itself: the name becomes part of a permission."""

VENDOR_BINDINGS: dict[str, tuple[type[EventData], ...]] = {
    "identity": (vendors.ExamRegistered,),
    # Courses and badges are certs' business, parcels are fulfillment's; exams only answers those that are refused.
    "exams": (
        vendors.ExamRegistered,
        vendors.ExamAppointmentChanged,
        vendors.ExamResultReported,
        vendors.CourseCompleted,
        vendors.AchievementReported,
        vendors.BadgeReported,
        vendors.ShipmentReported,
        vendors.OrderRefused,
        vendors.StockReported,
    ),
    "certs": (vendors.CourseCompleted, vendors.BadgeReported),
    "fulfillment": (vendors.ShipmentReported, vendors.OrderRefused, vendors.StockReported),
}

EVENT_BINDINGS: dict[str, tuple[type[EventData], ...]] = {
    "identity": (
        identity.AuditSealed,
        exams.AuditSealed,
        certs.AuditSealed,
        fulfillment.AuditSealed,
        notify.AuditSealed,
        exams.PersonalDataPart,
        certs.PersonalDataPart,
        fulfillment.PersonalDataPart,
        notify.PersonalDataPart,
        exams.ExamResultLate,
        exams.ExamResultArrived,
        exams.ExamResultNotAwaited,
        fulfillment.OrderReturned,
        notify.EmailSuppressed,
        notify.EmailRestored,
        notify.NewsUnsubscribed,
    ),
    "exams": (
        identity.CandidateRegistered,
        identity.CandidateProfileChanged,
        identity.ExternalIdLinked,
        identity.ExternalIdUnlinked,
        identity.CandidatesMerged,
        identity.CandidatesSeparated,
        identity.PersonalDataRequested,
        identity.CandidateErased,
    ),
    "certs": (
        exams.ExamPassed,
        exams.ExamFailed,
        exams.ExamResultRevised,
        exams.ExamResultInvalidated,
        identity.CandidateRegistered,
        identity.CandidateProfileChanged,
        identity.ExternalIdLinked,
        identity.ExternalIdUnlinked,
        identity.CandidatesMerged,
        identity.CandidatesSeparated,
        identity.PersonalDataRequested,
        identity.CandidateErased,
    ),
    "fulfillment": (
        certs.CertificationAwarded,
        certs.CertificationReinstated,
        certs.CertificationRevoked,
        certs.MilestoneReached,
        identity.CandidateRegistered,
        identity.CandidateProfileChanged,
        identity.CandidatesMerged,
        identity.CandidatesSeparated,
        identity.PersonalDataRequested,
        identity.CandidateErased,
    ),
    "notify": (
        identity.CandidateRegistered,
        identity.CandidateProfileChanged,
        identity.PreferencesChanged,
        identity.AccessRequested,
        identity.SessionsRevoked,
        identity.PasswordChanged,
        identity.EmailChangeRequested,
        identity.EmailChanged,
        identity.SecondFactorChanged,
        identity.CaseOpened,
        identity.CaseMessageWritten,
        identity.CaseDecided,
        identity.CaseSettled,
        identity.StaffInvited,
        identity.CandidatesMerged,
        identity.CandidatesSeparated,
        exams.ExamPassed,
        exams.ExamFailed,
        exams.ExamResultRevised,
        exams.ExamResultInvalidated,
        exams.ChallengeOpened,
        exams.ChallengeMessageWritten,
        exams.ChallengeDecided,
        exams.VoucherAssigned,
        exams.VendorProfileProblemFound,
        certs.CertificationAwarded,
        certs.CertificationRenewed,
        certs.CertificationExpiring,
        certs.CertificationExpired,
        certs.CertificationRevoked,
        certs.CreditsRecorded,
        certs.CourseSubmissionDecided,
        certs.MilestoneReached,
        certs.CertificationSuspended,
        certs.CertificationReinstated,
        fulfillment.GiftOffered,
        fulfillment.OrderPlaced,
        fulfillment.OrderShipped,
        fulfillment.OrderReturned,
        fulfillment.OrderCancelled,
        fulfillment.OrderLate,
        fulfillment.PaymentConfirmed,
        fulfillment.PaymentRefunded,
        identity.PersonalDataRequested,
        identity.CandidateErased,
        identity.DataExportReady,
        identity.ErasureRequested,
        identity.ErasureCancelled,
    ),
}


def events_queue(service: str) -> str:
    return f"{service}.events"


def vendors_queue(service: str) -> str:
    return f"{service}.vendors"


def parked_queue(service: str) -> str:
    return f"{service}.parked"


def retry_exchange(service: str) -> str:
    """Direct exchange through which a service reaches its own retry and parked queues and no others."""
    return f"{service}.retry"


def retry_queue(queue: str, step: int) -> str:
    """The queue in which a message of `queue` waits before its `step`-th retry, counted from 1."""
    return f"{queue}.retry.{step}"


def is_retry_queue(name: str) -> bool:
    """Whether messages only wait there: nobody reads it."""
    return ".retry." in name


def rejections_queue(vendor: str) -> str:
    return f"{vendor}.rejections"


def orders_queue(vendor: str) -> str:
    return f"{vendor}.orders"


def consumed_queues(service: str) -> tuple[str, ...]:
    """The queues a service reads its work from."""
    queues = (events_queue(service),) if EVENT_BINDINGS[service] else ()
    return (*queues, vendors_queue(service)) if service in VENDOR_BINDINGS else queues


@dataclass(frozen=True)
class Permissions:
    """RabbitMQ permissions of one user: regular expressions, and one per topic exchange for routing keys."""

    configure: str
    write: str
    read: str
    topics: dict[str, str]


def service_permissions(service: str) -> Permissions:
    """A service publishes under its own name, answers vendors, and touches its own queues only; one sends orders."""
    if service not in SERVICES:
        raise ValueError(f"{service} is not a service")
    orders = service == ORDERING
    ours = "events|rejections|orders" if orders else "events|rejections"
    return Permissions(
        configure="^$",
        write=rf"^(certrail\.({ours})|{service}\.retry)$",
        read=rf"^{service}\.(events|vendors|parked)$",
        topics={
            EVENTS: rf"^{service}\.",
            REJECTIONS: "^[a-z]",
            VENDORS: "^$",
            ORDERS: rf"^{VENDOR_NAME.pattern}$" if orders else "^$",
        },
    )


def vendor_permissions(vendor: str) -> Permissions:
    """A vendor publishes under its own name and reads its own rejections and orders, nothing else."""
    if not VENDOR_NAME.fullmatch(vendor):
        raise ValueError(f"a vendor's name is {VENDOR_NAME.pattern}, not {vendor!r}")
    return Permissions(
        configure="^$",
        write=r"^certrail\.vendors$",
        read=rf"^{vendor}\.(rejections|orders)$",
        topics={VENDORS: rf"^{vendor}\.", EVENTS: "^$", REJECTIONS: "^$", ORDERS: "^$"},
    )
