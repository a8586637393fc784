"""What the program still wants to know, as steps with a few questions each. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from services.portal.languages import mark

ABOUT: Final = ("native_name", "employer", "job_title", "time_zone", "language")
"""Questions about the person, in their order."""


@dataclass(frozen=True, slots=True)
class Step:
    """One page of questions.

    Attributes:
        key: names it in the address of the page.
        title: marked, to be said where it is shown.
        groups: `address`, `about`, `news`, in their order.
    """

    key: str
    title: str
    groups: tuple[str, ...]


_ALL: Final = {
    step.key: step
    for step in (
        Step("address", mark("Address"), ("address",)),
        Step("address-news", mark("Address and news"), ("address", "news")),
        Step("about", mark("About you"), ("about",)),
        Step("about-news", mark("About you, and news"), ("about", "news")),
        Step("news", mark("News"), ("news",)),
    )
}


@dataclass(frozen=True, slots=True)
class Way:
    """All steps, and where somebody is on them.

    Attributes:
        current: from 1; 0 where nothing is missing.
        count: how many questions are still to answer.
    """

    steps: tuple[Step, ...]
    current: int
    count: int

    @property
    def step(self) -> Step | None:
        return self.steps[self.current - 1] if self.current else None

    @property
    def key(self) -> str:
        """All steps, for the address of the next page, so that their number stays."""
        return ".".join(step.key for step in self.steps)


def groups_of(missing: Iterable[str]) -> set[str]:
    """Which groups of questions are still open."""
    found = {"address" if name.startswith("address") else "about" if name in ABOUT else name for name in missing}
    return found & {"address", "about", "news"}


def way_of(missing: Sequence[str], begun: str = "") -> Way:
    """The steps for what is missing.

    Args:
        missing: as identity says it: `employer`, `address.postal_code`.
        begun: the key of the way that somebody is on; its steps stay, also those that are done.
    """
    open_groups = groups_of(missing)
    steps = [_ALL[key] for key in dict.fromkeys(begun.split(".")) if key in _ALL]
    left = open_groups - {group for step in steps for group in step.groups}
    news = "news" in left
    for group in ("address", "about"):
        if group in left:
            steps.append(_ALL[f"{group}-news" if news else group])
            news = False
    if news:
        steps.append(_ALL["news"])
    current = next((at for at, step in enumerate(steps, 1) if open_groups & set(step.groups)), 0)
    first = {name.partition(".")[0] for name in missing}
    return Way(tuple(steps), current, len(first))
