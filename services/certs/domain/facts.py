"""What is known about a candidate: dated facts, the only thing a certification is derived from.

Each fact says when it takes effect and, as `known_at`, from when it was known; days on which something is decided
later (a claim validated, a hold released) are fields of their own, because the fact is known before them. A fact is
told by its `key`; the same key again is the same fact.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

Outcome = Literal["pass", "fail", "pending", "invalidated", "no_show"]
ClaimStatus = Literal["validated", "pending", "rejected"]
DecisionKind = Literal["grant", "revoke", "suspend", "reinstate", "extend"]

Key = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class ExamFact:
    """One revision of one exam result.

    Of one `result_id` the highest revision known counts; the same revision again is the same fact.
    """

    result_id: str
    revision: int
    code: str
    taken_on: date
    """Local date at the place of delivery: the day that decides every effect."""
    outcome: Outcome
    known_at: datetime
    """When the revision became known, with its offset from UTC."""
    held_on: date | None = None
    """First day of a hold."""
    released_on: date | None = None
    """First day after it; None where it has no end yet."""
    name_differs: bool = False
    """Whether the name on the result is another than in the profile."""
    account: str | None = None

    def __post_init__(self) -> None:
        """Refuses a moment without a zone, which could not be put in order with others.

        Raises:
            ValueError: naming the field.
        """
        if self.known_at.tzinfo is None:
            raise ValueError("known_at has no offset from UTC")

    @property
    def key(self) -> Key:
        return ("exam", self.result_id, self.revision)


@dataclass(frozen=True, slots=True)
class ResultChangeFact:
    """A result was voided, restored or changed, with effect back to its day."""

    change: Literal["revoked", "restored", "modified"]
    code: str
    taken_on: date
    """With the code, the result that is meant."""
    on: date
    known_at: datetime
    outcome: Outcome | None = None
    """The new outcome of a modified result."""
    account: str | None = None

    @property
    def key(self) -> tuple[str, ...]:
        return ("result_change", self.change, self.code, str(self.taken_on), str(self.on), self.outcome or "")


@dataclass(frozen=True, slots=True)
class CreditFact:
    """A claim of continuing-education credits."""

    claim_id: str
    credits: int
    completed_on: date
    status: ClaimStatus
    """The claim's last state; before `validated_on` it is pending, whatever this says."""
    known_at: datetime
    submitted_on: date | None = None
    validated_on: date | None = None
    item: str | None = None
    """The course or other item, which counts once in a cycle."""
    held_until: date | None = None
    """First day on which the credits may renew something, where the candidate has chosen a later one."""
    account: str | None = None

    @property
    def key(self) -> tuple[str, ...]:
        return ("credit", self.claim_id)

    @property
    def acts_on(self) -> date:
        """The day of its effect: that of completion, or a later one that the candidate has chosen."""
        return self.completed_on if self.held_until is None else max(self.completed_on, self.held_until)


@dataclass(frozen=True, slots=True)
class CourseFact:
    """A course was attended."""

    course_id: str
    code: str
    level: str
    track: str
    last_day: date
    delivery: str
    known_at: datetime
    submitted_on: date | None = None
    approved_on: date | None = None
    rejected: bool = False
    account: str | None = None

    @property
    def key(self) -> tuple[str, ...]:
        return ("course", self.course_id)


@dataclass(frozen=True, slots=True)
class ImportFact:
    """An opening balance from an older system."""

    certification: str
    earned_on: date
    known_at: datetime
    expires_on: date | None = None
    """Last active day; None where the program's validity says it."""
    number: str | None = None
    last_renewal: Literal["exam", "course"] | None = None
    validity: str | None = None
    """Name of the older division of its time."""
    continuous_since: date | None = None
    """Start of the years without a gap, where it is not `earned_on`."""
    account: str | None = None

    @property
    def key(self) -> tuple[str, ...]:
        return ("import", self.certification, str(self.earned_on))


@dataclass(frozen=True, slots=True)
class RetirementFact:
    """The program ends a certification: from the day on no awards and no renewals."""

    certification: str
    on: date
    known_at: datetime
    account: str | None = None

    @property
    def key(self) -> tuple[str, ...]:
        return ("retirement", self.certification, str(self.on))


@dataclass(frozen=True, slots=True)
class RenameFact:
    """The program calls a certification by another id from the day on."""

    old: str
    new: str
    on: date
    known_at: datetime
    account: str | None = None

    @property
    def key(self) -> tuple[str, ...]:
        return ("rename", self.old, self.new, str(self.on))


@dataclass(frozen=True, slots=True)
class ExtensionFact:
    """The program moves expiries."""

    months: int
    on: date
    known_at: datetime
    window: tuple[date, date] | None = None
    """First and last expiry covered; None covers every certification active on the day."""
    account: str | None = None

    @property
    def key(self) -> tuple[str, ...]:
        window = self.window or (None, None)
        return ("extension", str(self.on), str(self.months), str(window[0]), str(window[1]))


@dataclass(frozen=True, slots=True)
class EmeritusFact:
    """A year of emeritus was granted; it counts once it is paid."""

    certification: str
    on: date
    known_at: datetime
    paid_on: date | None = None
    account: str | None = None

    @property
    def key(self) -> tuple[str, ...]:
        return ("emeritus", self.certification, str(self.on))


@dataclass(frozen=True, slots=True)
class DecisionFact:
    """The program's staff decided something about one certification; it takes effect at the end of its day."""

    decision_id: str
    decision: DecisionKind
    certification: str
    on: date
    known_at: datetime
    reason: str
    """For the candidate too; empty where none was given."""
    until: date | None = None
    """Last active day: of an extension always, of a grant where it is not the program's validity that says it."""
    account: str | None = None

    @property
    def key(self) -> tuple[str, ...]:
        return ("decision", self.decision_id)


@dataclass(frozen=True, slots=True)
class MergeFact:
    """Two accounts are one from the day on."""

    source: str
    into: str
    on: date
    known_at: datetime
    account: str | None = None

    @property
    def key(self) -> tuple[str, ...]:
        return ("merge", self.source, self.into, str(self.on))


@dataclass(frozen=True, slots=True)
class SeparationFact:
    """A merge was wrong: from the day on the two accounts stand alone again."""

    source: str
    into: str
    on: date
    known_at: datetime
    account: str | None = None

    @property
    def key(self) -> tuple[str, ...]:
        return ("separation", self.source, self.into, str(self.on))


@dataclass(frozen=True, slots=True)
class AgreementFact:
    """The certification agreement is asked for; accepted on a day, or not yet."""

    known_at: datetime
    accepted_on: date | None = None
    version: str | None = None
    """Of the text; None where a history does not say."""
    account: str | None = None

    @property
    def key(self) -> tuple[str, ...]:
        return ("agreement", str(self.accepted_on), self.version or "")


Fact = (
    ExamFact
    | ResultChangeFact
    | CreditFact
    | CourseFact
    | ImportFact
    | RetirementFact
    | RenameFact
    | ExtensionFact
    | EmeritusFact
    | DecisionFact
    | MergeFact
    | SeparationFact
    | AgreementFact
)
"""Every kind of fact `evaluate` understands."""


class Known:
    """The facts known at a moment, by kind; each fact once."""

    # Most candidates have exams only, so every other kind is this empty one until there is something of it.
    changes: Sequence[ResultChangeFact] = ()
    credits: Sequence[CreditFact] = ()
    courses: Sequence[CourseFact] = ()
    imports: Sequence[ImportFact] = ()
    retirements: Sequence[RetirementFact] = ()
    renames: Sequence[RenameFact] = ()
    extensions: Sequence[ExtensionFact] = ()
    emeritus: Sequence[EmeritusFact] = ()
    decisions: Sequence[DecisionFact] = ()
    merges: Sequence[MergeFact] = ()
    separations: Sequence[SeparationFact] = ()
    agreements: Sequence[AgreementFact] = ()

    def __init__(self, facts: Iterable[Fact], known_until: datetime) -> None:
        """Sorts the facts.

        Raises:
            TypeError: for a kind of fact that is not understood; it is never passed over.
        """
        self.exams: list[ExamFact] = []
        self.one_account = True
        """Whether no exam names an account."""
        others: list[Fact] = []
        for fact in facts:
            if type(fact) is ExamFact:
                if fact.known_at <= known_until:
                    self.exams.append(fact)
                    if fact.account is not None:
                        self.one_account = False
            elif fact.__class__ in _OTHERS:
                # That an agreement is asked for is known before any answer to it.
                if fact.known_at <= known_until or fact.__class__ is AgreementFact:
                    others.append(fact)
            else:
                raise TypeError(f"unknown kind of fact: {fact!r}")
        self.only_exams = not others
        if others:
            self._sort(others)

    def _sort(self, others: list[Fact]) -> None:
        # Of two tellings of one fact the later known counts; of two of one moment, the same one in any order.
        once = {fact.key: fact for fact in sorted(others, key=_told)}
        for kind, name in _OTHERS.items():
            setattr(self, name, [fact for fact in once.values() if fact.__class__ is kind])


def _told(fact: Fact) -> tuple[datetime, str]:
    return fact.known_at, repr(fact)


_OTHERS: dict[type, str] = {
    ResultChangeFact: "changes",
    CreditFact: "credits",
    CourseFact: "courses",
    ImportFact: "imports",
    RetirementFact: "retirements",
    RenameFact: "renames",
    ExtensionFact: "extensions",
    EmeritusFact: "emeritus",
    DecisionFact: "decisions",
    MergeFact: "merges",
    SeparationFact: "separations",
    AgreementFact: "agreements",
}
