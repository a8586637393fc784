"""Cases in words: kinds, states, facts, and what follows from a decision. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Final

from libs.common.casework.progress import UNDECIDED
from services.portal.languages import mark, say, say_many
from services.portal.languages.days import short_day, spoken
from services.portal.staff.cases.shapes import Case, CaseLine, Person
from services.portal.staff.kit import NONE, PAST_PROMISE, Cell, Fact, Row
from services.portal.staff.people import Names
from services.portal.web.chips import Chip
from services.portal.web.vendor_names import vendor_name

KINDS: Final[Mapping[str, str]] = {
    "name": mark("Name change"),
    "mapping": mark("Partner's ID"),
    "duplicate": mark("Two accounts"),
    "missing_result": mark("Missing result"),
    "kit": mark("Kit"),
    "other": mark("Question"),
}
STATES: Final[Mapping[str, Chip]] = {
    "open": Chip("wait", mark("Waiting for us")),
    "waiting_for_candidate": Chip("off", mark("Waiting for the candidate")),
    "decided_once": Chip("wait", mark("Second opinion needed")),
    "accepted": Chip("ok", mark("Accepted")),
    "refused": Chip("bad", mark("Refused")),
    "withdrawn": Chip("off", mark("Withdrawn")),
    "arrived": Chip("ok", mark("Result arrived")),
    "lapsed": Chip("off", mark("No result to wait for")),
}
_STEPS: Final[Mapping[str, str]] = {
    "opened": mark("{who}: opened it"),
    "answered": mark("{who}: answered"),
    "evidence": mark("{who}: added a document"),
    "asked": mark("{who}: asked something"),
    "written": mark("{who}: wrote"),
    "assigned": mark("{who}: gave it to somebody"),
    "unassigned": mark("{who}: gave it back"),
    "accepts": mark("{who}: first opinion, accept"),
    "refuses": mark("{who}: first opinion, refuse"),
    "disagreed": mark("{who}: disagreed, so it is open again"),
    "accepted": mark("{who}: accepted it"),
    "refused": mark("{who}: refused it"),
    "withdrawn": mark("{who}: withdrew it"),
    "late": mark("The result was found to be late"),
    "returned": mark("The parcel came back"),
    "arrived": mark("The vendor reported the result"),
    "lapsed": mark("There is no result to wait for"),
}


def kind_of(kind: str) -> str:
    return say(KINDS[kind]) if kind in KINDS else kind


def chip_of(case: CaseLine) -> Chip:
    """Its state; lateness goes before."""
    if case.overdue:
        return PAST_PROMISE
    return STATES.get(case.state, Chip("off", case.state))


def row_of(case: CaseLine, names: Names) -> Row:
    """A case in the queue."""
    return Row(
        case.case_id,
        (
            Cell(short_day(case.due_on)),
            Cell(case.reference, second=kind_of(case.kind), link=True, own=True),
            Cell(case.candidate_id, second=say("Opened by itself") if case.by_itself else "", own=True),
            Cell(chip=chip_of(case)),
            Cell(names.of(case.assignee) if case.assignee else NONE),
        ),
    )


def name_row_of(case: CaseLine, names: Names) -> Row:
    """A name change in its queue."""
    return Row(
        case.case_id,
        (
            Cell(short_day(case.due_on)),
            Cell(new_name(case), second=f"{case.candidate_id} · {case.reference}", link=True, own=True),
            Cell(say_many("{count} document", "{count} documents", case.documents) if case.documents else NONE),
            Cell(names.of(case.first_by) if case.first_by else NONE),
            Cell(chip=chip_of(case)),
        ),
    )


def new_name(case: CaseLine) -> str:
    """The name that a name change asks for."""
    details = case.details
    return f"{details.get('given_name', '')} {details.get('family_name', '')}".strip()


def _day_of(text: object) -> str:
    return spoken(date.fromisoformat(str(text)))


def facts_of(case: Case, person: Person | None) -> list[Fact]:
    """What was asked for, beside what we hold."""
    details = {name: value for name, value in case.details.items() if value is not None}
    held = {"given_name": person.given_name, "family_name": person.family_name} if person else {}
    labels = {
        "given_name": say("Given name"),
        "family_name": say("Family name"),
        "system": say("System"),
        "external_id": say("Partner's ID"),
        "registration_id": say("Registration"),
        "candidate_id": say("Other account"),
        "email": say("Address of the other account"),
        "exam_code": say("Exam"),
        "taken_on": say("Sat on"),
        "vendor": say("Vendor"),
        "promised_on": say("Promised by"),
        "order_id": say("Order"),
        "certification": say("Certification"),
        "returned_on": say("Came back on"),
    }
    facts = []
    for name, label in labels.items():
        if name not in details:
            continue
        value = _day_of(details[name]) if name.endswith("_on") else str(details[name])
        value = vendor_name(value) if name in ("system", "vendor") else value
        before = held.get(name)
        facts.append(Fact(label, value, before, None if before is None else before == value))
    native = details.get("native_name")
    if isinstance(native, Mapping):
        facts.append(
            Fact(
                say("Name in its own script"), f"{native.get('family_name', '')} {native.get('given_name', '')}".strip()
            )
        )
    if case.held_by:
        facts.append(Fact(say("The ID belongs to"), case.held_by))
    return facts


def follows(case: Case, *, accept: bool, other: str | None = None) -> list[str]:
    """What a decision changes, from the rules by which identity carries it out."""
    told = say("A mail tells the candidate that it is decided; your reason stands in the case.")
    if case.four_eyes and case.first_opinion is None:
        return [
            say("Nothing changes yet: someone else must decide the same. Then:"),
            *_after(case, accept, other),
            told,
        ]
    return [*_after(case, accept, other), told]


def _after(case: Case, accept: bool, other: str | None) -> list[str]:
    documents = [say("The documents of the case are deleted.")] if case.evidence else []
    if not accept:
        return [say("Nothing about the account changes."), *documents]
    account = other or case.details.get("candidate_id") or say("the other account")
    sentences = {
        "name": [
            say("The name becomes {name}. Verifiers see it within a minute.", name=new_name(case)),
            say(
                "Certificates and badges are made with it from now on. The former name stays in the account's history."
            ),
        ],
        "mapping": [
            say(
                "The ID is linked to {candidate}. Results under it find their way by themselves.",
                candidate=case.candidate_id,
            )
        ],
        "duplicate": [
            say(
                "{other} ends and everything earned under it moves to {candidate}. Both IDs still work to sign in.",
                other=account,
                candidate=case.candidate_id,
            ),
            say("It can be undone in the view of the candidate."),
        ],
    }
    return [*sentences.get(case.kind, [say("Your reason is the answer. Nothing else changes by itself.")]), *documents]


def may_decide(case: CaseLine, me: str) -> bool:
    """Whether it is for this person: of four eyes, two belong to somebody else."""
    return case.state in UNDECIDED and case.first_by != me


def steps_of(case: Case, names: Names) -> list[tuple[object, str, str]]:
    """What happened, the latest first."""
    return [
        (step.at, say(_STEPS.get(step.what, "{who}"), who=names.of(step.by)), _note(step.what, step.note, names))
        for step in reversed(case.history)
    ]


def _note(what: str, note: str | None, names: Names) -> str:
    if note is None:
        return ""
    return names.of(note) if what == "assigned" else note


def taken_at(case: Case) -> object | None:
    """Since when its owner has it."""
    return next((step.at for step in reversed(case.history) if step.what == "assigned"), None)


def late_among(cases: Iterable[CaseLine]) -> int:
    return sum(case.overdue for case in cases)


def numbers_of(cases: Sequence[CaseLine], more: bool) -> list[tuple[str, str]]:
    """The three numbers above the queue."""
    waiting = f"{len(cases)}+" if more else str(len(cases))
    mine = sum(case.by_itself for case in cases)
    return [
        (waiting, say("waiting")),
        (str(late_among(cases)), say("past their promise")),
        (str(mine), say("opened by themselves")),
    ]
