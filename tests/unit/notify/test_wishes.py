"""Which mails a candidate wants, and which a later word has made untrue."""

from datetime import UTC, datetime, timedelta

import pytest

from libs.common.events import CloudEvent, certs, exams
from libs.common.ids import new_id
from services.notify.domain.mails import KINDS, MARKETING, STAFF, About, Template
from services.notify.domain.wishes import Wishes
from services.notify.domain.words import UNTRUE_AFTER, about_of, is_untrue, word_of
from tests.unit.notify.test_mails import HOLDING, OUTCOME

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)
ALL_OFF = dict.fromkeys(["results", "reminders", "milestones", "credits", "offers"], False)


def test_nothing_said_is_no_wish_against_service_mails_and_no_consent_to_news() -> None:
    silent = Wishes()
    assert {template for template in Template if silent.against(template)} == MARKETING


def test_only_kinds_that_identity_offers_can_be_switched_off_and_no_way_in_is_among_them() -> None:
    assert set(KINDS.values()) <= set(ALL_OFF)
    stopped = {template for template in Template if Wishes(ALL_OFF).against(template) == "unwanted"}
    assert stopped == set(KINDS)
    assert not stopped & (STAFF | {Template.ACTIVATION, Template.RECOVERY, Template.CERTIFICATION_AWARDED})


@pytest.mark.parametrize(
    ("wishes", "news"),
    [
        (Wishes(marketing=True, marketing_at=NOON), True),
        (Wishes(marketing=True), False),
        (Wishes(marketing=False, marketing_at=NOON), False),
        (Wishes(marketing=True, marketing_at=NOON, unsubscribed_at=LATER), False),
        (Wishes(marketing=True, marketing_at=NOON, unsubscribed_at=NOON), False),
        (Wishes(marketing=True, marketing_at=LATER, unsubscribed_at=NOON), True),
    ],
)
def test_news_need_a_consent_that_was_not_taken_back_since(wishes: Wishes, news: bool) -> None:
    assert wishes.news is news
    assert (wishes.against(Template.NEWS) is None) is news


def event(data: exams.ExamPassed | exams.ExamResultRevised | certs.CertificationRevoked, version: int) -> CloudEvent:
    return CloudEvent(
        id=new_id(),
        source="certrail/test",
        type=data.event_type,
        time=NOON,
        program="cisco",
        subjectversion=version,
        data=data,
    )


def test_words_of_one_result_and_of_one_certification_are_about_the_same_as_their_mails() -> None:
    passed = event(exams.ExamPassed(**OUTCOME), 1)
    held = event(exams.ExamResultRevised(**OUTCOME | {"revision": 2}, grade="pending", previous_grade="pass"), 2)
    about, word = about_of(passed), word_of(held)
    assert about is not None
    assert word is not None
    assert (word.about.key, word.about.order, word.says) == (about.key, 2, "pending")
    assert word_of(passed) is None, "most events outweigh nothing, and cost no write"
    revoked = word_of(event(certs.CertificationRevoked(**HOLDING), 7))
    assert revoked is not None
    assert (revoked.about.order, revoked.says) == (7, "revoked")
    assert revoked.candidate_id in revoked.about.key


def test_mail_is_untrue_after_a_later_word_alone() -> None:
    about = About("result:C1:R1", 2)
    for order, untrue in ((1, False), (2, False), (3, True)):
        assert is_untrue(Template.EXAM_PASSED, about, {"pending": order}) is untrue
    assert not is_untrue(Template.EXAM_PASSED, about, {"pass": 3}), "another score is no other result"
    assert not is_untrue(Template.CERTIFICATION_REVOKED, about, dict.fromkeys(["renewed", "reinstated"], 9))
    assert set(UNTRUE_AFTER) <= set(Template)
