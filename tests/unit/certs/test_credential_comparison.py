"""What is issued, corrected and revoked follows from the ledger and from what was issued, and then nothing is left."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from services.certs.credentials.comparison import Award, Held, Issued, Plan, Recipient, Term, compare
from services.certs.domain.standing import Status

TODAY = date(2026, 11, 22)
ANON = Recipient(None, identified=True)
FIRST = Term(date(2023, 5, 2), date(2026, 5, 2))
NOW = Term(date(2023, 5, 2), date(2029, 5, 2))
LESS = Term(date(2023, 5, 2), date(2028, 5, 2))


@dataclass
class Shelf:
    """Credentials, as plans change them."""

    valid: dict[str, Issued] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)
    names: "count[int]" = field(default_factory=count)

    def bring(self, held: list[Held], recipient: Recipient = ANON, today: date = TODAY) -> Plan:
        plan = compare(held, self.valid.values(), recipient, today)
        for key in plan.revoke:
            del self.valid[key]
            self.revoked.add(key)
        for key, award in plan.correct:
            self.valid[key] = Issued(key, award, max(self.valid[key].longest, award.term.end))
        for award in plan.issue:
            key = f"c{next(self.names)}"
            self.valid[key] = Issued(key, award, award.term.end)
        return plan

    def terms(self) -> list[Term]:
        return [one.award.term for one in self.valid.values()]


def held(*terms: Term, status: Status = "active", title: str = "CCNA", name: str = "CCNA") -> Held:
    return Held(name, title, status, terms)


def test_an_award_is_issued_once() -> None:
    shelf = Shelf()
    assert [one.term for one in shelf.bring([held(NOW)]).issue] == [NOW]
    assert shelf.bring([held(NOW)]).is_empty


def test_a_renewal_is_a_new_credential_and_the_old_one_runs_out() -> None:
    shelf = Shelf()
    shelf.bring([held(FIRST)], today=date(2025, 1, 1))
    plan = shelf.bring([held(NOW)], today=date(2026, 1, 1))
    assert ([one.term for one in plan.issue], plan.correct, plan.revoke) == ([NOW], (), ())
    assert shelf.terms() == [FIRST, NOW]


def test_a_renewal_that_turns_out_void_is_revoked_and_what_was_there_before_holds() -> None:
    shelf = Shelf()
    shelf.bring([held(FIRST)], today=date(2025, 1, 1))
    shelf.bring([held(NOW)], today=date(2026, 1, 1))
    assert shelf.bring([held(FIRST)], today=date(2026, 2, 1)) == Plan(revoke=("c1",))
    assert shelf.terms() == [FIRST]


def test_a_shorter_one_is_corrected_and_revoked_once_it_is_over() -> None:
    shelf = Shelf()
    shelf.bring([held(NOW)])
    assert shelf.bring([held(LESS)]) == Plan(correct=(("c0", Award("CCNA", "CCNA", LESS, ANON)),))
    # Copies of the first version say that it lasts until 2029.
    assert shelf.bring([held(LESS, status="expired")], today=date(2028, 5, 3)) == Plan(revoke=("c0",))


def test_what_runs_out_by_its_own_date_is_left_alone() -> None:
    shelf = Shelf()
    shelf.bring([held(NOW)])
    assert shelf.bring([held(NOW, status="expired")], today=date(2029, 5, 3)).is_empty


def test_what_staff_revoke_is_revoked_for_good_and_restored_as_a_new_one() -> None:
    shelf = Shelf()
    shelf.bring([held(FIRST)], today=date(2025, 1, 1))
    shelf.bring([held(NOW)], today=date(2026, 1, 1))
    ended = Term(NOW.earned_on, TODAY - timedelta(days=1))
    assert shelf.bring([held(ended, status="revoked")]) == Plan(revoke=("c0", "c1"))
    assert [one.term for one in shelf.bring([held(NOW)]).issue] == [NOW]
    assert sorted(shelf.valid) == ["c2"]


def test_what_is_not_active_is_not_issued_and_not_touched() -> None:
    for status in ("pending_agreement", "suspended", "inactive", "emeritus"):
        shelf = Shelf()
        assert shelf.bring([held(NOW, status=status)]).is_empty
        shelf.bring([held(NOW)])
        assert shelf.bring([held(NOW, status=status)]).is_empty


def test_what_was_never_earned_is_revoked() -> None:
    shelf = Shelf()
    shelf.bring([held(NOW)])
    assert shelf.bring([]) == Plan(revoke=("c0",))


def test_new_titles_and_names_are_corrections() -> None:
    shelf = Shelf()
    shelf.bring([held(NOW)], Recipient(None, identified=False))
    ada = Recipient("Ada Lovelace", identified=True)
    assert shelf.bring([held(NOW)], ada).correct == (("c0", Award("CCNA", "CCNA", NOW, ada)),)
    assert shelf.bring([held(NOW, title="New")], ada).correct == (("c0", Award("CCNA", "New", NOW, ada)),)
    # The name goes from what has run out too, where the candidate takes it back.
    assert shelf.bring([held(NOW, title="New", status="expired")], ANON, date(2030, 1, 1)).correct == (
        ("c0", Award("CCNA", "New", NOW, ANON)),
    )


def test_the_one_that_goes_on_takes_over_what_the_other_account_has() -> None:
    shelf = Shelf()
    own, other = Term(date(2024, 1, 5), date(2027, 1, 5)), Term(date(2025, 3, 1), date(2028, 3, 1))
    shelf.bring([held(own)])
    shelf.valid["x"] = Issued("x", Award("CCNA", "CCNA", other, ANON), other.end)
    together = Term(own.earned_on, other.expires_on)
    assert shelf.bring([held(together)]) == Plan(correct=(("x", Award("CCNA", "CCNA", together, ANON)),))
    assert shelf.bring([held(together)]).is_empty


# --- Whatever the ledgers say, one after the other -------------------------------------------------------------------

_DAYS = st.dates(date(2020, 1, 1), date(2034, 1, 1))


@st.composite
def _certifications(draw: st.DrawFn) -> tuple[date, list[Held]]:
    today = draw(_DAYS)
    found = []
    for name in draw(st.sets(st.sampled_from(["A", "B"]))):
        days = sorted(draw(st.sets(_DAYS, min_size=2, max_size=6)))
        terms = [Term(*pair) for pair in zip(days[::2], days[1::2], strict=False)]
        if draw(st.booleans()):
            terms[-1] = Term(terms[-1].earned_on, None)
        statuses: list[Status] = ["active", "suspended", "pending_agreement"]
        if terms[-1].end < today:
            statuses = ["expired", "revoked", "emeritus"]
        title = draw(st.sampled_from(["old", "new"]))
        found.append(Held(name, title, draw(st.sampled_from(statuses)), tuple(terms)))
    return today, found


_RECIPIENTS = st.builds(Recipient, st.sampled_from([None, "Ada", "Bo"]), st.booleans())
_STORIES = st.lists(st.tuples(_certifications(), _RECIPIENTS), min_size=1, max_size=6)


@given(_STORIES)
def test_once_compared_nothing_is_left_to_do(story: list[tuple[tuple[date, list[Held]], Recipient]]) -> None:
    shelf = Shelf()
    for (today, ledger), recipient in story:
        shelf.bring(ledger, recipient, today)
        assert shelf.bring(ledger, recipient, today).is_empty


@given(_STORIES)
def test_no_valid_credential_says_more_than_the_ledger(
    story: list[tuple[tuple[date, list[Held]], Recipient]],
) -> None:
    shelf = Shelf()
    for (today, ledger), recipient in story:
        plan = shelf.bring(ledger, recipient, today)
        assert not set(plan.revoke) & {key for key, _ in plan.correct}
        terms = {each.certification: each.terms for each in ledger}
        for one in shelf.valid.values():
            term = one.award.term
            (around,) = [each for each in terms[one.award.certification] if _covers(each, term)]
            assert one.longest <= around.end or around.end >= today
            assert one.award.recipient.name == recipient.name


@given(_STORIES)
def test_whatever_is_active_has_a_credential_that_says_just_that(
    story: list[tuple[tuple[date, list[Held]], Recipient]],
) -> None:
    shelf = Shelf()
    for (today, ledger), recipient in story:
        shelf.bring(ledger, recipient, today)
        for each in ledger:
            mine = [one.award for one in shelf.valid.values() if one.award.certification == each.certification]
            said = [(one.title, one.term) for one in mine if one.term.end == each.terms[-1].end]
            if each.status == "active":
                assert set(said) == {(each.title, each.terms[-1])}
            if each.status == "revoked":
                assert not said


def _covers(around: Term, term: Term) -> bool:
    """Whether what a credential says ends within a holding and has a day of it."""
    return around.earned_on <= term.end <= around.end
