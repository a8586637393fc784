"""What a check can find, in stable codes and in plain words, and what that makes of the whole."""

from collections.abc import Iterable, Mapping
from typing import Final, Literal, NamedTuple, TypeAlias

from services.certs.languages import mark, say
from services.certs.verifying.found import Fault
from services.certs.verifying.reading import Kind

Check: TypeAlias = Literal["file", "kind", "issuer", "integrity", "dates", "status", "subject"]
Verdict: TypeAlias = Literal[
    "genuine", "expired", "not_yet", "replaced", "suspended", "revoked", "altered", "not_ours", "unreadable"
]

VERDICTS: Final[tuple[Verdict, ...]] = (
    "genuine",
    "expired",
    "not_yet",
    "replaced",
    "suspended",
    "revoked",
    "altered",
    "not_ours",
    "unreadable",
)
"""From good to bad: the worst finding decides."""


class _Meaning(NamedTuple):
    check: Check
    verdict: Verdict
    text: str


_MEANINGS: Final[Mapping[str, _Meaning]] = {
    "format_unknown": _Meaning("file", "unreadable", mark("It is neither JSON, a token, PNG, SVG nor PDF.")),
    "damaged": _Meaning("file", "unreadable", mark("It is damaged, or a part of it is missing.")),
    "no_credential": _Meaning("file", "unreadable", mark("There is no credential in it.")),
    "several_credentials": _Meaning(
        "file", "unreadable", mark("There is more than one credential in it, so readers would see different things.")
    ),
    "too_large": _Meaning(
        "file", "unreadable", mark("It, or what is packed into it, is larger than anything of ours.")
    ),
    "too_much_work": _Meaning("file", "unreadable", mark("It would take more time or memory than anything of ours.")),
    "kind_known": _Meaning("kind", "genuine", ""),  # each kind has a sentence below
    "kind_unknown": _Meaning("kind", "not_ours", mark("It is not of a kind that we issue.")),
    "form_wrong": _Meaning("kind", "altered", mark("It is not written as ours are.")),
    "issuer_ours": _Meaning("issuer", "genuine", mark("Its issuer is {program}.")),
    "issuer_unknown": _Meaning("issuer", "not_ours", mark("Its issuer is not one of our programs.")),
    "intact": _Meaning(
        "integrity", "genuine", mark("It was signed with a key that we publish, and not changed since.")
    ),
    "not_signed": _Meaning("integrity", "not_ours", mark("It is not signed.")),
    "several_proofs": _Meaning("integrity", "not_ours", mark("It is signed more than once; ours are signed once.")),
    "proof_unknown": _Meaning("integrity", "not_ours", mark("It is not signed in the way that we sign.")),
    "purpose_wrong": _Meaning("integrity", "not_ours", mark("Its signature was made for another purpose.")),
    "key_unknown": _Meaning(
        "integrity", "not_ours", mark("It is signed with a key that the program does not publish.")
    ),
    "altered": _Meaning("integrity", "altered", mark("Its signature does not fit what it says.")),
    "in_force": _Meaning("dates", "genuine", mark("It is valid since {start}, and never expires.")),
    "in_force_until": _Meaning("dates", "genuine", mark("It is valid since {start} and until {end}.")),
    "expired": _Meaning("dates", "expired", mark("It expired on {end}.")),
    "not_yet": _Meaning("dates", "not_yet", mark("It is valid from {start}.")),
    "not_revoked": _Meaning("status", "genuine", mark("It has not been revoked.")),
    "revoked": _Meaning("status", "revoked", mark("It was revoked.")),
    "revoked_on": _Meaning("status", "revoked", mark("It was revoked on {day}.")),
    "replaced": _Meaning("status", "replaced", mark("We have corrected it since. Ask for the newer one.")),
    "suspended": _Meaning("status", "suspended", mark("The certification is suspended at present.")),
    "status_unknown": _Meaning("status", "altered", mark("It does not name a status list of its issuer.")),
    "same_subject": _Meaning("subject", "genuine", mark("Everything in it is about the same person.")),
    "other_subject": _Meaning("subject", "altered", mark("Something in it is about another person.")),
}

_KINDS: Final[Mapping[Kind, str]] = {
    "badge": mark("It is a badge."),
    "transcript": mark("It is a transcript."),
    "receipt": mark("It is a receipt."),
}


class Finding(NamedTuple):
    """One thing that holds or does not."""

    code: str
    text: str
    """In the language of whoever asked."""
    day: str | None = None
    """In words, where the whole is headed by it."""

    @property
    def check(self) -> Check:
        return _MEANINGS[self.code].check

    @property
    def verdict(self) -> Verdict:
        """What this makes of the whole, if nothing else is worse."""
        return _MEANINGS[self.code].verdict

    @property
    def holds(self) -> bool:
        return self.verdict == "genuine"


def finding(code: str, **words: str) -> Finding:
    return Finding(code, say(_MEANINGS[code].text, **words), words.get("day"))


def known_kind(kind: Kind) -> Finding:
    """That it is of a kind that we issue."""
    return Finding("kind_known", say(_KINDS[kind]))


def fault(code: Fault) -> Finding:
    """Why a file could not be read."""
    return finding(code)


def verdict(findings: Iterable[Finding]) -> Verdict:
    """The worst that was found."""
    return max((each.verdict for each in findings), key=VERDICTS.index)
