"""What a verifier is shown of a candidate: minimal data, and the state of each item said plainly. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final, Literal, NamedTuple

from libs.common.programs import Program
from services.certs.domain import accounts
from services.certs.domain.credit_ledger import credit_ledger
from services.certs.domain.evaluate import moment
from services.certs.domain.facts import Fact, Known
from services.certs.domain.results import settle
from services.certs.domain.rules import rules_of

CertificationState = Literal["active", "expired", "emeritus", "inactive", "suspended", "waiting", "revoked"]
"""`waiting`: for the candidate's agreement. `revoked`: also where nothing is left of it, because what it rested on
turned out not to count."""
ExamState = Literal["passed", "withdrawn"]

_STATES: Final[Mapping[str, CertificationState]] = {
    "active": "active",
    "expired": "expired",
    "emeritus": "emeritus",
    "lifetime_emeritus": "emeritus",
    "inactive": "inactive",
    "suspended": "suspended",
    "pending_agreement": "waiting",
    "revoked": "revoked",
}
_ONE_DAY = timedelta(days=1)


class ShownCertification(NamedTuple):
    """A certification on a transcript."""

    certification: str
    title: str
    state: CertificationState
    earned_on: date
    expires_on: date | None
    """Last active day; None where it never expires."""
    revoked_on: date | None = None
    """None where it is not revoked, or its day is not known."""


class ShownExam(NamedTuple):
    """A passed exam."""

    exam: str
    title: str
    passed_on: date
    state: ExamState = "passed"


class ShownCredits(NamedTuple):
    """Continuing-education credits that count."""

    counting: int
    until: date | None
    """Last day of the cycle they count in."""


class Shown(NamedTuple):
    """All items of a transcript."""

    certifications: tuple[ShownCertification, ...] = ()
    exams: tuple[ShownExam, ...] = ()
    credits: ShownCredits | None = None


def certifications_held(entries: Iterable[Mapping[str, Any]], today: date) -> dict[str, ShownCertification]:
    """The certifications of a stored ledger as of a day, by their ids."""
    return {entry["certification"]: _certification(entry, today) for entry in entries}


def _certification(entry: Mapping[str, Any], today: date) -> ShownCertification:
    expires_on = date.fromisoformat(entry["expires_on"]) if entry["expires_on"] else None
    state = _STATES[entry.get("status", "active")]
    # The sweep tells an expiry soon after midnight; a reader is told the truth at midnight.
    if state == "active" and expires_on is not None and expires_on < today:
        state = "expired"
    revoked_on = expires_on + _ONE_DAY if state == "revoked" and expires_on is not None else None
    earned_on = date.fromisoformat(entry["earned_on"])
    return ShownCertification(entry["certification"], entry["title"], state, earned_on, expires_on, revoked_on)


def exams_passed(policy: Program, facts: Iterable[Fact], as_of: date) -> dict[str, ShownExam]:
    """The newest pass that counts of each exam, by its code."""
    rules = rules_of(policy)
    today, known_until = moment(as_of, rules.zone)
    found: dict[str, ShownExam] = {}
    for _, part in accounts.split(Known(facts, known_until)):
        for taken_on, code, _, _ in settle(rules, part.exams, part.changes, today).passes:
            if code not in found or found[code].passed_on < taken_on:
                found[code] = ShownExam(code, policy.exams[code].title, taken_on)
    return found


def credits_counting(policy: Program, facts: Iterable[Fact], as_of: date) -> ShownCredits | None:
    """The credits that count on a day; None where none do."""
    ledger = credit_ledger(policy, facts, as_of)
    return ShownCredits(ledger.counting, ledger.cycle_until) if ledger.counting else None


def as_of_now(
    chosen: Sequence[ShownCertification], held: Mapping[str, ShownCertification], former: Mapping[str, str]
) -> tuple[ShownCertification, ...]:
    """What was chosen as it is now; `former` leads from ids that certifications once had to those they have.

    What is not held at all any more is told as revoked: the result it rested on turned out not to count.
    """
    return tuple(_now(one, held, former) or _gone(one) for one in chosen)


def as_frozen(
    frozen: Sequence[ShownCertification], held: Mapping[str, ShownCertification], former: Mapping[str, str]
) -> tuple[ShownCertification, ...]:
    """What was true at the freeze. What was revoked since is told as revoked: nobody may be misled by an old page."""
    return tuple(_frozen(one, _now(one, held, former)) for one in frozen)


def _now(
    one: ShownCertification, held: Mapping[str, ShownCertification], former: Mapping[str, str]
) -> ShownCertification | None:
    name = one.certification
    return held.get(name) or held.get(former.get(name, name))


def _gone(one: ShownCertification) -> ShownCertification:
    return one._replace(state="revoked", revoked_on=None)


def _frozen(one: ShownCertification, now: ShownCertification | None) -> ShownCertification:
    if now is None:
        return _gone(one)
    return one._replace(state="revoked", revoked_on=now.revoked_on) if now.state == "revoked" else one


def exams_now(chosen: Sequence[ShownExam], passed: Mapping[str, ShownExam]) -> tuple[ShownExam, ...]:
    """Chosen exams as they are now; a pass that no longer counts is told as withdrawn."""
    return tuple(passed.get(one.exam) or one._replace(state="withdrawn") for one in chosen)


def exams_frozen(frozen: Sequence[ShownExam], passed: Mapping[str, ShownExam]) -> tuple[ShownExam, ...]:
    """Exams as at the freeze, but for those whose pass no longer counts."""
    return tuple(one if one.exam in passed else one._replace(state="withdrawn") for one in frozen)


def former_names(policy: Program) -> dict[str, str]:
    """From the ids that certifications once had to those they have."""
    return {
        former.id: certification.id
        for certification in policy.certifications.values()
        for former in certification.formerly
        if former.id is not None
    }
