"""Charts of the first page: bars with their table. Pure; x and widths in per cent, heights in per cent of the chart."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from services.portal.languages import say, say_many
from services.portal.languages.days import short_day

DAYS: Final = 14
_AGES: Final = ((2, "0–1"), (4, "2–3"), (8, "4–7"), (15, "8–14"))  # noqa: RUF001 spans of days
_OLDEST: Final = "15+"
_LATE: Final = ("1-2", "3-5", "6-10", "more")
_GAP: Final = 0.2
"""Of a bar's place, that is left free."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar.

    Attributes:
        label: said, as in the table.
        late: whether it counts what is past a promise.
    """

    label: str
    value: int
    x: str
    width: str
    y: str
    height: str
    late: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture and its table, and both in one sentence."""

    title: str
    story: str
    first: str
    second: str
    bars: tuple[Bar, ...]
    most: int


def chart_of(
    title: str, story: str, columns: tuple[str, str], values: Sequence[tuple[str, int]], *, late: bool = False
) -> Chart:
    """Bars beside each other, the highest as high as the chart.

    Args:
        title: said, as all of these.
        story: the picture in a sentence.
        columns: of its table.
        values: label and number of each, in order.
        late: whether what they count is past a promise.
    """
    most = max((value for _, value in values), default=0)
    place = 100 / len(values) if values else 0
    bars = tuple(
        Bar(
            label,
            value,
            f"{place * (number + _GAP / 2):.2f}%",
            f"{place * (1 - _GAP):.2f}%",
            f"{100 - _height(value, most):.2f}%",
            f"{_height(value, most):.2f}%",
            late,
        )
        for number, (label, value) in enumerate(values)
    )
    return Chart(title, story, *columns, bars, most)


def _height(value: int, most: int) -> float:
    return 100 * value / most if most else 0.0


def results_per_day(days: Iterable[tuple[date, int]], today: date) -> Chart:
    """What vendors told us, day by day, for a fortnight; days without anything are there too."""
    told: Counter[date] = Counter()
    for day, count in days:
        told[day] += count
    span = [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    values = [(str(short_day(day).striptags()), told[day]) for day in span]
    total = sum(value for _, value in values)
    story = say_many("{count} message of vendors in 14 days", "{count} messages of vendors in 14 days", total)
    return chart_of(say("Vendors' messages per day"), story, (say("Day"), say("Messages")), values)


def ages(opened: Iterable[datetime], now: datetime) -> Chart:
    """How old the cases are that wait."""
    found: Counter[str] = Counter()
    for moment in opened:
        days = (now - moment).days
        found[next((label for below, label in _AGES if days < below), _OLDEST)] += 1
    values = [(label, found[label]) for _, label in _AGES] + [(_OLDEST, found[_OLDEST])]
    story = say_many("{count} case waits", "{count} cases wait", sum(found.values()))
    return chart_of(say("Ages of open cases"), story, (say("Days"), say("Cases")), values)


def late_results(by_days: Iterable[Mapping[str, int]]) -> Chart:
    """How late results are, in business days."""
    found: Counter[str] = Counter()
    for counts in by_days:
        found.update(counts)
    labels = {"1-2": "1–2", "3-5": "3–5", "6-10": "6–10", "more": say("more")}  # noqa: RUF001 spans of days
    values = [(labels[name], found[name]) for name in _LATE]
    story = say_many("{count} result is late", "{count} results are late", sum(value for _, value in values))
    columns = (say("Business days late"), say("Results"))
    return chart_of(say("Late results"), story, columns, values, late=True)
