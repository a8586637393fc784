"""Whose an unmatched result may be: what speaks for each candidate, in words, and how much. It decides nothing."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from string import ascii_lowercase, ascii_uppercase, digits

from rapidfuzz.distance import OSA

_LONGEST = 24
"""Letters of an id for whose typing errors is looked; what is longer was never typed."""
MOST = 10
"""Suggestions for one result."""


@dataclass(frozen=True, slots=True)
class OfRegistration:
    """The registration that the result names is the candidate's."""

    candidate_id: str
    registration_id: str


@dataclass(frozen=True, slots=True)
class SimilarId:
    """The id that the result came under is nearly one of the candidate's.

    Attributes:
        wrote: the id that the result came under.
        linked: the one that is the candidate's.
        own: whether that is our own candidate ID.
    """

    candidate_id: str
    wrote: str
    linked: str
    own: bool


@dataclass(frozen=True, slots=True)
class SameSitting:
    """The candidate had an appointment for the exam at the vendor on that day, and lacks its result."""

    candidate_id: str
    registration_id: str
    exam_code: str
    day: date


@dataclass(frozen=True, slots=True)
class AssignedBefore:
    """Staff have assigned another result that came under the same id."""

    candidate_id: str
    result_id: str
    wrote: str


Clue = OfRegistration | SimilarId | SameSitting | AssignedBefore


@dataclass(frozen=True, slots=True)
class Reason:
    code: str
    text: str
    weight: float
    """How likely it alone makes the candidate, from 0 to 1: a judgement, to order by."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A candidate who may be meant.

    Attributes:
        score: from 0 to 100; each reason takes its part of the doubt that the others leave.
        reasons: the strongest first.
    """

    candidate_id: str
    score: int
    reasons: tuple[Reason, ...]


def suggest(clues: Iterable[Clue]) -> list[Suggestion]:
    """The candidates whom clues name, the likeliest first. The same clues in any order give the same."""
    reasons: dict[str, dict[tuple[str, str], Reason]] = {}
    for clue in clues:
        reason = _reason(clue)
        if reason is not None:
            reasons.setdefault(clue.candidate_id, {})[reason.code, reason.text] = reason
    found = [_suggestion(candidate_id, each.values()) for candidate_id, each in reasons.items()]
    return sorted(found, key=lambda suggestion: (-suggestion.score, suggestion.candidate_id))[:MOST]


def _suggestion(candidate_id: str, reasons: Iterable[Reason]) -> Suggestion:
    ordered = sorted(reasons, key=lambda reason: (-reason.weight, reason.code, reason.text))
    doubt = 1.0
    for code in dict.fromkeys(reason.code for reason in ordered):
        # Two of a kind say the same twice: the stronger counts.
        doubt *= 1 - max(reason.weight for reason in ordered if reason.code == code)
    return Suggestion(candidate_id, round(100 * (1 - doubt)), tuple(ordered))


def _reason(clue: Clue) -> Reason | None:
    match clue:
        case OfRegistration():
            text = f"The registration {clue.registration_id}, which the result names, is this candidate's."
            return Reason("registration", text, 0.8)
        case AssignedBefore():
            text = f"Another result that came under {clue.wrote} ({clue.result_id}) was assigned to this candidate."
            return Reason("assigned_before", text, 0.7)
        case SameSitting():
            text = (
                f"This candidate had an appointment for {clue.exam_code} on that day ({clue.registration_id}), and its "
                "result has not come."
            )
            return Reason("same_sitting", text, 0.4)
        case SimilarId():
            return _similar(clue)


def _similar(clue: SimilarId) -> Reason | None:
    whose = "this candidate's own ID" if clue.own else "an id of this candidate's at the vendor"
    apart = OSA.distance(_plain(clue.wrote), _plain(clue.linked), score_cutoff=1)
    if apart == 0:
        return Reason("same_id_otherwise_written", f"{clue.wrote} is {clue.linked} written otherwise, {whose}.", 0.75)
    if apart == 1:
        text = f"{clue.wrote} is one typing error away from {clue.linked}, {whose}."
        return Reason("similar_id", text, 0.6)
    if clue.own and _plain(clue.wrote).lstrip(ascii_lowercase) == _plain(clue.linked).lstrip(ascii_lowercase):
        text = f"{clue.wrote} has the number of {clue.linked}, {whose}, with another prefix."
        return Reason("other_prefix", text, 0.5)
    return None


def _plain(text: str) -> str:
    return "".join(each for each in text.casefold() if each.isalnum())


def near_ids(text: str) -> set[str]:
    """What may be meant by a partner's id: other letters' case, and a letter more, less, another, or two swapped."""
    forms = {text, text.upper(), text.lower()}
    near = {each for form in forms if len(form) <= _LONGEST for each in _edits(form)}
    return (forms | near) - {""}


def near_own_ids(text: str, prefix: str, count: int) -> set[str]:
    """Which candidate IDs of a program may have been meant: another prefix or none, and typing errors in the number."""
    number = "".join(each for each in text if each in digits)
    if not 0 < len(number) <= _LONGEST or sum(each.isalpha() for each in text) > len(prefix) + 1:
        return set()
    near = {number, *_edits(number)}
    return {prefix + each for each in near if len(each) == count}


def _edits(text: str) -> Iterator[str]:
    alphabet = digits
    if any(each in ascii_uppercase for each in text):
        alphabet += ascii_uppercase
    if any(each in ascii_lowercase for each in text):
        alphabet += ascii_lowercase
    for at in range(len(text) + 1):
        left, right = text[:at], text[at:]
        yield left + right[1:]
        yield left + right[1:2] + right[:1] + right[2:]
        for letter in alphabet:
            yield left + letter + right
            yield left + letter + right[1:]
