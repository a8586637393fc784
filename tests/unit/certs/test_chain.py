"""The reasons of a certification apart: facts by their days, since when they are known, then rules."""

from datetime import UTC, date, datetime

from services.certs.domain.chain import chain
from services.certs.domain.facts import ExamFact, Fact
from services.certs.domain.standing import CertificationStanding, Ground, Holding, Step

FIRST, SECOND = date(2024, 2, 2), date(2024, 3, 14)


def passed(result: str, on: date, known: datetime, revision: int = 1) -> ExamFact:
    return ExamFact(result, revision, result, on, "pass", known)


def test_facts_come_by_their_days_with_since_when_they_are_known_and_rules_as_they_were_used() -> None:
    grounds = (
        Ground("B", "certifications.P.requires", "B passed on", SECOND),
        Ground("A", "certifications.P.requires", "A passed on", FIRST),
    )
    award = Step("awarded", SECOND, date(2027, 3, 14), grounds, 3, "validity.professional")
    entry = CertificationStanding("P", "P", "active", (Holding((award,)),), date(2027, 3, 14))
    told: list[Fact] = [
        passed("A", FIRST, datetime(2024, 2, 3, tzinfo=UTC)),
        passed("B", SECOND, datetime(2024, 3, 15, tzinfo=UTC)),
        passed("B", SECOND, datetime(2024, 4, 1, tzinfo=UTC), 2),
    ]
    why = chain(entry, told)
    assert [(fact.fact, fact.kind, fact.on) for fact in why.facts] == [("A", "exam", FIRST), ("B", "exam", SECOND)]
    assert [fact.known_at for fact in why.facts] == [told[0].known_at, told[1].known_at]
    assert [fact.corrected_at for fact in why.facts] == [None, told[2].known_at]
    assert [rule.clause for rule in why.rules] == ["certifications.P.requires", "validity.professional"]
    assert why.rules[0].text is None
    assert why.rules[1].text == "3 years from 14 March 2024: active through 14 March 2027"


def test_of_a_rule_used_again_the_last_use_stands_and_what_follows_from_another_is_derived() -> None:
    first = Step("awarded", FIRST, date(2027, 2, 2), (Ground("A", "requires", "A passed on", FIRST),), 3, "validity")
    by_other = (Ground("P", "ladder", "renewed with P on", SECOND),)
    again = Step("renewed", SECOND, date(2027, 3, 14), by_other, 3, "validity")
    entry = CertificationStanding("C", "C", "active", (Holding((first, again)),), date(2027, 3, 14))
    why = chain(entry, [passed("A", FIRST, datetime(2024, 2, 3, tzinfo=UTC))])
    assert [(fact.kind, fact.known_at is None) for fact in why.facts] == [("exam", False), ("derived", True)]
    assert [rule.clause for rule in why.rules] == ["requires", "ladder", "validity"]
    assert "active through 14 March 2027" in (why.rules[-1].text or "")
