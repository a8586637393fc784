"""The picture of what is held: days become places, in order, within the picture, apart from one another."""

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.portal.timeline.lanes import NEAR, Held, bar_of, days_lane, lane_of
from services.portal.timeline.scale import LEAST_YEARS, MOST_YEARS, scale_of

TODAY = date(2026, 11, 22)
SOON = timedelta(days=180)
DAYS = st.dates(date(1990, 1, 1), date(2060, 12, 31))


def place(percent: str) -> float:
    assert percent.endswith("%")
    return float(percent[:-1])


@given(st.lists(DAYS, max_size=6), st.dates(date(2020, 1, 1), date(2040, 1, 1)))
def test_the_axis_begins_with_a_year_ends_with_a_quarter_and_holds_what_it_can(days: list[date], today: date) -> None:
    scale = scale_of(days, today)
    assert (scale.first.month, scale.first.day) == (1, 1)
    assert (scale.last.month % 3, scale.last.day) == (1, 1)
    assert scale.last > max([*days, today]) + timedelta(days=89)
    years = scale.last.year - scale.first.year
    assert LEAST_YEARS <= years <= MOST_YEARS or not scale.cut
    assert scale.cut == (min([*days, today]) < scale.first)


@given(DAYS, DAYS)
def test_later_days_lie_further_and_none_outside(one: date, other: date) -> None:
    scale = scale_of([date(2024, 3, 14), date(2027, 3, 14)], TODAY)
    first, second = sorted((one, other))
    assert 0 <= scale.x(first) <= scale.x(second) <= 100


def test_a_year_with_little_room_has_no_label() -> None:
    scale = scale_of([date(2024, 3, 14), date(2027, 3, 14)], TODAY)
    assert [year.label for year in scale.years()] == ["2024", "2025", "2026", "2027"]
    short = scale_of([date(2024, 3, 14), date(2026, 11, 30)], date(2026, 10, 1))
    assert [year.label for year in short.years()] == ["2024", "2025", "2026", None]


def test_what_is_held_runs_from_its_first_day_over_today_to_its_end() -> None:
    held = Held(date(2024, 3, 14), date(2027, 3, 14), (date(2025, 6, 1),))
    scale = scale_of([held.earned_on, date(2027, 3, 14)], TODAY)
    lane = lane_of([held], scale, TODAY, soon=SOON)
    assert [bar.kind for bar in lane.bars] == ["held", "expiring"]
    begin, end = lane.bars
    assert place(begin.x) == scale.x(held.earned_on)
    assert round(place(begin.x) + place(begin.width), 2) == place(end.x) == scale.x(TODAY)
    assert round(place(end.x) + place(end.width), 2) == scale.x(date(2027, 3, 14))
    assert [mark.kind for mark in lane.marks] == ["earned", "renewed", "expiry"]


def test_what_is_over_far_away_set_aside_or_without_end_looks_different() -> None:
    scale = scale_of([date(2020, 1, 1), date(2030, 1, 1)], TODAY)

    def kinds(held: Held) -> tuple[list[str], str]:
        lane = lane_of([held], scale, TODAY, soon=SOON)
        return [bar.kind for bar in lane.bars], lane.marks[-1].kind

    assert kinds(Held(date(2022, 1, 1), date(2025, 1, 1))) == (["expired"], "expiry")
    assert kinds(Held(date(2022, 1, 1), date(2029, 1, 1))) == (["held", "coming"], "expiry")
    aside = Held(date(2022, 1, 1), date(2029, 1, 1), suspended=((date(2024, 1, 1), date(2024, 6, 1)), (TODAY, None)))
    assert kinds(aside) == (["held", "coming", "suspended", "suspended"], "expiry")
    assert lane_of([aside], scale, TODAY, soon=SOON).bars[-1].x == scale.at(scale.x(TODAY)), "what goes on is seen"
    assert kinds(Held(date(2022, 1, 1), None)) == (["held", "coming"], "open")
    assert kinds(Held(date(2022, 1, 1), TODAY)) == (["held", "expiring"], "expiry")


@given(st.lists(DAYS, min_size=1, max_size=8))
def test_marks_never_hide_one_another_and_the_latest_stays(days: list[date]) -> None:
    first, *renewed = sorted(days)
    held = Held(first, max(days) + timedelta(days=400), tuple(renewed))
    scale = scale_of([first, max(days) + timedelta(days=400)], TODAY)
    places = [place(mark.x) for mark in lane_of([held], scale, TODAY, soon=SOON).marks]
    assert all(second - one >= NEAR - 0.005 for one, second in pairwise(places))
    shown = max(days) + timedelta(days=400) >= scale.first
    assert places[-1:] == ([scale.x(max(days) + timedelta(days=400))] if shown else [])


@given(DAYS, DAYS)
def test_right_to_left_is_the_same_picture_in_a_mirror(one: date, other: date) -> None:
    first, last = sorted((one, other))
    days = [date(2021, 3, 14), date(2027, 3, 14)]
    plain, mirrored = scale_of(days, TODAY), scale_of(days, TODAY, mirrored=True)
    bar, turned = bar_of("plan", first, last, plain), bar_of("plan", first, last, mirrored)
    assert bar.width == turned.width
    assert abs(100 - place(bar.x) - place(bar.width) - place(turned.x)) < 0.02
    assert abs(100 - place(plain.at(plain.x(one))) - place(mirrored.at(mirrored.x(one)))) < 0.02
    assert [year.label for year in plain.years()] == [year.label for year in mirrored.years()]


def test_what_began_before_the_picture_says_since_when_and_has_no_mark_at_its_edge() -> None:
    held = Held(date(2009, 5, 1), date(2027, 3, 14), (date(2024, 3, 14),))
    scale = scale_of([held.earned_on, date(2027, 3, 14)], TODAY)
    lane = lane_of([held], scale, TODAY, soon=SOON)
    assert (scale.cut, lane.since) == (True, 2009)
    assert [mark.kind for mark in lane.marks] == ["renewed", "expiry"]
    assert lane_of([Held(date(2024, 1, 1), None)], scale, TODAY, soon=SOON).since is None


def test_days_outside_the_picture_are_left_out_of_a_row_of_days() -> None:
    scale = scale_of([date(2024, 3, 14), date(2027, 3, 14)], TODAY)
    row = days_lane([(date(2020, 1, 1), "reminded"), (date(2026, 12, 14), "reminder")], scale)
    assert [mark.kind for mark in row.marks] == ["reminder"]
