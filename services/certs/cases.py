"""Histories as files state them: `program`, `as_of`, `inputs`; what the simulator reads and the policy's cases are.

Inputs are parsed here, at the edge, into the facts that `evaluate` understands, and its answer is put into the form
that such files expect.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from libs.common.programs import Program
from services.certs.domain import facts as known
from services.certs.domain.explanation import explained
from services.certs.domain.facts import Fact
from services.certs.domain.progress import progress, waiting
from services.certs.domain.standing import CertificationStanding, Standing

Day = date
"""In the models below `date` is also the name of a field."""


class _Input(BaseModel):
    """What every input has; what the engine has no use for may stand beside it."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    received: Day | None = None
    account: str | None = None


class ExamInput(_Input):
    type: Literal["exam"]
    code: str
    date: Day
    outcome: Literal["pass", "fail", "no_show"]
    held: Day | None = None
    released: Day | None = None
    embargo_until: Day | None = None
    registration: str | None = None
    candidate: dict[str, Any] | None = None
    profile: dict[str, Any] | None = None


class CreditInput(_Input):
    type: Literal["ce"]
    credits: Annotated[int, Field(ge=0)]
    completed: Day
    status: Literal["validated", "pending", "rejected"]
    submitted: Day | None = None
    validated: Day | None = None
    item: str | None = None
    held_until: Day | None = None


class CourseInput(_Input):
    type: Literal["course"]
    code: str
    level: str
    track: str
    last_day: Day
    delivery: Literal["open_enrolment", "on_demand", "private", "partner"]
    first_day: Day | None = None
    submitted: Day | None = None
    approved: Day | None = None
    status: str | None = None


class ResultChangeInput(_Input):
    type: Literal["revoke_result", "unrevoke_result", "modify_result"]
    code: str
    exam_date: Day
    date: Day
    outcome: Literal["pass", "fail", "no_show"] | None = None


class RetireInput(_Input):
    type: Literal["retire_cert"]
    cert: str
    date: Day


class RenameInput(_Input):
    type: Literal["rename_cert"]
    old: Annotated[str, Field(alias="from")]
    to: str
    date: Day


class ExtensionInput(_Input):
    type: Literal["program_extension"]
    months: Annotated[int, Field(ge=1)]
    date: Day
    window: tuple[Day, Day] | None = None


class ImportInput(_Input):
    type: Literal["import_cert"]
    cert: str
    earned: Day
    expires: Day | None = None
    number: str | None = None
    last_renewal: Literal["exam", "course"] | None = None
    policy: str | None = None
    continuous_since: Day | None = None


class EmeritusInput(_Input):
    type: Literal["emeritus_granted"]
    cert: str
    date: Day
    paid: Day | None = None


class DecisionInput(_Input):
    type: Literal["decision"]
    decision: known.DecisionKind
    cert: str
    date: Day
    until: Day | None = None
    reason: str = ""


class MergeInput(_Input):
    type: Literal["merge_accounts"]
    source: Annotated[str, Field(alias="from")]
    into: str
    date: Day


class SeparationInput(_Input):
    type: Literal["separate_accounts"]
    source: Annotated[str, Field(alias="from")]
    into: str
    date: Day


class AgreementInput(_Input):
    type: Literal["agreement"]
    accepted: Day | None = None


Input = Annotated[
    ExamInput
    | CreditInput
    | CourseInput
    | ResultChangeInput
    | RetireInput
    | RenameInput
    | ExtensionInput
    | ImportInput
    | EmeritusInput
    | DecisionInput
    | MergeInput
    | SeparationInput
    | AgreementInput,
    Field(discriminator="type"),
]
_INPUTS: TypeAdapter[list[Input]] = TypeAdapter(list[Input])


class Case(BaseModel):
    """One history to evaluate."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: str = ""
    program: str | None = None
    as_of: date | None = None
    inputs: list[Any]


class CaseError(ValueError):
    """A case that cannot be read; the message names the input and the field."""


def read_inputs(inputs: Sequence[Any], program: Program) -> list[Fact]:
    """The facts of a case.

    Raises:
        CaseError: naming each input and field that is wrong; a type that is not known is wrong too.
    """
    try:
        parsed = _INPUTS.validate_python(list(inputs))
    except ValidationError as error:
        lines = [f"inputs[{'.'.join(str(part) for part in one['loc'])}]: {one['msg']}" for one in error.errors()]
        raise CaseError("; ".join(lines)) from None
    reader = _Reader(program, [one for one in parsed if isinstance(one, ExamInput)])
    return [reader.fact(one) for one in parsed]


class _Reader:
    """Turns inputs into facts; a fact known on a day is known from its first moment in the program's time zone."""

    def __init__(self, program: Program, exams: Iterable[ExamInput]) -> None:
        self._zone = ZoneInfo(program.time_zone)
        self._program = program
        # Without a registration one code on one date is one result, also beside one that has a registration.
        self._registered = {
            (self._code(one.code), one.date, one.account): one.registration
            for one in sorted(exams, key=lambda one: one.registration or "", reverse=True)
            if one.registration is not None
        }

    def fact(self, one: Any) -> Fact:
        read = getattr(self, f"_{type(one).__name__}")
        made: Fact = read(one)
        return made

    def _code(self, code: str) -> str:
        exam = self._program.find_exam(code)
        return exam.code if exam else code

    def _at(self, one: _Input, *days: date | None) -> datetime:
        """When the input is known: on the day it was received, else on the first of `days` that is given."""
        return self._day(next(day for day in (one.received, *days) if day is not None))

    def _day(self, day: date) -> datetime:
        try:
            return datetime.combine(day, time.min, self._zone)
        except OverflowError:
            return datetime.combine(day, time.min, ZoneInfo("UTC"))

    def _ExamInput(self, one: ExamInput) -> known.ExamFact:  # noqa: N802 named after the input
        code = self._code(one.code)
        registration = one.registration or self._registered.get((code, one.date, one.account))
        return known.ExamFact(
            result_id=registration or f"{code} on {one.date}",
            revision=1,
            code=code,
            taken_on=one.date,
            outcome=one.outcome,
            # Before the embargo is over the result is unknown everywhere.
            known_at=max(self._at(one, one.date), self._day(one.embargo_until or date.min)),
            held_on=one.held,
            released_on=one.released,
            name_differs=_differs(one.candidate, one.profile),
            account=one.account,
        )

    def _CreditInput(self, one: CreditInput) -> known.CreditFact:  # noqa: N802
        return known.CreditFact(
            claim_id=f"{one.credits} credits on {one.completed}" + (f" for {one.item}" if one.item else ""),
            credits=one.credits,
            completed_on=one.completed,
            status=one.status,
            known_at=self._at(one, one.submitted, one.completed),
            submitted_on=one.submitted,
            validated_on=one.validated,
            item=one.item,
            held_until=one.held_until,
            account=one.account,
        )

    def _CourseInput(self, one: CourseInput) -> known.CourseFact:  # noqa: N802
        return known.CourseFact(
            course_id=f"{one.code} through {one.last_day}",
            code=one.code,
            level=one.level,
            track=one.track,
            last_day=one.last_day,
            delivery=one.delivery,
            known_at=self._at(one, one.submitted, one.last_day),
            submitted_on=one.submitted,
            approved_on=one.approved,
            rejected=one.status == "rejected",
            account=one.account,
        )

    def _ResultChangeInput(self, one: ResultChangeInput) -> known.ResultChangeFact:  # noqa: N802
        changes: dict[str, Literal["revoked", "restored", "modified"]] = {
            "revoke_result": "revoked",
            "unrevoke_result": "restored",
            "modify_result": "modified",
        }
        return known.ResultChangeFact(
            changes[one.type], one.code, one.exam_date, one.date, self._at(one, one.date), one.outcome, one.account
        )

    def _RetireInput(self, one: RetireInput) -> known.RetirementFact:  # noqa: N802
        return known.RetirementFact(one.cert, one.date, self._at(one, one.date), one.account)

    def _RenameInput(self, one: RenameInput) -> known.RenameFact:  # noqa: N802
        return known.RenameFact(one.old, one.to, one.date, self._at(one, one.date), one.account)

    def _ExtensionInput(self, one: ExtensionInput) -> known.ExtensionFact:  # noqa: N802
        return known.ExtensionFact(one.months, one.date, self._at(one, one.date), one.window, one.account)

    def _ImportInput(self, one: ImportInput) -> known.ImportFact:  # noqa: N802
        return known.ImportFact(
            certification=one.cert,
            earned_on=one.earned,
            known_at=self._at(one, one.earned),
            expires_on=one.expires,
            number=one.number,
            last_renewal=one.last_renewal,
            validity=one.policy,
            continuous_since=one.continuous_since,
            account=one.account,
        )

    def _EmeritusInput(self, one: EmeritusInput) -> known.EmeritusFact:  # noqa: N802
        return known.EmeritusFact(one.cert, one.date, self._at(one, one.date), one.paid, one.account)

    def _DecisionInput(self, one: DecisionInput) -> known.DecisionFact:  # noqa: N802
        return known.DecisionFact(
            decision_id=f"{one.decision} {one.cert} on {one.date}" + (f" until {one.until}" if one.until else ""),
            decision=one.decision,
            certification=one.cert,
            on=one.date,
            known_at=self._at(one, one.date),
            reason=one.reason,
            until=one.until,
            account=one.account,
        )

    def _MergeInput(self, one: MergeInput) -> known.MergeFact:  # noqa: N802
        return known.MergeFact(one.source, one.into, one.date, self._at(one, one.date), one.account)

    def _SeparationInput(self, one: SeparationInput) -> known.SeparationFact:  # noqa: N802
        return known.SeparationFact(one.source, one.into, one.date, self._at(one, one.date), one.account)

    def _AgreementInput(self, one: AgreementInput) -> known.AgreementFact:  # noqa: N802
        return known.AgreementFact(self._at(one, one.accepted, date.min), one.accepted, account=one.account)


def _differs(candidate: Mapping[str, Any] | None, profile: Mapping[str, Any] | None) -> bool:
    """Whether two names differ, other than in case and spaces."""
    if candidate is None or profile is None:
        return False

    def plain(name: Mapping[str, Any]) -> dict[str, str]:
        return {key: " ".join(str(value).split()).casefold() for key, value in name.items()}

    return plain(candidate) != plain(profile)


def answer(case: Case, program: Program, standing: Standing, facts: Sequence[Fact]) -> dict[str, Any]:
    """What the evaluation says, in the form of such files."""
    entries = [_entry(program, entry) for entry in standing.certifications.values()]
    active = any(entry["status"] == "active" for entry in entries)
    return {
        "id": case.id,
        "as_of": standing.as_of.isoformat(),
        "program": standing.program,
        "certifications": entries,
        "flags": sorted({flag.code for flag in standing.flags}),
        "flagged": [{"flag": flag.code, "fact": flag.fact, "text": flag.text} for flag in standing.flags],
        "progress": waiting(program, facts, standing.as_of),
        "policy_version": standing.decided_by,
        "earliest_retake": standing.earliest_retake.isoformat() if standing.earliest_retake else None,
        "pdf_available": active,
        "ecertificate_available": active,
    }


def _entry(program: Program, entry: CertificationStanding) -> dict[str, Any]:
    return {
        "cert": entry.certification,
        "title": entry.title,
        "status": entry.status,
        "earned": entry.earned_on.isoformat(),
        "expires": entry.expires_on.isoformat() if entry.expires_on else "",
        "designations": list(entry.designations),
        "number": entry.number,
        "account": entry.account,
        "pdf_available": entry.status == "active",
        "sentence": entry.sentence,
        "because": [reason._asdict() for reason in explained(program, entry)],
    }


def goals(program: Program, facts: Sequence[Fact], as_of: date) -> list[dict[str, Any]]:
    """What is missing for each certification that something in hand counts towards."""
    return [
        {
            "cert": one.certification,
            "clause": one.clause,
            "in_hand": [
                {
                    "fact": own.fact,
                    "code": own.code,
                    "passed": own.passed_on.isoformat(),
                    "counts_through": own.counts_through.isoformat() if own.counts_through else "",
                }
                for own in one.in_hand
            ],
            "missing": [
                {"n": part.n, "exams": list(part.exams), "certifications": list(part.certifications)}
                for part in one.missing
            ],
            "text": one.sentence,
        }
        for one in progress(program, facts, as_of)
        if one.in_hand
    ]
