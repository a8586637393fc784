"""What is read of services about vendors, their messages and files."""

from datetime import date, datetime

from pydantic import BaseModel, Field


class Reason(BaseModel):
    path: str
    code: str
    message: str


class Refused(BaseModel):
    """A vendor's message that was refused."""

    rejection_id: str
    vendor: str
    rejected_at: datetime
    routing_key: str
    message_id: str | None = None
    reasons: list[Reason]
    original: str
    truncated: bool


class RefusedPage(BaseModel):
    items: list[Refused]
    next: str | None = None


class Parked(BaseModel):
    """A message that a service could not handle, in a list."""

    parked_id: str
    service: str
    event_type: str | None = None
    routing_key: str
    vendor: str | None = None
    code: str
    cause: str | None = None
    tries: int | None = None
    first_failure: datetime | None = None
    last_failure: datetime | None = None


class ParkedPage(BaseModel):
    items: list[Parked]
    next: str | None = None
    count: int


class About(BaseModel):
    candidate_id: str


class ParkedWhole(Parked):
    error: str | None = None
    stack: str | None = None
    about: list[About]
    body: str
    truncated: bool


class Counted(BaseModel):
    channel: str
    verdict: str
    code: str | None = None
    count: int


class Day(BaseModel):
    day: str
    counts: list[Counted]


class Verdicts(BaseModel):
    """What became of what a vendor has sent."""

    vendor: str
    last_heard_at: datetime | None = None
    days: list[Day]


class VerdictsPage(BaseModel):
    items: list[Verdicts]


class Sample(BaseModel):
    message_id: str | None = None
    about: str | None = None
    at: datetime


class Samples(BaseModel):
    channel: str
    verdict: str
    code: str | None = None
    messages: list[Sample]


class SamplesPage(BaseModel):
    items: list[Samples]


class Fault(BaseModel):
    code: str
    message: str


class Source(BaseModel):
    """A folder or server that files are fetched from."""

    source: str
    vendor: str
    looked_at: datetime | None = None
    next_look_at: datetime
    taken: int
    fault: Fault | None = None
    failures: int


class Sources(BaseModel):
    items: list[Source]


class Progress(BaseModel):
    lines: int
    lines_done: int
    share: float


class RowCounts(BaseModel):
    rows: int = 0
    results: int = 0
    absences: int = 0
    unchanged: int = 0
    bad: int = 0


class FeedFile(BaseModel):
    file_id: str
    vendor: str
    name: str
    received_at: datetime
    times_seen: int
    state: str
    refusal: Fault | None = None
    finished_at: datetime | None = None
    progress: Progress
    counts: RowCounts


class FeedFiles(BaseModel):
    items: list[FeedFile]
    next: str | None = None


class ColumnFault(BaseModel):
    column: str
    code: str
    message: str


class BadRow(BaseModel):
    member: str
    line: int
    registration_id: str | None = None
    faults: list[ColumnFault]


class BadRows(BaseModel):
    items: list[BadRow]
    next: str | None = None


class Exchange(BaseModel):
    """How it goes with a vendor's folders."""

    vendor: str
    reached_at: datetime | None = None
    failing_since: datetime | None = None
    try_at: datetime | None = None
    error: str | None = None
    undelivered: int


class Exchanges(BaseModel):
    items: list[Exchange]


class Authorization(BaseModel):
    authorization_id: str
    vendor: str
    candidate_id: str
    exam_code: str
    state: str
    reason: str | None = None
    changed_at: datetime


class Authorizations(BaseModel):
    items: list[Authorization]
    next: str | None = None


class Counts(BaseModel):
    """What a comparison has found."""

    listed: int
    equal: int
    missing_here: int
    missing_there: int
    different: int
    unreadable: int


class Run(BaseModel):
    """A comparison of a vendor's list with ours."""

    reconciliation_id: str
    vendor: str
    first_day: date
    last_day: date
    state: str
    counts: Counts
    created_at: datetime
    created_by: str


class Runs(BaseModel):
    items: list[Run]
    next: str | None = None


class Side(BaseModel):
    candidate_id: str | None = None
    vendor_candidate_id: str | None = None
    exam_code: str | None = None
    state: str
    scheduled_at: datetime | None = None


class Difference(BaseModel):
    field: str


class Action(BaseModel):
    kind: str
    reason: str | None = None
    by: str
    at: datetime


class Finding(BaseModel):
    """A registration about which the two sides differ, or a line that could not be read."""

    finding_id: str
    kind: str
    registration_id: str | None = None
    line: int | None = None
    reason: str | None = None
    theirs: Side | None = None
    ours: Side | None = None
    differences: list[Difference] = Field(default=[])
    takeable: bool
    action: Action | None = None


class Findings(BaseModel):
    items: list[Finding]
    next: str | None = None
