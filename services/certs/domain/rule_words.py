"""Each rule of a program in words: what the clause that gave something effect says. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from libs.common.languages.days import spoken
from libs.common.programs import Certification, Program
from libs.common.programs.policy import (
    LADDER_CLAUSE,
    CourseRule,
    Designation,
    EmeritusRules,
    Extension,
    Ladder,
    LegacyValidity,
    Way,
)
from services.certs.domain.asked import Asked, renewing, required, shares_exams
from services.certs.domain.chain import Act
from services.certs.domain.facts import Fact, RenameFact
from services.certs.domain.outcome import present_names
from services.certs.domain.rules import rules_of
from services.certs.domain.standing import CertificationStanding
from services.certs.languages import both, mark, say, say_many

_ACTS: Final[Mapping[Act, str]] = {
    "grant": mark("The program can grant a certification without asking for exams."),
    "extend": mark("The program can move the last active day of a certification to a later one."),
    "suspend": mark("The program can suspend a certification. Its dates run on meanwhile, and what renews it counts."),
    "revoke": mark(
        "The program can revoke a certification. It ends the day before, and passes until then are used up."
    ),
    "reinstate": mark("The program can end a suspension, or take back a revocation, which gives back the dates."),
    "import": mark("What an earlier system had is taken over as it was there."),
}
"""What may be done to any certification, whatever its definition says; in the order in which it is told."""


@dataclass(frozen=True, slots=True)
class RuleWords:
    """A rule in the reader's language.

    Attributes:
        says: all of it.
        lead: what stands above the items of `asks`; None where it has none.
        asks: what the rule asks for, part by part; None of rules that ask for nothing.
    """

    says: str
    lead: str | None = None
    asks: Asked | None = None


def rule_words(
    program: Program, certification: Certification | None, clause: str, acts: Collection[Act] = ()
) -> RuleWords:
    """What a clause says.

    Args:
        program: whose clause it is.
        certification: what the clause gave its state; None where the program has it no more.
        clause: path in the definition.
        acts: what was done under the clause that no definition states.
    """
    if certification is not None and not clause.startswith(f"{certification.path}."):
        # What was renamed has effects of rules of the name it had.
        others = program.certifications.values()
        certification = next((one for one in others if clause.startswith(f"{one.path}.")), certification)
    if certification is not None and clause == f"{certification.path}.requires":
        return _earning(required(program, certification.requires))
    way = _way(program, certification, clause)
    if way is not None:
        return _renewing(renewing(program, way), apart=shares_exams(way))
    said = [say(text) for act, text in _ACTS.items() if act in acts]
    if not said and certification is not None:
        said = list(_lasting(certification, clause))
    said = said or next((list(words) for path, words in _general(program) if path == clause), [])
    return RuleWords(" ".join(said) or say("The program's own text states this rule under {clause}.", clause=clause))


def defined(program: Program, entry: CertificationStanding, known: Iterable[Fact], today: date) -> Certification | None:
    """What the program defines of an entry, under whichever id that is listed; None where it has it no more."""
    renames = [fact for fact in known if isinstance(fact, RenameFact)]
    rule = present_names(rules_of(program), renames, today).get(entry.certification)
    return rule.certification if rule is not None else None


def _earning(asked: Asked) -> RuleWords:
    says = say("To earn it: {asked}.", asked=asked.sentence)
    if not asked.items:
        return RuleWords(says, asks=asked)
    if asked.kind == "all":
        return RuleWords(says, say("To earn it, the program asks for all of these:"), asked)
    lead = say_many(
        "To earn it, the program asks for one of these:",
        "To earn it, the program asks for {count} of these:",
        asked.count,
    )
    return RuleWords(says, lead, asked)


def _renewing(asked: Asked, *, apart: bool) -> RuleWords:
    says = say("One way to renew it: {asked}.", asked=asked.sentence)
    if apart:
        says = " ".join((says, say("Each exam counts once.")))
    if not asked.items:
        return RuleWords(says, asks=asked)
    if asked.kind == "all":
        lead = say("To renew it, all of these together are one way:")
        if apart:
            lead = say("To renew it, all of these together are one way, each with another exam:")
        return RuleWords(says, lead, asked)
    lead = say_many("To renew it, one of these is enough:", "To renew it, {count} of these are enough:", asked.count)
    return RuleWords(says, lead, asked)


def _way(program: Program, certification: Certification | None, clause: str) -> Way | None:
    """The way of a clause: the certification's own, else that of another of its track, which brought it back."""
    tracks = _tracks(certification)
    others = sorted(program.certifications.values(), key=lambda one: not tracks & _tracks(one))
    every = [certification, *others] if certification is not None else others
    return next((way for one in every for way in one.renewal if way.clause == clause), None)


def _tracks(certification: Certification | None) -> set[str]:
    return {certification.track, *certification.also_tracks} if certification is not None else set()


def _lasting(certification: Certification, clause: str) -> Iterator[str]:
    """How long it lasts, where the clause says that."""
    for position, earlier in enumerate(certification.earlier_validity):
        if clause != f"{certification.path}.earlier_validity[{position}]":
            continue
        day = spoken(earlier.earned_before)
        if earlier.validity_years is None:
            yield say("Earned before {day}, it never expires.", day=day)
        else:
            yield say_many(
                "Earned before {day}, it lasts {count} year from the day it is earned or renewed.",
                "Earned before {day}, it lasts {count} years from the day it is earned or renewed.",
                earlier.validity_years,
                day=day,
            )
    if clause != certification.validity_clause:
        return
    if certification.validity_years is None:
        yield say("It never expires.")
    else:
        yield say_many(
            "It lasts {count} year from the day it is earned or renewed.",
            "It lasts {count} years from the day it is earned or renewed.",
            certification.validity_years,
        )


def _general(program: Program) -> Iterator[tuple[str, Iterator[str]]]:
    """The rules that hold for many certifications, each with its clause."""
    policy = program.policy
    if policy.ladder is not None:
        yield LADDER_CLAUSE, _ladder(program, policy.ladder)
    if policy.courses is not None:
        yield from ((course.clause, _course(course)) for course in policy.courses.rules)
    if policy.emeritus is not None:
        yield policy.emeritus.clause, _emeritus(policy.emeritus)
    yield from ((designation.clause, _designation(designation)) for designation in policy.designations)
    yield from ((legacy.clause, _legacy(legacy)) for legacy in (policy.legacy_validity or {}).values())
    yield from ((extension.clause, _extension(extension)) for extension in policy.extensions)
    # Told with a history, and not by the definition.
    yield "extensions", iter([say("The program can move the last active days of many certifications at once.")])


def _ladder(program: Program, ladder: Ladder) -> Iterator[str]:
    levels = say(", ").join(level for level in program.levels if level in ladder.levels)
    yield say("To earn or renew a certification renews all active ones of its level and below.")
    yield say("This holds for the levels {levels}.", levels=levels)
    apart = [program.certifications[name].title for name in program.certifications if name in ladder.without]
    if apart:
        yield say("It does not hold for {certifications}.", certifications=both(apart))


def _designation(designation: Designation) -> Iterator[str]:
    yield say_many(
        "{count} year after it was earned, its holder is called {designation}, for good.",
        "{count} years after it was earned, its holder is called {designation}, for good.",
        designation.after_years,
        designation=designation.name,
    )
    if designation.reactivates_track:
        yield say("From then on one renewal brings back what has expired of it and below it in its track.")


def _course(rule: CourseRule) -> Iterator[str]:
    yield say("A course renews the active certifications of its track, at its level and below, from its last day.")
    if not rule.in_a_row:
        yield say("A second renewal by course in a row does not count.")
    if rule.until != date.max:
        yield say("This holds for courses that ended by {day}.", day=spoken(rule.until))
    elif rule.starts_on != date.min:
        yield say("This holds for courses that ended on {day} or later.", day=spoken(rule.starts_on))


def _emeritus(rules: EmeritusRules) -> Iterator[str]:
    yield say_many(
        "After the last active day, {count} year of emeritus can be granted at a time.",
        "After the last active day, {count} years of emeritus can be granted at a time.",
        rules.years_per_grant,
    )
    if rules.lifetime_after_years is not None:
        yield say_many(
            "After {count} year without a gap, emeritus is for life.",
            "After {count} years without a gap, emeritus is for life.",
            rules.lifetime_after_years,
        )


def _legacy(legacy: LegacyValidity) -> Iterator[str]:
    active = say_many("{count} year active", "{count} years active", legacy.active_years)
    inactive = say_many("{count} year inactive", "{count} years inactive", legacy.inactive_years)
    yield say(
        "What was taken over under an older rule has {active}, then {inactive}.", active=active, inactive=inactive
    )
    yield say("From {day} on the inactive time counts as active.", day=spoken(legacy.until))


def _extension(extension: Extension) -> Iterator[str]:
    if extension.window is None:
        yield say_many(
            "On {day} the program moved the last day of all that was active by {count} month.",
            "On {day} the program moved the last day of all that was active by {count} months.",
            extension.months,
            day=spoken(extension.on),
        )
        return
    first, last = extension.window
    yield say_many(
        "On {day} the program moved last days from {first} to {last} by {count} month.",
        "On {day} the program moved last days from {first} to {last} by {count} months.",
        extension.months,
        day=spoken(extension.on),
        first=spoken(first),
        last=spoken(last),
    )
