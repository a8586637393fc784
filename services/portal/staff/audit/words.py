"""Records of the audit log in words, and whether they are as they were written. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from libs.common.audit.chain import BEGINNING, digest
from libs.common.audit.chain import Seal as ChainSeal
from services.portal.languages import mark, say, say_many
from services.portal.languages.days import minute, number
from services.portal.staff.audit.shapes import Record, Seal
from services.portal.staff.kit import NONE, Cell, Row
from services.portal.staff.people import Names
from services.portal.web.chips import Chip

SERVICES: Final[Mapping[str, str]] = {
    "identity": mark("Accounts and cases"),
    "exams": mark("Exams and vendors"),
    "certs": mark("Certifications"),
    "fulfillment": mark("Kits and orders"),
    "notify": mark("Mails and announcements"),
}
_DONE: Final = 300
_REFUSED: Final = 400


@dataclass(frozen=True, slots=True)
class Check:
    """Whether the records that are shown are as they were written.

    Attributes:
        fault: number of the first record that is not; None where all are.
        linked: whether they follow on each other; of a search only each by itself can be checked.
        sealed: how many of them a seal vouches for.
    """

    fault: int | None
    linked: bool
    sealed: int
    records: int

    @property
    def chip(self) -> Chip:
        return Chip("ok", mark("Unchanged")) if self.fault is None else Chip("bad", mark("Changed"))

    @property
    def words(self) -> str:
        if self.fault is not None:
            return say(
                "Record {n} is not as it was written. Keep everything as it is, and tell the operator.", n=self.fault
            )
        if not self.records:
            return say("There is nothing to check.")
        own = say_many("{count} record fits its own hash", "{count} records fit their own hashes", self.records)
        if not self.linked:
            return say("{own}. Whether one is missing between them shows only without a filter.", own=own)
        return say("{own}, each follows on the one before, and {sealed} seals fit.", own=own, sealed=self.sealed)


def checked(records: Sequence[Mapping[str, Any]], seals: Iterable[Seal], *, whole: bool) -> Check:
    """Check records as they came.

    Args:
        records: in their order.
        seals: what the hashes of some of them were.
        whole: whether none between the first and the last is left out.
    """
    known = {seal.n: ChainSeal(seal.n, seal.hash) for seal in seals}
    before: Mapping[str, Any] | None = None
    sealed = 0
    for record in records:
        n = int(record["n"])
        seal = known.get(n)
        if record.get("hash") != digest(record) or (seal is not None and seal.hash != record["hash"]):
            return Check(n, whole, sealed, len(records))
        if whole and before is not None and (n != before["n"] + 1 or record.get("prev") != before["hash"]):
            return Check(n, whole, sealed, len(records))
        if n == 1 and record.get("prev") != BEGINNING:
            return Check(n, whole, sealed, len(records))
        sealed += seal is not None
        before = record
    return Check(None, whole, sealed, len(records))


def row_of(record: Record, names: Names) -> Row:
    """A record: who did what, about whom, and what came of it."""
    others = [f"{name} {value}" for name, value in record.about.items() if name != "candidate_id"]
    return Row(
        str(record.n),
        (
            Cell(number(record.n)),
            Cell(minute(record.at)),
            Cell(names.of(record.actor)),
            Cell(record.operation.replace("_", " "), second=say(", ").join(others)),
            Cell(
                say(", ").join(record.candidates[:_SHOWN]) or NONE,
                own=True,
                second=_more(len(record.candidates) - _SHOWN),
            ),
            Cell(chip=_outcome(record)),
        ),
    )


_SHOWN: Final = 3


def _more(count: int) -> str:
    return say_many("and {count} more", "and {count} more", count) if count > 0 else ""


def _outcome(record: Record) -> Chip:
    if record.step == "asked":
        return Chip("wait", mark("Asked for"))
    if record.status < _DONE:
        return Chip("ok", mark("Seen")) if record.method == "GET" else Chip("ok", mark("Changed it"))
    return Chip("off", mark("Refused")) if record.status >= _REFUSED else Chip("off", mark("Sent on"))
