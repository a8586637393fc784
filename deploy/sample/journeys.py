"""Which exams people take in which order: the roads to the certifications of the two sample programs.

The roads stay on firm ground on purpose. Nobody takes an exam again less than 16 days after failing it,
nobody takes a second concentration for a certification already held, and renewals are of single-exam
certifications only: what the sample adds up to must not hang on a finer point of a program's rules.
"""

from dataclasses import dataclass
from datetime import date

Slot = tuple[str, ...]
"""One step of a road: any of these exam codes."""

WINDOWS: dict[str, tuple[date, date]] = {
    "350-101": (date(2026, 3, 23), date.max),
    "JN0-105": (date.min, date(2026, 3, 20)),
    "JN0-106": (date(2026, 4, 13), date.max),
    "JN0-351": (date.min, date(2026, 3, 20)),
    "JN0-352": (date(2026, 4, 13), date.max),
    "JPR-946": (date(2026, 7, 20), date.max),
}
"""Days on which the sample uses an exam that is not offered throughout; a little inside the real ones."""


@dataclass(frozen=True, slots=True)
class Road:
    """A sequence of exams, how popular it is, and whether its certification may be renewed by a re-pass."""

    program: str
    weight: int
    slots: tuple[Slot, ...]
    renewable: bool = False


def _cisco(weight: int, *slots: Slot, renewable: bool = False) -> Road:
    return Road("cisco", weight, slots, renewable)


def _juniper(weight: int, *slots: Slot, renewable: bool = False) -> Road:
    return Road("juniper", weight, slots, renewable)


CCNA: Slot = ("200-301",)
CYBER: Slot = ("200-201",)
AUTOMATION: Slot = ("200-901",)
ENCOR: Slot = ("350-401",)
ENTERPRISE: Slot = ("300-410", "300-415", "300-420", "300-440", "300-445")
SECURITY: Slot = ("300-710", "300-715", "300-730", "300-740", "300-745")
DATA_CENTER: Slot = ("300-610", "300-615", "300-620", "300-640")
SERVICE_PROVIDER: Slot = ("300-510", "300-515", "300-540")
COLLABORATION: Slot = ("300-815", "300-820", "300-830")
JUNOS: Slot = ("JN0-105", "JN0-106")
JNCIS_ENT: Slot = ("JN0-351", "JN0-352")

ROADS: tuple[Road, ...] = (
    _cisco(26, CCNA, renewable=True),
    _cisco(5, ("100-150", "100-160", "100-140"), CCNA),
    _cisco(3, ("100-150",), ("100-140",)),
    _cisco(2, ("800-150",), renewable=True),
    _cisco(5, CYBER, renewable=True),
    _cisco(5, AUTOMATION, renewable=True),
    _cisco(4, ("820-605",), renewable=True),
    _cisco(14, CCNA, ENCOR, ENTERPRISE),
    _cisco(5, ENTERPRISE, ENCOR),
    _cisco(8, CCNA, ("350-701",), SECURITY),
    _cisco(5, ("350-601",), DATA_CENTER),
    _cisco(4, CCNA, ("350-501",), SERVICE_PROVIDER),
    _cisco(3, COLLABORATION, ("350-801",)),
    _cisco(3, CYBER, ("350-201",), ("300-215",)),
    _cisco(3, AUTOMATION, ("350-901",), ("300-435", "300-635")),
    _cisco(2, CCNA, ENCOR, ("300-435",), ("350-901",)),  # one concentration that counts in two tracks
    _cisco(2, ("350-101",), ("300-110", "300-120")),
    _cisco(3, ENCOR, ENTERPRISE, ("LAB:CCIE-Enterprise-Infrastructure",)),
    _cisco(2, ("350-701",), ("LAB:CCIE-Security",)),
    _cisco(1, ("350-501",), SERVICE_PROVIDER, ("LAB:CCIE-Service-Provider",)),
    _cisco(1, ("400-007",), ("LAB:CCDE-practical",)),
    _juniper(20, JUNOS, renewable=True),
    _juniper(10, JUNOS, JNCIS_ENT, ("JN0-650",)),
    _juniper(4, JNCIS_ENT, JUNOS),  # the higher exam first: it waits for its prerequisite
    _juniper(9, JUNOS, ("JN0-364",), ("JN0-664",)),
    _juniper(2, ("JN0-664",), ("JN0-364",), JUNOS),  # the whole ladder upside down
    _juniper(2, JUNOS, JNCIS_ENT, ("JN0-650",), ("JPR-946",)),
    _juniper(2, JUNOS, ("JN0-364",), ("JN0-664",), ("JPR-962",)),
    _juniper(7, ("JN0-232",), ("JN0-336",), ("JN0-637",)),
    _juniper(5, ("JN0-281",), ("JN0-481",), ("JN0-683",)),
    _juniper(2, JUNOS, JNCIS_ENT, ("JN0-683",)),  # another track's specialist as the prerequisite
    _juniper(4, ("JN0-224",), ("JN0-423",)),
    _juniper(3, ("JN0-214",), renewable=True),
    _juniper(5, ("JN0-253",), ("JN0-452", "JN0-460"), ("JN0-750",)),
    _juniper(2, ("JN0-1103",), renewable=True),
)


def offered(slot: Slot, day: date) -> tuple[tuple[str, ...], date]:
    """The codes of a slot that can be taken on the first possible day from `day` on, and that day."""
    always = (date.min, date.max)
    first_days = [max(day, WINDOWS.get(code, always)[0]) for code in slot if day <= WINDOWS.get(code, always)[1]]
    start = min(first_days)
    codes = tuple(code for code in slot if WINDOWS.get(code, always)[0] <= start <= WINDOWS.get(code, always)[1])
    return codes, start
