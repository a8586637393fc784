"""Made-up facts for every kind of mail: previews show them, and a template must be able to say all of them.

The facts of a kind's samples, taken together, are also the names that its templates may use. A fact that can be
missing or empty is so in one sample at least, and whatever a template may decide by has a sample each way.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from services.notify.domain.gathering import digest_facts, reminder_facts
from services.notify.domain.mails import TOKEN, Template

Facts = dict[str, Any]

_MOMENT: Final = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)

_LINK: Facts = {TOKEN: "sample-of-a-link", "expires_at": _MOMENT}
_EXAM: Facts = {"exam": "CCNA (200-301)", "taken_on": "2026-11-20"}
_CASE: Facts = {"case_id": "0a1b2c", "reference": "K00000013", "kind": "name"}
_LATE_CASE: Facts = _CASE | {"kind": "missing_result", "exam": "CCNA (200-301)"}
_HELD: Facts = {
    "title": "CCNA",
    "earned_on": "2026-03-01",
    "expires_on": "2029-03-01",
    "because": "200-301 was passed on 1 March 2026.",
}
_EXPIRING: Facts = _HELD | {"candidate_id": "SAMPLE-1", "certification": "CCNA"}
_ENTRY: Facts = {"on": "2026-03-01", "words": "8 credits recorded for Core technologies"}
_FOR_LIFE: Facts = _HELD | {"title": "CCIE Emeritus", "expires_on": None}
_ITEM: Facts = {"title": "Core technologies", "completed_on": "2026-03-01"}
_KIT: Facts = {"title": "Welcome kit: CCNA"}
_GIFT: Facts = {"title": "Jacket for 25 years of certification"}
_PAID: Facts = {"title": "Wall plaque: CCIE Security", "amount": "79.00", "currency": "USD"}

SAMPLES: Final[Mapping[Template, tuple[Facts, ...]]] = {
    Template.ACTIVATION: (_LINK,),
    Template.RECOVERY: (_LINK,),
    Template.SESSION_ENDED: ({"revoked_at": _MOMENT},),
    Template.PASSWORD_CHANGED: ({"changed_at": _MOMENT},),
    Template.EMAIL_CONFIRMATION: (_LINK,),
    Template.EMAIL_CHANGED: ({"changed_at": _MOMENT},),
    Template.SECOND_FACTOR_CHANGED: (
        {"state": "on", "changed_at": _MOMENT},
        {"state": "off", "changed_at": _MOMENT},
    ),
    Template.EXAM_PASSED: (_EXAM,),
    Template.EXAM_FAILED: (_EXAM,),
    Template.RESULT_CHANGED: (
        _EXAM | {"grade": "pass", "previous_grade": "fail", "said_by": "vendor"},
        _EXAM | {"grade": "pass", "previous_grade": "pass", "said_by": "staff"},
        _EXAM | {"grade": "pending", "previous_grade": "invalidated"},
    ),
    Template.RESULT_WITHDRAWN: (_EXAM | {"said_by": "vendor"}, _EXAM | {"said_by": "staff"}, _EXAM),
    Template.CERTIFICATION_AWARDED: (_HELD | {"kit": True}, _FOR_LIFE | {"kit": False}),
    Template.CERTIFICATION_RENEWED: (_HELD, _FOR_LIFE),
    Template.CERTIFICATION_EXPIRING: (
        *(
            reminder_facts([_EXPIRING | {"expires_on": day, "days_left": left}])
            for left, day in ((30, "2026-12-24"), (2, "2026-11-26"), (1, "2026-11-25"), (0, "2026-11-24"))
        ),
        reminder_facts(
            [
                _EXPIRING | {"expires_on": "2026-12-24", "days_left": 30},
                _EXPIRING | {"certification": "CCNP", "title": "CCNP", "expires_on": "2027-01-23", "days_left": 60},
            ]
        ),
    ),
    Template.CERTIFICATION_EXPIRED: (_HELD | {"expires_on": "2026-11-23"}, _FOR_LIFE),
    Template.CERTIFICATION_REVOKED: (_HELD, _FOR_LIFE),
    Template.CREDITS_RECORDED: tuple(_ITEM | {"credits": count} for count in (8, 1, 2, 40)),
    Template.SUBMISSION_ACCEPTED: (_ITEM | {"reason": None}, _ITEM | {"reason": "The certificate names you."}),
    Template.SUBMISSION_REJECTED: (_ITEM | {"reason": "The certificate names nobody."},),
    Template.MILESTONE_REACHED: tuple(
        {"title": title, "years": years, "since": f"{2026 - years}-03-01", "reached_on": "2026-03-01"}
        for title, years in (("25 years of certification", 25), ("Your first year", 1), ("Three years", 3))
    ),
    Template.CERTIFICATION_SUSPENDED: (_HELD, _FOR_LIFE),
    Template.CERTIFICATION_REINSTATED: (_HELD, _FOR_LIFE),
    Template.CASE_OPENED: (_CASE | {"due_on": "2026-11-27"}, _CASE | {"kind": "other", "due_on": "2026-11-27"}),
    Template.CASE_MESSAGE: (_CASE | {"needs_answer": True}, _CASE | {"needs_answer": False}),
    Template.CASE_ACCEPTED: (_CASE | {"reason": "Your passport shows the new name."},),
    Template.CASE_REFUSED: (_CASE | {"reason": "The document cannot be read."},),
    Template.RESULT_LATE: (_LATE_CASE | {"promised_on": "2026-11-20", "due_on": "2026-11-27"},),
    Template.RESULT_ARRIVED: (_LATE_CASE | {"reason": "The result has arrived."},),
    Template.RESULT_NOT_AWAITED: (_LATE_CASE | {"reason": "The appointment was moved."},),
    Template.CHALLENGE_OPENED: (_EXAM | {"due_on": "2026-12-07"},),
    Template.CHALLENGE_MESSAGE: (_EXAM | {"needs_answer": True}, _EXAM | {"needs_answer": False}),
    Template.CHALLENGE_DECIDED: tuple(
        _EXAM | {"decision": decision, "reason": "The key was wrong.", "previous_grade": before, "grade": now}
        for decision, before, now in (
            ("changed", "fail", "pass"),
            ("changed", "fail", "fail"),
            ("upheld", "fail", "fail"),
            ("refused", "fail", "fail"),
        )
    ),
    Template.STAFF_INVITATION: (_LINK,),
    Template.STAFF_RECOVERY: (_LINK,),
    Template.EXPORT_READY: ({"expires_at": _MOMENT},),
    Template.ERASURE_REQUESTED: (
        {"asked_by": "candidate", "due_at": _MOMENT},
        {"asked_by": "staff", "due_at": _MOMENT},
    ),
    Template.ERASURE_CANCELLED: ({"cancelled_at": _MOMENT},),
    Template.ERASED: ({"erased_at": _MOMENT},),
    Template.VOUCHER_ASSIGNED: (
        {"exams": ["CCNA (200-301)", "CCNP (350-401)"], "value": "100 %", "valid_until": "2026-12-31"},
        {"exams": [], "value": None, "valid_until": None},
    ),
    Template.VENDOR_PROFILE_PROBLEM: (
        {
            "vendor": "Test Centres",
            "reasons": ["Test Centres cannot take “ł” in your family name.", "Test Centres needs your city."],
        },
    ),
    Template.GIFT_OFFERED: (_GIFT | {"claim_until": "2028-11-24"}, _GIFT | {"claim_until": None}),
    Template.ORDER_PLACED: (
        _KIT | {"promised_by": "2027-03-16", "again": False},
        _KIT | {"promised_by": "2027-03-16", "again": True},
    ),
    Template.ORDER_SHIPPED: (
        _KIT | {"carrier": "UPS", "tracking_number": "1Z999AA10123456784"},
        _KIT | {"carrier": None, "tracking_number": None},
    ),
    Template.ORDER_RETURNED: (_KIT | {"reason": "Unknown at this address"}, _KIT | {"reason": None}),
    Template.ORDER_CANCELLED: (_KIT | {"reason": "The certification was revoked"},),
    Template.ORDER_LATE: (_KIT | {"promised_by": "2026-11-23"},),
    Template.PAYMENT_CONFIRMED: (_PAID,),
    Template.PAYMENT_REFUNDED: (_PAID,),
    Template.DIGEST: (
        digest_facts([_ENTRY]),
        digest_facts([_ENTRY, {"on": "2026-02-27", "words": "Your claim for Core technologies was accepted"}]),
    ),
    Template.NEWS: ({"title": "The exams of the spring", "paragraphs": ["They are open.", "Book early."]},),
}
