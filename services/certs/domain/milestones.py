"""Years without a gap: which milestones of the program a candidate has reached, and which comes next.

On each day of such years at least one certification of the program is held, whichever; emeritus counts as held. What
is set aside, inactive or waiting counts for nothing meanwhile.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

from libs.common.languages.days import spoken
from libs.common.programs import add_years
from libs.common.programs.calendar import add_days
from libs.common.programs.policy import Milestone
from services.certs.domain.standing import CertificationStanding, Standing
from services.certs.languages import say_many

_HELD = frozenset({"active", "expired", "emeritus", "lifetime_emeritus"})
"""Statuses of what is held, or was held until its last day."""


class Stretch(NamedTuple):
    """Days in a row on each of which something was held."""

    since: date
    until: date
    """The last one; the calendar's last where it never ends."""


class Anniversary(NamedTuple):
    """A milestone, and the day that ends its years."""

    milestone: Milestone
    since: date
    on: date

    @property
    def sentence(self) -> str:
        """The years and their reason as one plain sentence, read on the day or after it."""
        return say_many(
            "Held without a gap since {since}: {count} year on {day}.",
            "Held without a gap since {since}: {count} years on {day}.",
            self.milestone.years,
            since=spoken(self.since),
            day=spoken(self.on),
        )

    @property
    def outlook(self) -> str:
        """The same, read before the day."""
        return say_many(
            "Held without a gap since {since}: {count} year on {day}, if it goes on.",
            "Held without a gap since {since}: {count} years on {day}, if it goes on.",
            self.milestone.years,
            since=spoken(self.since),
            day=spoken(self.on),
        )


def reached(milestones: Sequence[Milestone], standing: Standing) -> list[Anniversary]:
    """Those reached by the standing's day, each on the first day on which it was; fewest years first."""
    if not _long_enough(milestones, standing):
        return []
    found: dict[str, Anniversary] = {}
    for stretch in _stretches(standing):
        for each in _anniversaries(milestones, stretch):
            if each.on <= min(standing.as_of, stretch.until):
                found.setdefault(each.milestone.id, each)
    return sorted(found.values(), key=lambda each: each.milestone.years)


def coming(milestones: Sequence[Milestone], standing: Standing) -> Anniversary | None:
    """The first one that the years under way will reach if they go on; None where there is none."""
    for stretch in _stretches(standing):
        if stretch.since <= standing.as_of <= stretch.until:
            return next((each for each in _anniversaries(milestones, stretch) if each.on > standing.as_of), None)
    return None


def next_anniversary(milestones: Sequence[Milestone], standing: Standing) -> date | None:
    """The next day on which a milestone is reached though nothing new is known; None where there is none."""
    if not _long_enough(milestones, standing):
        return None
    there = {each.milestone.id for each in reached(milestones, standing)}
    days = [
        each.on
        for stretch in _stretches(standing)
        for each in _anniversaries(milestones, stretch)
        if standing.as_of < each.on <= stretch.until and each.milestone.id not in there
    ]
    return min(days, default=None)


def _anniversaries(milestones: Sequence[Milestone], stretch: Stretch) -> Iterator[Anniversary]:
    for milestone in milestones:
        yield Anniversary(milestone, stretch.since, add_years(stretch.since, milestone.years))


def _long_enough(milestones: Sequence[Milestone], standing: Standing) -> bool:
    """Whether any of them can be reached by what is held: a quick look, which spares nearly everybody the long one."""
    if not milestones or not standing.certifications:
        return False
    years = milestones[0].years
    first, last = date.max.year, 0
    for entry in standing.certifications.values():
        if entry.expires_on is None:
            return True
        last = max(last, entry.expires_on.year)
        for holding in entry.holdings:
            first = min(first, (holding.continuous_since or holding.steps[0].on).year)
            if holding.emeritus_until is not None:
                last = max(last, holding.emeritus_until.year)
    return last - first >= years


def _stretches(standing: Standing) -> list[Stretch]:
    """Oldest first. What ends on a day and what begins by the next day are one."""
    spans = [span for entry in standing.certifications.values() if entry.status in _HELD for span in _spans(entry)]
    joined: list[Stretch] = []
    for span in sorted(spans):
        if joined and span.since <= add_days(joined[-1].until, 1):
            joined[-1] = Stretch(joined[-1].since, max(joined[-1].until, span.until))
        else:
            joined.append(span)
    return joined


def _spans(entry: CertificationStanding) -> Iterator[Stretch]:
    newest = len(entry.holdings) - 1
    for position, holding in enumerate(entry.holdings):
        # Of the newest the entry knows more: emeritus for life has no end.
        last = holding.expires_on if position < newest else entry.expires_on
        if last is not None and holding.emeritus_until is not None:
            last = max(last, holding.emeritus_until)
        yield Stretch(holding.continuous_since or holding.earned_on, last or date.max)
