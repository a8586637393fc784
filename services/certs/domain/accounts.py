"""Accounts of one candidate: each stands alone until it is merged; from then on all results of both count."""

from collections.abc import Iterable, Iterator
from copy import copy

from libs.common.accounts import survivor
from services.certs.domain import merges
from services.certs.domain.facts import Known
from services.certs.domain.standing import CertificationStanding, Standing

_PERSONAL = ("exams", "changes", "credits", "courses", "imports", "emeritus", "decisions", "agreements")
"""Kinds of facts that belong to an account; the others are the program's, and hold for every account."""
_STANDING_ALONE = ("exams", "credits", "courses", "imports", "emeritus", "decisions")


def split(known: Known) -> Iterator[tuple[str | None, Known]]:
    """The facts of each account that stands alone.

    Facts that name none belong to the only one there is, and stand alone where there are several; an agreement
    that names none holds for all, and a change of a result follows the result.
    """
    if known.only_exams and known.one_account:
        yield None, known
        return
    into = _merged(known)
    named = {
        into.get(fact.account, fact.account)
        for kind in _PERSONAL
        for fact in getattr(known, kind)
        if fact.account is not None
    }
    if len(named) < 2:  # noqa: PLR2004 one account or none
        yield next(iter(named), None), known
        return
    unnamed = any(fact.account is None for kind in _STANDING_ALONE for fact in getattr(known, kind))
    for account in [*sorted(named), *([None] if unnamed else [])]:
        part = copy(known)
        for kind in _PERSONAL:
            facts = [fact for fact in getattr(known, kind) if into.get(fact.account, fact.account) == account]
            if kind == "agreements":
                facts += [fact for fact in known.agreements if fact.account is None and account is not None]
            if kind == "changes":  # they name a result, wherever it sits
                days = {fact.taken_on for fact in part.exams}
                facts += [fact for fact in known.changes if fact.account is None and fact.taken_on in days]
            setattr(part, kind, facts)
        yield account, part


def _merged(known: Known) -> dict[str, str]:
    """Where each merged account ends."""
    into = merges.ends([*known.merges, *known.separations])
    return {account: survivor(account, into) for account in into}


def joined(parts: Iterable[Standing]) -> Standing:
    """What all accounts hold, each certification with its account."""
    first, *others = parts
    certifications: dict[str, CertificationStanding] = dict(first.certifications)
    for part in others:
        for name, entry in part.certifications.items():
            certifications[name if name not in certifications else f"{name}@{entry.account}"] = entry
    every = [first, *others]
    resumes = [part.resumes_on for part in every if part.resumes_on is not None]
    retakes = [part.earliest_retake for part in every if part.earliest_retake is not None]
    return Standing(
        program=first.program,
        policy_version=first.policy_version,
        as_of=first.as_of,
        certifications=certifications,
        resumes_on=min(resumes, default=None),
        flags=tuple(sorted({flag for part in every for flag in part.flags})),
        decided_by=next((part.decided_by for part in every if part.decided_by), None),
        earliest_retake=max(retakes, default=None),
    )
