"""The candidates and results of the benchmark: the n-th is always the same, so nothing needs to be handed around."""

from datetime import UTC, datetime, timedelta

from libs.common.events import CloudEvent, vendors
from libs.common.events.envelope import dump_single, schema_urn

PROGRAM = "cisco"
EXAM = "200-301"
CERTIFICATION = "CCNA"
VENDOR = "vue"

_MAIL_DOMAIN = "bench.example"
_GIVEN_NAMES = ("Ada", "Björn", "Chidi", "Dilnoza", "Émile", "Fatima", "Grace", "Hiroshi", "Inés", "Jonas")
_FAMILY_NAMES = ("Adeyemi", "Berg", "Castillo", "Dubois", "Eriksen", "Fujita", "García", "Haddad", "Ivanova", "Jansen")
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


def registration_event_id(index: int) -> str:
    return f"bench-registration-{index:08d}"


def registration_message(index: int) -> bytes:
    """The vendor's word that candidate `index` has booked the exam, as `application/cloudevents+json`."""
    registered = vendors.ExamRegistered(
        vendor_candidate_id=vendor_candidate_id(index),
        registration_id=registration_id(index),
        exam_code=EXAM,
        delivery="test_center",
        scheduled_at=_YESTERDAY,
        candidate=vendors.VendorCandidate(
            given_name=_GIVEN_NAMES[index % len(_GIVEN_NAMES)],
            # Another name for each: people of one name and birthday would be suspected of being one.
            family_name=f"{_FAMILY_NAMES[index // len(_GIVEN_NAMES) % len(_FAMILY_NAMES)]} {_letters(index)}",
            email=email(index),
            country="DE",
        ),
    )
    event = CloudEvent[vendors.ExamRegistered](
        id=registration_event_id(index),
        source=VENDOR,
        type=f"{VENDOR}.ExamRegistered.v1",
        time=_YESTERDAY,
        dataschema=schema_urn(vendors.ExamRegistered),
        program=PROGRAM,
        data=registered,
    )
    return dump_single(event)


def _letters(number: int) -> str:
    """A number as a word of letters."""
    word = ""
    while True:
        number, rest = divmod(number, 26)
        word = chr(ord("a") + rest) + word
        if number == 0:
            return word.capitalize()


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
