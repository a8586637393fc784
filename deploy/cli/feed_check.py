"""Checks a file's rows before any is sent, exactly as the platform's border will check them."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from deploy.cli.feed_rows import Row
from libs.common.bus.ingress import Border, Reason, Refusal
from libs.common.bus.messages import Delivery, Outgoing
from libs.common.clock import Clock
from libs.common.programs import Program


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that will not be sent, and every reason found."""

    line: int
    reasons: tuple[Reason, ...]


@dataclass
class Checked:
    """The outcome of reading a file to its end."""

    rows: int = 0
    rejected: list[RejectedRow] = field(default_factory=list)

    @property
    def accepted(self) -> int:
        return self.rows - len(self.rejected)

    def by_code(self) -> Mapping[str, int]:
        """How many rows are rejected for which first reason."""
        return dict(Counter(row.reasons[0].code for row in self.rejected).most_common())


class RowCheck:
    """The border's checks, with paths as the file's writer knows them."""

    def __init__(self, programs: Mapping[str, Program], clock: Clock, *, columns: bool) -> None:
        self._border = Border(programs, clock)
        self._columns = columns

    def reasons(self, row: Row) -> tuple[Reason, ...]:
        """Why the platform would refuse this row; empty where it would not."""
        if row.message is None:
            return row.reasons
        (decoded,) = self._border.decode(_delivery(row.message))
        if not isinstance(decoded, Refusal):
            return ()
        return tuple(self._named(reason) for reason in decoded.reasons)

    def _named(self, reason: Reason) -> Reason:
        path = reason.path.removeprefix("data.") if self._columns else reason.path
        return reason._replace(path=path, message=reason.message.removeprefix("Value error, "))


def check_rows(rows: Iterable[Row], check: RowCheck | None, on_row: Callable[[], None]) -> Checked:
    """Read all rows; without `check` only those are rejected that make no message at all."""
    checked = Checked()
    for row in rows:
        checked.rows += 1
        reasons = check.reasons(row) if check else row.reasons
        if reasons:
            checked.rejected.append(RejectedRow(row.line, reasons))
        on_row()
    return checked


def accepted_messages(rows: Iterable[Row], checked: Checked) -> Iterator[Outgoing]:
    """The messages of the rows that passed, read again rather than kept: a file may be larger than memory."""
    rejected = {row.line for row in checked.rejected}
    for row in rows:
        if row.line not in rejected and row.message is not None:
            yield row.message


def _delivery(message: Outgoing) -> Delivery:
    return Delivery(
        body=message.body,
        exchange=message.exchange,
        routing_key=message.routing_key,
        content_type=message.content_type,
        type=message.type,
        message_id=message.id,
        user_id=message.user_id,
        headers={},
    )
