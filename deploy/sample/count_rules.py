"""The rules the second account goes by: a table of certifications, and what passes come to.

Written apart from the platform's program files and evaluation, on purpose and as plainly as possible. It
knows the exams of the sample feed: requirements, prerequisites, how long a pass counts, validity, and what a pass
renews.
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


ROLES = {
    "entry": frozenset(["100-150", "100-160", "100-140", "800-150"]),
    "associate": frozenset(["200-301", "200-201", "200-901"]),
    "core": frozenset(code for item in PROGRAMS["cisco"] if item.id.startswith("CCNP") for code in item.slots[0]),
    "concentration": frozenset(
        code for item in PROGRAMS["cisco"] if item.id.startswith("CCNP") for code in item.slots[1]
    ),
    "expert": frozenset(code for item in PROGRAMS["cisco"] if item.practical for code in item.slots[1]) | {"400-007"},
}


@dataclass
class Holding:
    """From when a certification is held, when it was last awarded or renewed, and its last active day."""

    earned: date
    renewed: date
    expires: date

    def covers(self, day: date) -> bool:
        return self.earned <= day <= self.expires

    def renew(self, certification: str, day: date) -> None:
        if self.covers(day) and self.renewed < day:
            self.expires = max(self.expires, expiry(certification, self.earned, day))
            self.renewed = day


def expiry(certification: str, earned: date, start: date) -> date:
    if certification.startswith("CCST"):
        return date.max if earned < CCST_LIMITED_FROM else add_years(start, 5)
    return add_years(start, 3)


ASSOCIATE, SPECIALIST, PROFESSIONAL, EXPERT = 1, 2, 3, 4
TWO, THREE = 2, 3


def _ladder(certification: str) -> int:
    """Position on Cisco's ladder; 0 stands apart."""
    if certification == "Specialist-CSM":
        return 0
    steps = {"CCNA": ASSOCIATE, "Specialist": SPECIALIST, "CCNP": PROFESSIONAL, "CCIE": EXPERT, "CCDE": EXPERT}
    return steps.get(certification.split("-", maxsplit=1)[0], 0)


def _suffices(certification: str, code: str, since: set[str]) -> bool:
    """Whether Cisco renews a certification by an exam, with the codes passed since its last renewal."""
    if certification == "Specialist-CSM":
        return code == "820-605"
    cores, concentrations = len(since & ROLES["core"]), len(since & ROLES["concentration"])
    any_of = {0: "entry associate core concentration expert", 1: "associate core concentration expert"}
    step = _ladder(certification)
    if step <= SPECIALIST:
        return any(code in ROLES[role] for role in any_of.get(step, "core concentration expert").split())
    if code in ROLES["expert"]:
        return True
    if step == PROFESSIONAL:
        return code in ROLES["core"] or (code in ROLES["concentration"] and concentrations >= TWO)
    enough = cores >= TWO or (cores > 0 and concentrations > 0) or concentrations >= THREE
    return enough and code in ROLES["core"] | ROLES["concentration"]


def _renew_below(held: dict[str, Holding], step: int, day: date) -> None:
    for name, holding in held.items():
        if 0 < _ladder(name) <= step:
            holding.renew(name, day)


def _renew_cisco(held: dict[str, Holding], passed: list[tuple[date, str]], day: date) -> None:
    """What the exams of a day renew, and everything below it."""
    for code in sorted(code for passed_on, code in passed if passed_on == day):
        for name, holding in list(held.items()):
            since = {other for on, other in passed if holding.renewed < on <= day}
            if holding.covers(day) and holding.renewed < day and _suffices(name, code, since):
                holding.renew(name, day)
                _renew_below(held, _ladder(name), day)


def _renew_juniper(held: dict[str, Holding], certification: str, day: date) -> None:
    """What an award or another pass of a certification renews: its track downwards, and every associate."""
    level, _, track = certification.partition("-")
    order = ["JNCIA", "JNCIS", "JNCIP", "JNCIE"]
    track = track.split("-")[0]
    for name, holding in held.items():
        other, _, others_track = name.partition("-")
        below = others_track.split("-")[0] == track and order.index(other) <= order.index(level)
        upward = level == "JNCIP" and other == "JNCIE" and others_track == track
        across = certification == "JNCIP-DC" and name == "JNCIS-ENT"
        if other == "JNCIA" or below or upward or across:
            holding.renew(name, day)


def _completes(
    certification: Certification,
    program: str,
    passes: dict[str, date],
    held: dict[str, Holding],
    day: date,
) -> bool:
    """Whether everything a certification takes is there on a day, none of it used for it before."""
    own = held.get(certification.id)
    if certification.prerequisites:
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
        today = {code for passed_on, code in passed if passed_on == day}
        passes.update(dict.fromkeys(today, day))
        if program == "cisco":
            _renew_cisco(held, passed, day)
        for certification in touched:
            own = held.get(certification.id)
            if own is not None and own.covers(day):
                if program == "juniper" and any(today & slot for slot in certification.slots):
                    _renew_juniper(held, certification.id, day)
                continue
            if not _completes(certification, program, passes, held, day):
                continue
            held[certification.id] = Holding(day, day, expiry(certification.id, day, day))
            if program == "cisco":
                _renew_below(held, _ladder(certification.id), day)
            else:
                _renew_juniper(held, certification.id, day)
    return held
