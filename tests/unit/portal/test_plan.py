"""Plans: which is the longest, what each costs in days, what is kept; and what is tried. And how far goals are."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.programs import Program, load_programs
from libs.common.programs.calendar import add_years
from services.portal.credits.claims import Claim
from services.portal.plan.effort import Effort, least_effort
from services.portal.plan.goals import goal_card, levels_of, sorted_goals
from services.portal.plan.picture import picture_of
from services.portal.plan.plans import Case, Draft, Kind, Plan, drafts_of, gain, plans_of, spare_of
from services.portal.plan.shapes import ExamOption, Goal, Missing, Outcome, PassInHand, Renewal, Way, WhatIf
from services.portal.plan.trying import Trial, also_moved, answer_of, assumptions_of, check, moved_by
from services.portal.plan.words import cards_of, heading_of
from services.portal.web.forms import Unfit

TODAY = date(2026, 11, 22)
ENDS = date(2027, 3, 14)
SAT = date(2026, 11, 19)
CREDITS = Claim("S1", 40, TODAY, "Core technologies")
HELD = Claim("S1", 40, TODAY, "Core technologies", held_until=date(2027, 3, 10))
WAITING = Effort(waiting=(("300-415", SAT),), claims=(CREDITS,))


@pytest.fixture(scope="module")
def cisco() -> Program:
    return load_programs(Path(__file__).parents[3] / "deploy" / "programs")["cisco"]


def case(effort: Effort | None, *, may_be_held: bool = True, ends: date = ENDS) -> Case:
    return Case("CCNP", ends, TODAY, effort, may_be_held, spare_of(effort, 5), years=3)


def active(until: date | None, name: str = "CCNP") -> Outcome:
    return Outcome(certification=name, status="active", earned_on=date(2021, 3, 14), expires_on=until)


def renewed_for_three_years(of: Case, drafts: Sequence[Draft]) -> dict[Kind, WhatIf]:
    """As certs answers: renewed on the day that the plan acts, and never shortened."""
    found: dict[Kind, WhatIf] = {}
    for draft in drafts:
        if draft.assume and draft.acts_on is not None:
            until = max(of.expires_on, add_years(draft.acts_on, 3))
            found[draft.kind] = WhatIf(as_of=draft.acts_on, outcome=[active(until)])
    return found


def planned(of: Case) -> list[Plan]:
    drafts = drafts_of(of)
    return plans_of(of, drafts, renewed_for_three_years(of, drafts))


def plain(text: str) -> str:
    return text.replace("\xa0", " ")


def words(of: Case) -> list[tuple[str, str, str, str | None]]:
    cards = cards_of(of, planned(of), reminded=True)
    return [
        (card.chip.kind, plain(card.chip.word), plain(card.title), card.action.label if card.action else None)
        for card in cards
    ]


def test_holding_credits_is_the_answer_with_its_gain_and_each_plan_says_what_it_costs() -> None:
    of = case(WAITING)
    heading, lead = heading_of(of, planned(of), "CCNP Enterprise")
    assert heading == "Hold your credits and gain 108 days"
    assert lead.startswith("If 300-415 is a pass, you can renew CCNP Enterprise.")
    assert words(of) == [
        ("ok", "Longest", "Hold 40 credits until 10 March 2027", "Keep this plan"),
        ("warn", "Costs 112 days", "Use 40 credits as soon as possible", None),
    ]
    best, soonest = planned(of)
    assert (best.until, best.costs) == (date(2030, 3, 10), 4)
    assert (soonest.until, soonest.costs, soonest.less) == (date(2029, 11, 22), 112, 108)
    assert soonest.kept, "once the exam is a pass, credits that nobody holds are used"


def test_an_exam_to_sit_leaves_time_for_a_second_try_and_waits_for_nobody() -> None:
    of = case(Effort(exams=("350-401",), choice=7))
    assert words(of) == [
        ("ok", "Longest", "Pass 350-401 by 5 March 2027", "Schedule the exam"),
        ("warn", "Costs 112 days", "Pass 350-401 now", "Schedule the exam"),
        ("bad", "Expires", "Do nothing", "Reminder dates"),
    ]
    heading, _ = heading_of(of, planned(of), "CCNP Enterprise")
    assert plain(heading) == "Renew by 5 March 2027 and not today, and gain 103 days"


def test_what_is_held_already_is_the_plan_and_nothing_is_left_to_press() -> None:
    of = case(Effort(claims=(HELD,)))
    assert words(of) == [
        ("ok", "Your plan", "Hold 40 credits until 10 March 2027", None),
        ("warn", "Costs 112 days", "Use 40 credits as soon as possible", "Use them now"),
    ]
    assert plain(heading_of(of, planned(of), "CCNP")[0]) == "Your plan lasts until 10 March 2030"


def test_credits_held_beyond_the_end_are_not_used_in_time() -> None:
    late = Claim("S1", 40, TODAY, "Core", held_until=ENDS + timedelta(days=1))
    kinds = [(plan.kind, plan.renewed, plan.kept) for plan in planned(case(Effort(claims=(late,))))]
    assert kinds == [("longest", True, False), ("soonest", True, False), ("nothing", False, True)]


def test_where_credits_cannot_be_held_there_is_no_day_to_choose() -> None:
    kinds = [draft.kind for draft in drafts_of(case(Effort(claims=(CREDITS,)), may_be_held=False))]
    assert kinds == ["soonest", "nothing"]


@pytest.mark.parametrize("left", [0, 3, 4])
def test_in_the_last_days_there_is_no_later_day_to_suggest(left: int) -> None:
    near = case(Effort(claims=(HELD,)), ends=TODAY + timedelta(days=left))
    assert [draft.kind for draft in drafts_of(near)] == ["soonest", "nothing"]


def test_what_cannot_be_renewed_is_said_with_what_follows() -> None:
    of = case(None)
    heading, lead = heading_of(of, planned(of), "CCNP")
    assert heading == "CCNP can't be renewed as it is now"
    assert plain(lead) == "It stays active until 14 March 2027. After that it can be earned again."


def test_an_exam_that_is_offered_no_more_by_then_is_no_plan() -> None:
    of = case(Effort(exams=("350-401",)))
    drafts = drafts_of(of)
    answers = renewed_for_three_years(of, drafts)
    answers["longest"] = WhatIf(as_of=ENDS, outcome=[active(ENDS)])
    plans = plans_of(of, drafts, answers)
    assert [plan.kind for plan in plans] == ["soonest", "nothing"]
    assert plain(heading_of(of, plans, "CCNP")[0]) == "Renew CCNP by 14 March 2027"


DAYS = st.integers(min_value=0, max_value=1200).map(lambda days: TODAY + timedelta(days=days))
CLAIMS = st.builds(
    Claim,
    id=st.just("S1"),
    credits=st.integers(min_value=1, max_value=80),
    completed_on=st.integers(min_value=0, max_value=600).map(lambda days: TODAY - timedelta(days=days)),
    title=st.just("Core"),
    pending=st.booleans(),
    held_until=st.none() | DAYS.filter(lambda day: day > TODAY),
)
EFFORTS = st.builds(
    Effort,
    exams=st.sampled_from([(), ("350-401",)]),
    choice=st.integers(min_value=0, max_value=3),
    claims=st.lists(CLAIMS, max_size=2).map(tuple),
    more=st.sampled_from([0, 12]),
).filter(lambda effort: bool(effort.to_do or effort.claims))


@given(effort=EFFORTS, ends=DAYS, may_be_held=st.booleans())
def test_the_best_plan_is_first_and_exactly_one_is_what_happens_by_itself(
    effort: Effort, ends: date, may_be_held: bool
) -> None:
    of = case(effort, may_be_held=may_be_held, ends=ends)
    plans = planned(of)
    assert 1 <= len(plans) <= 3
    assert [plan.kept for plan in plans].count(True) == 1
    ends_of = [plan.until or date.max for plan in plans]
    assert ends_of == sorted(ends_of, reverse=True)
    assert gain(plans) >= 0
    for plan in plans:
        assert plan.costs >= 0
        assert plan.until is not None
        assert plan.until >= ends, "no plan shortens anything"
        assert plan.acts_on is None or plan.acts_on <= max(ends, TODAY)
    cards = cards_of(of, plans, reminded=False)
    for mirrored in (False, True):
        picture = picture_of(cards, None, ends, TODAY, mirrored=mirrored)
        for bar in [bar for row in picture.rows for bar in row.bars]:
            assert float(bar.x[:-1]) >= 0
            assert float(bar.x[:-1]) + float(bar.width[:-1]) <= 100.01


def test_time_runs_as_its_readers_read() -> None:
    of = case(WAITING)
    cards = cards_of(of, planned(of), reminded=False)
    one, other = (picture_of(cards, None, ENDS, TODAY, mirrored=mirrored) for mirrored in (False, True))
    assert float(one.today[:-1]) + float(other.today[:-1]) == pytest.approx(100)
    for row, twin in zip(one.rows, other.rows, strict=True):
        for bar, image in zip(row.bars, twin.bars, strict=True):
            assert bar.width == image.width
            ends = float(bar.x[:-1]) + float(bar.width[:-1]) + float(image.x[:-1])
            assert ends == pytest.approx(100, abs=0.02)


def test_days_lost_are_drawn_from_its_end_to_that_of_the_best() -> None:
    of = case(WAITING)
    picture = picture_of(cards_of(of, planned(of), reminded=False), None, ENDS, TODAY)
    kinds = [[bar.kind for bar in row.bars] for row in picture.rows]
    assert kinds == [["held", "coming", "plan"], ["held", "plan", "lost"]]
    assert [(row.note, row.worse) for row in picture.rows] == [("4 days to spare", False), ("108 days less", True)]
    assert "10 March 2030" in plain(picture.story)


def renewal(*ways: Way, exams: Sequence[str] = ()) -> Renewal:
    options = [ExamOption(exam=code) for code in exams]
    return Renewal(certification="CCNP-Enterprise", expires_on=ENDS, exams=options, credits=None, ways=list(ways))


def test_the_way_that_asks_least_of_the_candidate_is_taken(cisco: Program) -> None:
    written = cisco.certifications["CCNP-Enterprise"]
    by_credits = next(way for way in written.renewal if way.credits and not way.slots)
    both = next(way for way in written.renewal if way.credits and way.slots)
    ways = [
        Way(exams=[["350-401", "350-801"]], credits=0, clause="another"),
        Way(exams=[["300-415"]], credits=both.credits, clause=both.clause),
        Way(exams=[], credits=by_credits.credits - 12, clause=by_credits.clause),
    ]
    first = least_effort(renewal(*ways), written, (), {})
    assert first is not None
    assert (first.exams, first.choice, first.to_do) == (("350-401",), 2, 1)
    plenty = Claim("S1", both.credits, TODAY, "Core")
    waited = least_effort(renewal(*ways), written, (plenty,), {"300-415": SAT})
    assert waited is not None
    assert (waited.waiting, waited.claims, waited.to_do) == ((("300-415", SAT),), (plenty,), 0)
    enough = Claim("S2", by_credits.credits, TODAY, "Core", held_until=ENDS)
    held = least_effort(renewal(*ways), written, (enough,), {})
    assert held is not None
    assert (held.exams, held.more, held.claims) == ((), 0, (enough,))
    assert least_effort(renewal(), written, (), {}) is None
    alone = least_effort(renewal(exams=["300-415"]), written, (), {"300-415": SAT})
    assert alone == Effort(waiting=(("300-415", SAT),))


def test_trying_uses_credits_in_hand_first_and_the_rest_is_to_be_earned() -> None:
    trial = Trial(exam="350-401", exam_on=SAT, credits=52, credits_on=date(2027, 3, 10))
    assert assumptions_of(trial, (CREDITS,), TODAY, may_be_held=True) == [
        {"exam": "350-401", "on": "2026-11-19"},
        {"submission": "S1", "on": "2026-11-22", "held_until": "2027-03-10"},
        {"credits": 12, "on": "2027-03-10"},
    ]
    few = Trial(credits=30, credits_on=TODAY)
    assert assumptions_of(few, (CREDITS,), TODAY, may_be_held=True) == [{"credits": 30, "on": "2026-11-22"}]


@pytest.mark.parametrize(
    ("trial", "wrong"),
    [
        ({}, {"exam"}),
        ({"exam": "999-999", "exam_on": TODAY}, {"exam"}),
        ({"exam": "350-401"}, {"exam_on"}),
        ({"exam": "350-401", "exam_on": date(2026, 8, 1)}, {"exam_on"}),
        ({"credits": 3, "credits_on": date(2026, 11, 21)}, {"credits_on"}),
    ],
)
def test_what_makes_no_sense_is_said_at_its_field(cisco: Program, trial: dict[str, Any], wrong: set[str]) -> None:
    with pytest.raises(Unfit) as found:
        check(Trial(**trial), cisco, TODAY)
    assert set(found.value.faults) == wrong


def test_the_answer_to_a_trial_names_its_cost() -> None:
    trial = Trial(exam="350-401", exam_on=TODAY)
    answer = answer_of(trial, "CCNP", ENDS, active(date(2029, 11, 22)), years=3)
    assert (answer.kind, plain(answer.title)) == ("warn", "CCNP would be active until 22 November 2029")
    assert plain(answer.text).startswith("That costs 112 days")
    assert answer_of(trial, "CCNP", ENDS, active(ENDS), years=3).title == "That doesn't renew it"
    assert answer_of(trial, "CCNP", None, active(ENDS), years=3).title == "You'd have earned CCNP"
    assert answer_of(trial, "CCNP", None, None, years=3).plan is None
    both = Trial(exam="350-401", exam_on=TODAY, credits=1, credits_on=date(2027, 3, 10))
    exam_alone = answer_of(both, "CCNP", ENDS, active(date(2029, 11, 22)), years=3)
    assert plain(exam_alone.text).startswith("That costs 112 days"), "credits that are not needed decide nothing"


def test_what_else_moves_is_what_lasts_longer_or_is_new(cisco: Program) -> None:
    now = {"CCNA": date(2028, 8, 8), "CCNP": ENDS}
    after = [active(date(2030, 3, 10)), active(date(2030, 3, 10), "CCNA"), active(ENDS, "DEVASC")]
    moved = [(one.title, plain(one.text)) for one in also_moved(cisco, "CCNP", now, after)]
    assert moved == [
        ("Cisco Certified Network Associate", "From 8 August 2028 to 10 March 2030"),
        ("DEVASC", "Earned too, active until 14 March 2027"),
    ]
    earlier = moved_by(cisco, after, [active(ENDS)])
    assert [(plain(one.text), one.better) for one in earlier] == [
        ("Active until 14 March 2027 instead of 10 March 2030", False)
    ]


def test_a_goal_says_what_is_met_until_when_it_counts_and_what_is_missing(cisco: Program) -> None:
    goal = Goal(
        certification="CCNP-Enterprise",
        in_hand=[
            PassInHand(exam="350-401", passed_on=date(2024, 3, 10), counts_through=date(2027, 3, 10)),
        ],
        missing=[Missing(n=1, exams=["300-410", "300-415"], certifications=[])],
    )
    card = goal_card(cisco, goal, TODAY)
    (met,), (missing,) = card.met, card.missing
    assert (met.chip.kind, plain(met.chip.word)) == ("warn", "Counts until 10 March 2027")
    assert "passed on 10 March 2024" in plain(met.text)
    assert (missing.text, len(missing.choices)) == ("Pass 1 of these:", 2)
    assert (card.have, card.of, card.left) == (1, 2, "1 thing is missing.")
    mine, begun = sorted_goals([goal], [])
    assert (mine, begun) == ([], [goal])
    assert sorted_goals([goal], ["CCNP-Enterprise"]) == ([goal], [])
    (level,) = levels_of(cisco, [goal], [])
    assert (level.name, level.choices[0][0]) == ("Professional", "CCNP-Enterprise")
    assert levels_of(cisco, [goal], ["CCNP-Enterprise"]) == []
