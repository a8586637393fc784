"""All queues and pages of staff, in the order of the list at the side."""

from typing import Final

from services.portal.languages import mark
from services.portal.staff.announcements.counts import count as drafts
from services.portal.staff.badges.counts import count as badges
from services.portal.staff.cases.queues import CASES, NAMES, SECOND
from services.portal.staff.claims.queues import CLAIMS
from services.portal.staff.kit import Queue
from services.portal.staff.mail_troubles.counts import count as mail_troubles
from services.portal.staff.merges.counts import count as pairs
from services.portal.staff.mine.queues import MINE
from services.portal.staff.parcels.counts import count as parcels
from services.portal.staff.results.queues import RESULTS
from services.portal.staff.vendors.queues import VENDORS

DUPLICATES: Final = Queue(
    "suspected-duplicates",
    mark("Suspected duplicates"),
    "candidates",
    mark(
        "Accounts with one e-mail address, or one name at one place. Whether they are one person's is for you to say."
    ),
    frozenset({"accounts:manage"}),
    pairs,
)
PARCELS: Final = Queue(
    "returned-parcels",
    mark("Returned parcels"),
    "credits",
    mark("Kits and certificates that came back. Sending one again is free of charge for the candidate."),
    frozenset({"benefits:manage"}),
    parcels,
)
HOUSES: Final = Queue(
    "fulfilment-houses",
    mark("Fulfilment houses"),
    "credits",
    mark("How it goes with those who print and send, and orders that they refused."),
    frozenset({"benefits:manage"}),
)
DECISIONS: Final = Queue(
    "decisions",
    mark("Grants and revocations"),
    "program",
    mark("Certifications that are granted, revoked, suspended or extended by a person."),
    frozenset({"certs:decide"}),
)
ANNOUNCEMENTS: Final = Queue(
    "announcements",
    mark("Announcements"),
    "program",
    mark("What the program tells its candidates on their first page, and by mail to those who want news."),
    frozenset({"messages:manage"}),
    drafts,
)
TEMPLATES: Final = Queue(
    "templates",
    mark("Words of mails"),
    "program",
    mark("What mails say, in every language: the words that come with the service, or your own."),
    frozenset({"messages:manage"}),
)
MAIL_TROUBLES: Final = Queue(
    "mail-troubles",
    mark("Mail troubles"),
    "candidates",
    mark("Addresses that nothing is sent to, because mails came back or were reported as unwanted."),
    frozenset({"messages:read", "operations:read"}),
    mail_troubles,
)
BADGES: Final = Queue(
    "badge-provider",
    mark("Badge provider"),
    "vendors",
    mark("How the exchange with the program's badge provider goes, and badges that it refuses or has lost."),
    frozenset({"operations:read"}),
    badges,
)
HOOKS: Final = Queue(
    "hooks",
    mark("Web hooks"),
    "program",
    mark("Where systems of yours are told what happens, as it happens."),
    frozenset({"hooks:manage"}),
)
PEOPLE: Final = Queue(
    "people",
    mark("Staff and systems"),
    "program",
    mark("Who works for the program, in which roles, and what asks our services by itself."),
    frozenset({"staff:manage"}),
)
RULES: Final = Queue(
    "rules",
    mark("Rules and dry runs"),
    "program",
    mark("The definition that decides about certifications, and what another would change."),
    frozenset({"programs:manage"}),
)
AUDIT: Final = Queue(
    "audit",
    mark("Audit"),
    "program",
    mark("Who saw and changed what. Every service keeps a chain of records that shows any change to it."),
    frozenset({"audit:read"}),
)

QUEUES: Final[tuple[Queue, ...]] = (
    MINE,
    SECOND,
    CASES,
    NAMES,
    DUPLICATES,
    MAIL_TROUBLES,
    *RESULTS,
    CLAIMS,
    PARCELS,
    HOUSES,
    DECISIONS,
    *VENDORS,
    BADGES,
    ANNOUNCEMENTS,
    TEMPLATES,
    RULES,
    HOOKS,
    PEOPLE,
    AUDIT,
)
"""Add yours here, at its place in its group."""
