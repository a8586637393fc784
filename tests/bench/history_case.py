"""The history of the benchmark: 300 attempts of one person, stored by the product's own intake, copied to others."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from deploy.local.platform import PROGRAMS
from libs.common.events import vendors
from libs.common.mongo.links import link_id
from libs.common.mongo.unit_of_work import Transaction
from libs.common.programs import load_program
from services.exams.registrations import RegistrationIntake
from services.exams.reports import Change, Report, Source
from services.exams.results import ResultIntake
from services.exams.store import ExamsStore
from tests.bench.population import PROGRAM, VENDOR

ATTEMPTS = 300
EVERY = timedelta(days=12)
RAW = 1_500
"""Bytes of a message as it came; real ones have about as many."""
_LINK = link_id(PROGRAM, VENDOR, "V")


def _changes() -> list[Change]:
    return [
        Change(PROGRAM, VENDOR, _registered(number, code, at), _LINK, at, Source("bus", f"g{number}"))
        for number, (code, at) in enumerate(_booked())
    ]


def _booked() -> list[tuple[str, datetime]]:
    """An exam every twelve days, over a dozen codes, the last one lately."""
    codes = [exam.code for exam in load_program(PROGRAMS / f"{PROGRAM}.yaml").exams.values() if not exam.last_day][:12]
    first = datetime.now(UTC).replace(microsecond=0) - ATTEMPTS * EVERY
    return [(codes[number % len(codes)], first + number * EVERY) for number in range(ATTEMPTS)]


def _registered(number: int, code: str, at: datetime) -> vendors.ExamRegistered:
    return vendors.ExamRegistered(
        vendor_candidate_id="V",
        registration_id=f"G{number}",
        exam_code=code,
        delivery="test_center",
        scheduled_at=at,
        candidate=vendors.VendorCandidate(given_name="Ada", family_name="Bench", email="a@bench.example", country="GB"),
        site="Test Center Malmö, Södra Tullgatan 4",
    )


def _reports() -> list[Report]:
    """A final word for each, and before every fifth a provisional one."""
    return [
        Report(
            PROGRAM,
            VENDOR,
            _result(number, code, at, revision),
            _LINK,
            at,
            Source("bus", f"r{number}.{revision}"),
            RAW * b"x",
        )
        for number, (code, at) in enumerate(_booked())
        for revision in ((1, 2) if number % 5 == 0 else (2,))
    ]


def _result(number: int, code: str, at: datetime, revision: int) -> vendors.ExamResultReported:
    return vendors.ExamResultReported(
        result_id=f"R{number}",
        revision=revision,
        vendor_candidate_id="V",
        registration_id=f"G{number}",
        exam_code=code,
        taken_at=at,
        grade="fail" if number % 3 else "pass",
        status="provisional" if revision == 1 else "final",
        score=600.0 + number,
        passing_score=825.0,
        scale_min=300.0,
        scale_max=1000.0,
        sections=tuple(vendors.Section(name=f"Section {each}", percent=50.0 + each) for each in range(6)),
        score_report_url=f"https://vue.example/reports/{number}",
        receipt_url=f"https://vue.example/receipts/{number}",
        site="Test Center Malmö, Södra Tullgatan 4",
    )


async def take_in(transaction: Transaction, store: ExamsStore) -> None:
    """Let the intakes store the person's rows."""
    await RegistrationIntake(store, transaction).record(_changes())
    await ResultIntake(store, transaction).record(_reports())


def copied(rows: Sequence[dict[str, Any]], candidate: str) -> list[dict[str, Any]]:
    """The same rows, as another person's."""
    return [
        row
        | {
            "_id": f"{row['_id']}-{candidate}",
            "registration_id": f"{row['registration_id']}-{candidate}",
            "candidate_id": candidate,
        }
        for row in rows
    ]
