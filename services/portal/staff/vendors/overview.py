"""What is said of vendors as a whole: what became of what they sent, and how their files do. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.portal.languages import mark, say, say_many
from services.portal.languages.days import number
from services.portal.staff.vendors.shapes import Exchange, FeedFile, Source, Verdicts
from services.portal.web.chips import Chip

FILE_STATES: Final = {
    "waiting": Chip("wait", mark("Waiting")),
    "importing": Chip("wait", mark("Being taken in")),
    "done": Chip("ok", mark("Taken in")),
    "refused": Chip("bad", mark("Refused")),
}
_SAME: Final = frozenset({"duplicate", "unchanged", "stale", "repeated"})


@dataclass(frozen=True, slots=True)
class VendorLine:
    """What became of a vendor's messages in some days.

    Attributes:
        taken: that said something new.
        same: that repeated what was known.
        codes: why others were refused, the commonest first, with how often.
    """

    vendor: str
    heard_at: datetime | None
    taken: int
    same: int
    refused: int
    codes: Sequence[tuple[str, int]]
    chip: Chip


def vendor_lines(found: Iterable[Verdicts]) -> list[VendorLine]:
    return [_line(one) for one in sorted(found, key=lambda one: one.vendor)]


def _line(one: Verdicts) -> VendorLine:
    counts = [each for day in one.days for each in day.counts if each.channel != "dry_run"]
    codes: dict[str, int] = {}
    for each in counts:
        if each.verdict == "refused":
            code = each.code or say("no reason")
            codes[code] = codes.get(code, 0) + each.count
    refused = sum(codes.values())
    same = sum(each.count for each in counts if each.verdict in _SAME)
    taken = sum(each.count for each in counts) - refused - same
    ordered = sorted(codes.items(), key=lambda pair: (-pair[1], pair[0]))
    return VendorLine(one.vendor, one.last_heard_at, taken, same, refused, ordered, _chip(taken + same, refused))


def _chip(fine: int, refused: int) -> Chip:
    if not fine and not refused:
        return Chip("off", mark("Nothing heard"))
    if refused > fine:
        return Chip("bad", mark("Mostly refused"))
    return Chip("warn", mark("Some refused")) if refused else Chip("ok", mark("All taken"))


def file_chip(one: FeedFile) -> Chip:
    if one.state == "done" and one.counts.bad:
        return Chip("warn", mark("Taken in, with bad rows"))
    return FILE_STATES.get(one.state, Chip("off", one.state))


def file_said(one: FeedFile) -> str:
    """How far a file is, or what became of its rows."""
    if one.state == "refused":
        return one.refusal.message if one.refusal else say("No reason was kept")
    if one.state == "waiting":
        return say("It is next in line.")
    if one.state == "importing":
        done, lines = number(one.progress.lines_done), number(one.progress.lines)
        return say("{done} of {all} lines", done=done, all=lines)
    counts = one.counts
    return say(
        "{rows} rows: {new} new, {same} known before, {bad} bad",
        rows=number(counts.rows),
        new=number(counts.results + counts.absences),
        same=number(counts.unchanged),
        bad=number(counts.bad),
    )


def source_said(one: Source) -> str:
    if one.fault is None:
        return say_many("{count} file taken so far", "{count} files taken so far", one.taken)
    return say_many(
        "Can't be reached since {count} try: {reason}",
        "Can't be reached since {count} tries: {reason}",
        one.failures,
        reason=one.fault.message,
    )


def exchange_said(one: Exchange) -> str:
    if one.error is not None:
        return say_many(
            "{reason}. {count} file waits.", "{reason}. {count} files wait.", one.undelivered, reason=one.error
        )
    return say_many("Works; {count} file waits.", "Works; {count} files wait.", one.undelivered)
