"""The candidates and results of the benchmark: the n-th is always the same, so nothing needs to be handed around."""

from datetime import UTC, datetime, timedelta

from libs.common.events import CloudEvent, vendors
from libs.common.events.envelope import dump_single, schema_urn

PROGRAM = "cisco"
EXAM = "200-301"
CERTIFICATION = "CCNA"
VENDOR = "vue"

_MAIL_DOMAIN = "bench.example"
_YESTERDAY = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) - timedelta(days=1)


def vendor_candidate_id(index: int) -> str:
    return f"V{index:08d}"


def registration_id(index: int) -> str:
    return f"G{index:08d}"


def email(index: int) -> str:
    """Each candidate's own address: the sink tells by it whose result a mail belongs to."""
    return f"c{index:08d}@{_MAIL_DOMAIN}"


def index_of(address: str) -> int:
    """The candidate behind an address. Raises `ValueError` where it is none of ours."""
    local, _, domain = address.partition("@")
    if domain != _MAIL_DOMAIN or not local.startswith("c"):
        raise ValueError(f"{address} is no address of the benchmark")
    return int(local[1:])


def result_event_id(index: int) -> str:
    return f"bench-event-{index:08d}"


def result_message(index: int) -> bytes:
    """The vendor's report of candidate `index`'s pass, as `application/cloudevents+json`."""
    report = vendors.ExamResultReported(
        result_id=f"R{index:08d}",
        revision=1,
        vendor_candidate_id=vendor_candidate_id(index),
        registration_id=registration_id(index),
        exam_code=EXAM,
        taken_at=_YESTERDAY,
        grade="pass",
        score=870,
        passing_score=825,
        scale_min=300,
        scale_max=1000,
        sections=(
            vendors.Section(name="Network Fundamentals", percent=90),
            vendors.Section(name="IP Connectivity", percent=75),
            vendors.Section(name="Security Fundamentals", percent=80),
        ),
    )
    event = CloudEvent[vendors.ExamResultReported](
        id=result_event_id(index),
        source=VENDOR,
        type=f"{VENDOR}.ExamResultReported.v1",
        time=_YESTERDAY,
        dataschema=schema_urn(vendors.ExamResultReported),
        program=PROGRAM,
        data=report,
    )
    return dump_single(event)
