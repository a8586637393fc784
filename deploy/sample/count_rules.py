"""The rules the second account goes by: a table of certifications, and what passes come to.

Written apart from the platform's program files and evaluation, on purpose and as plainly as possible. It
knows the exams of the sample feed: requirements, prerequisites, how long a pass counts, validity.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Certification:
    """What it takes: one exam out of each slot, and one of the prerequisites active, if there are any."""

    id: str
    slots: tuple[frozenset[str], ...]
    prerequisites: tuple[str, ...] = ()
    practical: bool = False
    """The last slot is a lab: it counts on its own day or never."""
    kit: bool = True


def _certification(name: str, *slots: str, after: str = "", practical: bool = False, kit: bool = True) -> Certification:
    return Certification(name, tuple(frozenset(slot.split()) for slot in slots), tuple(after.split()), practical, kit)


def _cisco() -> Iterator[Certification]:
    for name, exam in {
        "CCST-Networking": "100-150",
        "CCST-Cybersecurity": "100-160",
        "CCST-IT-Support": "100-140",
        "CCT": "800-150",
        "CCNA": "200-301",
        "CCNA-Cybersecurity": "200-201",
        "CCNA-Automation": "200-901",
        "Specialist-CSM": "820-605",
    }.items():
        yield _certification(name, exam)
    tracks = {
        "Enterprise": ("350-401", "300-410 300-415 300-420 300-435 300-440 300-445"),
        "Wireless": ("350-101", "300-110 300-120"),
        "Security": ("350-701", "300-710 300-715 300-730 300-740 300-745"),
        "Data-Center": ("350-601", "300-610 300-615 300-620 300-635 300-640"),
        "Service-Provider": ("350-501", "300-510 300-515 300-540"),
        "Collaboration": ("350-801", "300-815 300-820 300-830"),
        "Cybersecurity": ("350-201", "300-215"),
        "Automation": ("350-901", "300-435 300-635"),
    }
    for exam in sorted({code for core, others in tracks.values() for code in (core, *others.split())}):
        yield _certification(f"Specialist-{exam}", exam, kit=False)
    for track, (core, concentrations) in tracks.items():
        yield _certification(f"CCNP-{track}", core, concentrations)
        if track != "Cybersecurity":
            expert = "CCIE-Enterprise-Infrastructure" if track == "Enterprise" else f"CCIE-{track}"
            yield _certification(expert, core, f"LAB:{expert}", practical=True)
    yield _certification("CCDE", "400-007", "LAB:CCDE-practical", practical=True)


def _juniper() -> Iterator[Certification]:
    yield _certification("JNCIA-Junos", "JN0-105 JN0-106")
    for track, specialist, professional, expert in (
        ("ENT", "JN0-351 JN0-352", "JN0-650", "JPR-946"),
        ("SP", "JN0-364", "JN0-664", "JPR-962"),
        ("SEC", "JN0-336", "JN0-637", "JPR-935"),
        ("DC", "JN0-481", "JN0-683", "JPR-981"),
    ):
        associate = "JNCIA-Junos" if track in {"ENT", "SP"} else f"JNCIA-{track}"
        if associate != "JNCIA-Junos":
            yield _certification(associate, {"SEC": "JN0-232", "DC": "JN0-281"}[track])
        also = " JNCIS-ENT" if track == "DC" else ""
        yield _certification(f"JNCIS-{track}", specialist, after=associate)
        yield _certification(f"JNCIP-{track}", professional, after=f"JNCIS-{track}{also}")
        yield _certification(f"JNCIE-{track}", expert, after=f"JNCIP-{track}", practical=True)
    yield _certification("JNCIA-DevOps", "JN0-224")
    yield _certification("JNCIS-DevOps", "JN0-423", after="JNCIA-DevOps")
    yield _certification("JNCIA-Cloud", "JN0-214")
    yield _certification("JNCIA-Design", "JN0-1103")
    yield _certification("JNCIA-MistAI", "JN0-253")
    yield _certification("JNCIS-MistAI-Wireless", "JN0-452", after="JNCIA-MistAI")
    yield _certification("JNCIS-MistAI-Wired", "JN0-460", after="JNCIA-MistAI")
    yield _certification("JNCIP-MistAI", "JN0-750", after="JNCIS-MistAI-Wireless JNCIS-MistAI-Wired")


PROGRAMS: dict[str, tuple[Certification, ...]] = {"cisco": tuple(_cisco()), "juniper": tuple(_juniper())}
"""Every prerequisite stands before what needs it."""
PASS_COUNTS_YEARS = {"cisco": 3, "juniper": None}
"""A pass takes part in an award at most so long after its day; Juniper's waits without limit."""
CCST_LIMITED_FROM = date(2025, 7, 15)
"""A CCST earned earlier never expires; from that day it lasts five years, everything else three."""


def add_years(day: date, years: int) -> date:
    """The same day of a later year; 29 February becomes the 28th where there is none."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


@dataclass
class Holding:
    """From when a certification is held, when it was last awarded or renewed, and its last active day."""

    earned: date
    renewed: date
    expires: date

    def covers(self, day: date) -> bool:
        return self.earned <= day <= self.expires


def expiry(certification: str, earned: date, start: date) -> date:
    if certification.startswith("CCST"):
        return date.max if earned < CCST_LIMITED_FROM else add_years(start, 5)
    return add_years(start, 3)


def _completes(
    certification: Certification,
    program: str,
    passes: dict[str, date],
    held: dict[str, Holding],
    day: date,
) -> bool:
    """Whether everything a certification takes is there on a day, none of it used for it before."""
    own = held.get(certification.id)
    renewing = own is not None and own.covers(day)
    if certification.prerequisites and not renewing:
        awarded = [held[name] for name in certification.prerequisites if name in held]
        if not any(holding.covers(day) for holding in awarded):
            return False
    years = PASS_COUNTS_YEARS[program]
    for number, slot in enumerate(certification.slots, 1):
        days = [passes[code] for code in slot if code in passes]
        if own is not None:
            days = [passed for passed in days if passed > own.renewed]
        if certification.practical and number == len(certification.slots):
            days = [passed for passed in days if passed == day]
        elif years is not None:
            days = [passed for passed in days if add_years(passed, years) >= day]
        if not days:
            return False
    return True


def certifications(program: str, passed: list[tuple[date, str]], as_of: date) -> dict[str, Holding]:
    """The newest holding of each certification, from the passes up to `as_of`, day by day."""
    held: dict[str, Holding] = {}
    passes: dict[str, date] = {}
    codes = {code for _, code in passed}
    touched = [item for item in PROGRAMS[program] if any(codes & slot for slot in item.slots)]
    for day in sorted({day for day, _ in passed if day <= as_of}):
        passes.update({code: day for passed_on, code in passed if passed_on == day})
        for certification in touched:
            if not _completes(certification, program, passes, held, day):
                continue
            own = held.get(certification.id)
            if own is not None and own.covers(day):
                until = max(own.expires, expiry(certification.id, own.earned, day))
                held[certification.id] = Holding(own.earned, day, until)
            else:
                held[certification.id] = Holding(day, day, expiry(certification.id, day, day))
    return held
