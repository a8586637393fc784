"""What a score report holds: Cisco's a scaled score, Juniper's and practical exams' only percentages."""

from random import Random
from typing import Any

SCALE_MIN, SCALE_MAX, PASSING = 300, 1000, 825
SECTIONS = {
    "cisco": (
        "Architecture",
        "Virtualization",
        "Infrastructure",
        "Network Assurance",
        "Security",
        "Automation",
    ),
    "juniper": (
        "Layer 2 Switching",
        "Protocol-Independent Routing",
        "OSPF",
        "IS-IS",
        "BGP",
        "High Availability",
    ),
}
MODULES = ("Design", "Deploy, Operate and Optimize")
PRACTICAL = ("LAB:", "JPR-")


def sections(rng: Random, program: str, code: str, *, passed: bool) -> list[dict[str, Any]]:
    """Section names and percentages of one attempt."""
    names = MODULES if code.startswith(PRACTICAL) else tuple(rng.sample(SECTIONS[program], 4))
    low, high = (55, 100) if passed else (5, 75)
    return [{"name": name, "percent": rng.randrange(low * 2, high * 2 + 1) / 2} for name in names]


def score(rng: Random, *, passed: bool) -> int:
    return rng.randrange(PASSING, SCALE_MAX + 1) if passed else rng.randrange(SCALE_MIN, PASSING)


def report(rng: Random, program: str, code: str, *, passed: bool) -> dict[str, Any]:
    """Grade, form, score and sections as they appear in the data of a result."""
    outcome: dict[str, Any] = {"grade": "pass" if passed else "fail", "form": rng.choice("ABCDEF")}
    if program == "cisco" and not code.startswith(PRACTICAL):
        outcome |= {
            "score": score(rng, passed=passed),
            "passing_score": PASSING,
            "scale_min": SCALE_MIN,
            "scale_max": SCALE_MAX,
        }
    outcome["sections"] = sections(rng, program, code, passed=passed)
    return outcome
