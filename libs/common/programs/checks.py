"""Checks of a definition as a whole, after its parts are read."""

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from libs.common.programs.benefits import read_benefits
from libs.common.programs.errors import Path
from libs.common.programs.model import Certification, CertificationNode, leaves
from libs.common.programs.shape import ProgramShape
from libs.common.programs.source import Source


def prerequisites(certification: Certification) -> tuple[str, ...]:
    """The certifications its requirement names, each once, in the order written."""
    named = (leaf for leaf in leaves(certification.requires) if isinstance(leaf, CertificationNode))
    return tuple(dict.fromkeys(leaf.certification for leaf in named))


def in_dependence_order(certifications: Mapping[str, Certification]) -> tuple[str, ...]:
    """Certification ids, every prerequisite before what needs it.

    Raises:
        CycleError: where certifications need each other in a circle.
    """
    graph = {name: prerequisites(certification) for name, certification in certifications.items()}
    return tuple(name for name in TopologicalSorter(graph).static_order() if name in certifications)


def check_prerequisites(certifications: dict[str, Certification], source: Source) -> None:
    """Reports certifications that could never be earned because each needs the other first."""
    try:
        in_dependence_order(certifications)
    except CycleError as error:
        circle = error.args[1]
        chain = " needs ".join(reversed(circle))
        source.report(("certifications", circle[-1], "requires"), f"is a circle: {chain}")


def check_uses(head: ProgramShape | None, certifications: dict[str, Certification], source: Source) -> None:
    """Reports repeated levels, and levels that no certification has: a misspelt word looks like that."""
    if head is None or source.faults:
        return
    used = {certification.level for certification in certifications.values()}
    for position, level in enumerate(head.levels):
        if level in head.levels[:position]:
            source.report(("levels", position), f"{level!r} is listed twice")
        elif level not in used:
            source.report(("levels", position), f"no certification has the level {level!r}")


def check_badges(head: ProgramShape | None, certifications: dict[str, Certification], source: Source) -> None:
    """Reports templates for certifications that the program does not have, and two certifications with one template.

    A provider takes a second badge of a template for the same person as a repetition.
    """
    if head is None or head.badges.provider is None or source.faults:
        return
    taken: dict[str, str] = {}
    for name, template in head.badges.provider.templates.items():
        path = ("badges", "provider", "templates", name)
        if name not in certifications:
            source.report(path, f"there is no certification {name!r}")
        elif taken.setdefault(template, name) != name:
            source.report(path, f"{taken[template]!r} has the same template")


def check_benefits(head: ProgramShape | None, raw_certifications: Mapping[str, Any], source: Source) -> None:
    """Reports entitlements to what is no benefit of awards, and benefits of milestones that the program has not."""
    if head is None:
        return
    milestones = {one.id for one in head.milestones}
    for name, shape in head.benefits.items():
        if shape.milestone is not None and shape.milestone not in milestones:
            source.report(("benefits", name, "milestone"), f"unknown milestone {shape.milestone!r}")
    benefits = read_benefits(head.benefits)
    lists: list[tuple[Path, Any]] = [(("defaults", "entitlements"), head.defaults.entitlements)]
    for certification, entry in raw_certifications.items():
        if isinstance(entry, dict):
            lists.append((("certifications", certification, "entitlements"), entry.get("entitlements")))
    for path, entitlements in lists:
        for position, name in enumerate(entitlements if isinstance(entitlements, list) else ()):
            known = benefits.get(name) if isinstance(name, str) else None
            if isinstance(name, str) and known is None:
                source.report((*path, position), f"unknown benefit {name!r}")
            elif known is not None and known.milestone is not None:
                source.report((*path, position), f"{name!r} comes with a milestone, not with an award")
